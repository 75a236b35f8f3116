"""A routing base: each image runs, block by block, one of two branches.

Oracles: the routed Keras model, which ran both branches or a `tf.cond`, the
ordinary base, and LiteRT's own profiler.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import tflite
from object_detection_patch.export import base as base_lib
from object_detection_patch.export import release, runtime
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.od_api import base_model, pipeline_config
from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    read_patch,
    write_patch,
)
from object_detection_patch.tflite.errors import UnfitEditError
from object_detection_patch.training import patched_model

# The converter warns of what it does not keep.
pytestmark = pytest.mark.filterwarnings("ignore")

_POLICY = PolicySize(3, 8)
_BLOCKS = 17
_ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def routing_base(export_base):
    return export_base("float32", policy=_POLICY)


@pytest.fixture(scope="module")
def images():
    """Of many brightnesses, so that a policy tells them apart."""
    random = np.random.default_rng(3)
    noise = random.uniform(-0.5, 0.5, (6, 96, 96, 3))
    return (noise + np.linspace(-0.5, 0.5, 6)[:, None, None, None]).astype("f")


@pytest.fixture(scope="module")
def task(routing_base, small_world, images, tmp_path_factory):
    """preset -> a routed model, whose policy tells images apart, its patch."""
    made = {}

    def make(preset):
        if preset not in made:
            path = tmp_path_factory.mktemp("routed") / f"{preset}.patch"
            model = _trained(routing_base, small_world, preset)
            _tell_apart(model, images)
            _write(model, path)
            made[preset] = (model, path)
        return made[preset]

    return make


def _trained(folder, small_world, preset):
    """As if trained: everything that trains has moved."""
    pipeline = pipeline_config.read_pipeline(
        small_world.config("stripes", preset)
    )
    model = patched_model.build_patched(
        pipeline.model, pipeline_config.require_patch(pipeline, "")
    )
    base_model.restore_base(
        model,
        model.patch.hosts,
        str(folder / "checkpoint" / "ckpt-0"),
        checkpoint_type="detection",
    )
    model.patch.initialise()
    random = np.random.default_rng(11)
    for weight in model.patch.trainable_weights:
        noise = random.standard_normal(weight.shape)
        weight.assign_add((0.02 * noise).astype(np.float32))
    (router,) = model.patch.model_patches
    for layer in router.policy.convolutions().values():
        norm = layer.norm
        norm.moving_mean.assign(0.1 * random.standard_normal(norm.gamma.shape))
        norm.moving_variance.assign(random.uniform(0.5, 2, norm.gamma.shape))
    kernel = router.policy.logits.kernel
    kernel.assign(random.standard_normal(kernel.shape))
    return model


def _tell_apart(model, images):
    """Sends half of the images through the task's version of each block."""
    (router,) = model.patch.model_patches
    router.policy.logits.bias.assign(tf.zeros_like(router.policy.logits.bias))
    logits = router.policy(tf.constant(images)).numpy()
    middle = np.median(logits[..., 1] - logits[..., 0], axis=0)
    router.policy.logits.bias.assign(
        np.stack([middle, np.zeros_like(middle)], axis=-1).reshape(-1)
    )


def _write(model, path):
    patch = model.patch
    labels = [
        LabelMapItem(n + 1, f"c{n}", "") for n in range(model.num_classes)
    ]
    write_patch(
        path,
        Patch(
            patch.method,
            patch.base_fingerprint,
            tuple(patch.edits()),
            tuple(labels),
        ),
    )


def _keras(model, image):
    base_model.set_training(model, False)
    predicted = model.predict(tf.constant(image[None]), None)
    scores = model._score_conversion_fn(
        predicted["class_predictions_with_background"]
    )
    return predicted["box_encodings"].numpy(), scores.numpy()


def _choices(model, images):
    (router,) = model.patch.model_patches
    router.set_training(False)
    return router._choices(tf.constant(images)).numpy().astype(bool)


def _check_alike(found, wanted, tolerance):
    for one, other in zip(found, wanted, strict=True):
        one, other = one.reshape(-1), other.reshape(-1)
        largest = max(1.0, np.abs(other).max())
        np.testing.assert_allclose(one, other, atol=tolerance * largest)


def test_without_a_patch_it_is_the_ordinary_base(
    routing_base, export_base, images
):
    ordinary = export_base("float32")
    found = (routing_base / "base.tflite").read_bytes()
    plain = (ordinary / "base.tflite").read_bytes()
    for image in images[:2]:
        for one, other in zip(
            runtime.Runtime(found, keep_tensors=True).raw_outputs(image),
            runtime.Runtime(plain, keep_tensors=True).raw_outputs(image),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
    sidecars = [
        tflite.read_sidecar(folder / "base.odpatch")
        for folder in (routing_base, ordinary)
    ]
    assert sidecars[0].base_fingerprint == sidecars[1].base_fingerprint
    assert len(Graph(found).model.subgraphs) == 1 + 2 * _BLOCKS
    report = (routing_base / "report.txt").read_text()
    assert "A routing base" in report
    assert "policy of 3 blocks and 8 channels" in report


@pytest.mark.parametrize("preset", ["SPOTTUNE", "ROUTED_SPOTPATCH"])
def test_each_image_gets_what_keras_gives_it(
    routing_base, task, images, tmp_path, preset
):
    model, patch = task(preset)
    output = tmp_path / "task.tflite"
    tflite.apply(routing_base / "base.tflite", patch, output)
    choices = _choices(model, images)
    np.testing.assert_array_equal(choices.mean(axis=0), 0.5)
    assert len(np.unique(choices, axis=0)) > 2
    runner = runtime.Runtime(output.read_bytes(), keep_tensors=True)
    for image in images:
        _check_alike(runner.raw_outputs(image), _keras(model, image), 1e-4)


def test_the_profiler_sees_one_branch_of_each_block(
    routing_base, task, images, tmp_path
):
    model, patch = task("SPOTTUNE")
    output = tmp_path / "task.tflite"
    tflite.apply(routing_base / "base.tflite", patch, output)
    np.save(tmp_path / "images.npy", images)
    told = subprocess.run(
        [
            *(sys.executable, str(_ROOT / "benchmarks" / "litert_profile.py")),
            *(str(output), "--images", str(tmp_path / "images.npy"), "--json"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    profile = json.loads(told.stdout.splitlines()[-1])
    for ran, taken in zip(profile, _choices(model, images), strict=True):
        assert ran == [0] + [
            2 * block + (1 if tuned else 2) for block, tuned in enumerate(taken)
        ]


def test_published_it_is_verified_on_the_phone(routing_base, task, tmp_path):
    _, patch = task("ROUTED_SPOTPATCH")
    base = str(routing_base / "base.tflite")
    published = tmp_path / "small.patch"
    release.publish(
        patch=str(patch),
        bases=[base],
        output=str(published),
        records=release.TaskRecords(),
    )
    applied = tflite.apply(base, published, tmp_path / "task.tflite")

    assert applied.verified
    assert published.stat().st_size < patch.stat().st_size


def test_an_ordinary_patch_fits_too(
    routing_base, export_base, write_task, images, tmp_path
):
    ordinary = export_base("float32")
    patch = write_task(ordinary, 3)
    found = []
    for folder in (routing_base, ordinary):
        output = tmp_path / "task.tflite"
        tflite.apply(folder / "base.tflite", patch, output)
        runner = runtime.Runtime(output.read_bytes(), keep_tensors=True)
        found.append(runner.raw_outputs(images[0]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_ordinary_base_refuses_a_routed_patch(export_base, task, tmp_path):
    _, patch = task("SPOTTUNE")
    base = str(export_base("float32") / "base.tflite")
    with pytest.raises(UnfitEditError, match="tuned/.*export-base --routing"):
        tflite.apply(base, patch, tmp_path / "task.tflite")
    with pytest.raises(UnfitEditError, match="tuned/.*export-base --routing"):
        release.publish(
            patch=str(patch),
            bases=[base],
            output=str(tmp_path / "small.patch"),
            records=release.TaskRecords(),
        )
    assert not list(tmp_path.iterdir())
    assert read_patch(patch).method == "SPOTTUNE"


@pytest.mark.slow
def test_in_float16_too(export_base, task, images, tmp_path):
    model, patch = task("SPOTTUNE")
    folder = export_base("float16", policy=_POLICY)
    output = tmp_path / "task.tflite"
    tflite.apply(folder / "base.tflite", patch, output)
    runner = runtime.Runtime(output.read_bytes(), keep_tensors=True)
    found = [runner.raw_outputs(image) for image in images]
    # Rounding may move an image over the border between two choices.
    near = 0
    for image, outputs in zip(images, found, strict=True):
        try:
            _check_alike(outputs, _keras(model, image), 3e-2)
            near += 1
        except AssertionError:
            pass
    assert near >= len(images) - 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int8"}, "float32 or float16.* Received: int8"),
        ({"policy": PolicySize(0, 8)}, "`--policy_blocks` must be >= 1"),
        ({"policy": PolicySize(3, 0)}, "`--policy_channels` must be >= 1"),
        ({"policy": PolicySize(40, 8)}, "may have 1024 .*--policy_blocks 40"),
    ],
)
def test_what_cannot_be_is_refused(small_world, tmp_path, options, message):
    with pytest.raises(ExportError, match=message):
        base_lib.export_base(
            **{
                "pipeline_config_path": small_world.base_config,
                "checkpoint_dir": small_world.base_checkpoint,
                "output_dir": str(tmp_path / "out"),
                "policy": _POLICY,
            }
            | options,
        )
    assert not (tmp_path / "out").exists()

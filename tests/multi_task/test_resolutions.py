"""One task at several image sizes: named, refused, trained, shipped."""

import json
import pathlib
import re

import numpy as np
import pytest

from object_detection_patch.checkpoints import merge
from object_detection_patch.multi_task import loop, resolutions, result
from object_detection_patch.od_api import (
    host_layers,
    input_size,
    pipeline_config,
    repeatable,
)
from object_detection_patch.patch_file import read_patch

_SIZES = [(96, 96), (64, 64)]
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


@pytest.fixture(scope="module")
def config(small_world):
    return small_world.config("stripes", "BN_PATCH", name="_sizes", num_steps=3)


@pytest.fixture(scope="module")
def both(config, tmp_path_factory):
    """(joint training of two sizes, its report, its model directory)."""
    import tensorflow as tf

    model_dir = str(tmp_path_factory.mktemp("sizes") / "run")
    tf.config.run_functions_eagerly(True)
    try:
        with repeatable.repeatable(3):
            joint = loop.train(
                resolutions.read_resolutions([config], _SIZES, None),
                model_dir,
                private=None,
                share_heads=True,
                steps=2,
                checkpoint_every_n=2,
                log_every_n=1,
                max_rate_ratio=2.0,
            )
    finally:
        tf.config.run_functions_eagerly(False)
    return joint, result.write(joint, model_dir), pathlib.Path(model_dir)


def test_a_task_for_each_size(config):
    read = resolutions.read_resolutions([config], [(96, 96), (64, 128)], None)
    assert [task.name for task in read] == [
        "stripes_BN_PATCH_sizes_96",
        "stripes_BN_PATCH_sizes_64x128",
    ]
    sizes = [input_size.fixed_size(task.pipeline, "") for task in read]
    assert sizes == [(96, 96), (64, 128)]
    assert len({task.digest() for task in read}) == 2


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([(96, 96)], "two sizes or more, each once. Received: 96."),
        ([(96, 96), (96, 96)], "each once. Received: 96 96."),
        (
            [(96, 96), (100, 100)],
            "multiples of 32, the largest stride of the levels that its FPN "
            "adds up, from 64 pixels. Received: 100 pixels (--resolutions).",
        ),
        ([(96, 96), (32, 32)], "from 64 pixels. Received: 32 pixels"),
        ([(96, 96), (64, 80)], "Received: 64x80 pixels (--resolutions)."),
    ],
)
def test_sizes_that_cannot_be(config, sizes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resolutions.read_resolutions([config], sizes, None)


def test_one_config_alone_has_resolutions(config, two_configs):
    with pytest.raises(ValueError, match="Received: 2 configs"):
        resolutions.read_resolutions(two_configs, _SIZES, None)


def test_a_config_of_no_fixed_size(config, tmp_path):
    text = pathlib.Path(config).read_text(encoding="utf-8")
    other = tmp_path / "other.config"
    other.write_text(
        re.sub(
            r"fixed_shape_resizer \{[^}]*\}",
            "keep_aspect_ratio_resizer { }",
            text,
        ),
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match="needs a `fixed_shape_resizer`"):
        resolutions.read_resolutions([str(other)], _SIZES, None)


def test_all_but_batch_norms_is_shared(both):
    one, other = (t.model.patch.hosts for t in both[0].trainers)
    theirs = other.base_tensors() | other.head_tensors()
    mine = one.base_tensors() | one.head_tensors()
    for name, variable in mine.items():
        is_norm = name.rsplit("/", 1)[-1] in _NORM
        assert (variable is theirs[name]) != is_norm, name
    assert any(name.startswith("class_head/") for name in mine)


def test_each_task_saw_images_of_its_size(both):
    """Statistics of two sizes differ; all of both models has moved."""
    one, other = (t.model.patch.hosts.base_tensors() for t in both[0].trainers)
    for name in one:
        if name.endswith("moving_mean"):
            assert not np.array_equal(one[name], other[name]), name


def test_each_patch_makes_the_detector_of_its_size(both, tmp_path):
    import tensorflow as tf

    joint, report, model_dir = both
    base = model_dir / "trained" / "base"
    for trainer, size in zip(joint.trainers, _SIZES, strict=True):
        output = tmp_path / trainer.name
        merged = merge.merge(
            base_config=str(base / "pipeline.config"),
            base_checkpoint=str(base),
            patch=read_patch(report["tasks"][trainer.name]["patch"]),
            output_dir=str(output),
        )
        written = pipeline_config.read_pipeline(str(output / "pipeline.config"))
        assert input_size.fixed_size(written, "") == size
        image = tf.random.stateless_uniform([1, 80, 70, 3], [1, 2], 0, 255)
        outputs = [_outputs(m, image) for m in (merged, trainer.model)]
        assert outputs[0].shape[1] == _anchors(size)
        np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)


def _outputs(model, image):
    from object_detection_patch.od_api import base_model

    base_model.set_training(model, False)
    images, shapes = model.preprocess(image)
    found = model.predict(images, shapes)
    return found["class_predictions_with_background"].numpy()


def _anchors(size):
    """Six to a cell, of levels 3 to 7, each half of the one before."""
    cells = 0
    height, width = (side // 8 for side in size)
    for _ in range(5):
        cells += height * width
        height, width = -(-height // 2), -(-width // 2)
    return 6 * cells


def test_the_report_tells_sizes_and_heads(both):
    _, report, model_dir = both
    kept = json.loads(
        (model_dir / "trained" / "tasks.json").read_text(encoding="utf-8")
    )
    assert kept == report
    assert report["heads"] == "shared"
    sizes = [task["image_size"] for task in report["tasks"].values()]
    assert sizes == [[96, 96], [64, 64]]
    base = pipeline_config.read_pipeline(
        str(model_dir / "trained" / "base" / "pipeline.config")
    )
    assert input_size.fixed_size(base, "") == (96, 96)


def test_the_base_has_one_fingerprint_at_any_size(small_world):
    found = set()
    for side in (64, 96, 160):
        model = small_world.unpatched_model(
            image_resizer__fixed_shape_resizer__height=side,
            image_resizer__fixed_shape_resizer__width=side,
        )
        hosts = host_layers.find_ssd_hosts(model)
        found.add(
            tuple(
                (name, tuple(v.shape))
                for name, v in (
                    hosts.base_tensors() | hosts.head_tensors()
                ).items()
            )
        )
    assert len(found) == 1


def test_it_goes_on_with_the_same_heads_only(both, config):
    _, _, model_dir = both
    with pytest.raises(ValueError, match="heads shared then, private now"):
        loop.train(
            resolutions.read_resolutions(
                [config], _SIZES, None, share_heads=False
            ),
            str(model_dir),
            private=None,
            steps=2,
            checkpoint_every_n=2,
            log_every_n=1,
            max_rate_ratio=2.0,
        )


def test_all_may_be_shared(config, tmp_path):
    """The second column of Table 5: nothing is a task's own."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        joint = loop.Joint(
            resolutions.read_resolutions([config], _SIZES, "none"),
            private="none",
            share_heads=True,
            steps=2,
            max_rate_ratio=2.0,
        )
        losses, stopped = joint.take_step()
    finally:
        tf.config.run_functions_eagerly(False)
    assert len(losses) == 2 and not stopped
    one, other = (t.model.patch.hosts for t in joint.trainers)
    theirs = other.base_tensors() | other.head_tensors()
    for name, variable in (one.base_tensors() | one.head_tensors()).items():
        assert variable is theirs[name], name

"""The whole way: a base published, patches applied, against direct export.

The oracle is the converter itself, run on the merged model.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from flatbuffers import flexbuffers
from google.protobuf import text_format

from object_detection_patch import tflite
from object_detection_patch.checkpoints import merge, ordinary
from object_detection_patch.export import base as base_lib
from object_detection_patch.export import (
    comparison,
    release,
    restored,
    runtime,
)
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.od_api import (
    evaluation,
    export_tflite,
    input_size,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    FingerprintError,
    LabelMapItem,
    Patch,
    Release,
    Replace,
    read_patch,
    write_patch,
)
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.labels import read_labels
from object_detection_patch.tflite.layout import base_places
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.model_metadata import read_metadata

# The converter warns of what it does not keep.
pytestmark = pytest.mark.filterwarnings("ignore")


def _direct(base, patch, folder, precision="float32", calibration=None):
    """The merged model through the OD API's exporter and the converter."""
    pipeline, model = _merged(base, patch, folder)
    items = [(i.id, i.name, i.display_name) for i in patch.label_map]
    checkpoint = folder / "merged"
    checkpoint.mkdir()
    ordinary.write_model(str(checkpoint), model, pipeline, items)
    saved_model = export_tflite.export_saved_model(
        pipeline, str(checkpoint), str(folder / "out"), max_detections=10
    )
    return export_tflite.convert(saved_model, precision, calibration)


def _merged(base, patch, folder):
    pipeline = merge.task_pipeline(
        str(base / "checkpoint" / "pipeline.config"), patch, str(folder)
    )
    prefix = str(base / "checkpoint" / "ckpt-0")
    return pipeline, merge.merged_model(pipeline, prefix, patch)


def _raw(model, seed=0):
    image = np.random.default_rng(seed).uniform(-1, 1, (96, 96, 3))
    runner = runtime.Runtime(model, keep_tensors=True)
    return runner.raw_outputs(image.astype(np.float32))


def _difference(found, wanted):
    return max(
        float(np.abs(one - other).max())
        for one, other in zip(found, wanted, strict=True)
    )


def test_the_base_is_the_keras_model_and_says_what_it_is(export_base):
    base = export_base("float32")
    report = (base / "report.txt").read_text()
    assert "75 kernels found in 91 copies" in report
    assert "8 classes, tasks of up to 20" in report
    model = (base / "base.tflite").read_bytes()
    sidecar = tflite.read_sidecar(base / "base.odpatch")
    assert sidecar.base_sha256 == hashlib.sha256(model).hexdigest()
    assert len(read_labels(model)) == 8
    metadata = read_metadata(model)["subgraph_metadata"][0]
    names = [out["name"] for out in metadata["output_tensor_metadata"]]
    assert names[:3] == ["location", "category", "score"]
    assert sorted(path.name for path in base.iterdir()) == sorted(
        ["base.odpatch", "base.tflite", "checkpoint", "report.txt"]
    )


def test_two_kernels_taken_for_each_other_are_seen(export_base):
    folder = export_base("float32")
    base = _restored(folder)
    exported = (folder / "base.tflite").read_bytes()
    found = _compared(exported, base, precision="float32")
    assert found.largest < 1e-5
    with pytest.raises(ExportError, match="of the largest"):
        _compared(_wrongly_mapped(folder, base), base, precision="float32")


@pytest.mark.slow
def test_two_kernels_taken_for_each_other_are_seen_in_int8(
    export_base, small_world, tmp_path
):
    records = str(small_world.files["shapes"].train)
    folder = export_base("int8", calibration_records=records)
    base = _restored(folder)
    images = runtime.inputs(base.pipeline, [records], base.normalisation, 100)
    saved_model = export_tflite.export_saved_model(
        base.pipeline, str(folder / "checkpoint"), str(tmp_path)
    )
    options = {
        "precision": "int8",
        "images": images,
        "converted": export_tflite.convert(
            saved_model, "int8", lambda: (image[None] for image in images)
        ),
    }
    exported = (folder / "base.tflite").read_bytes()
    found = _compared(exported, base, **options)
    assert 0.9 < found.ratio < 1.1
    told = f"by {found.largest:.1e} of the largest, on average "
    assert told + f"{found.ratio:.2f}" in (folder / "report.txt").read_text()
    with pytest.raises(ExportError, match="within 1.25 times"):
        _compared(_wrongly_mapped(folder, base), base, **options)


def _restored(folder):
    config = str(folder / "checkpoint" / "pipeline.config")
    pipeline = pipeline_config.read_pipeline(config)
    return restored.restore(pipeline, str(folder / "checkpoint"))


def _compared(exported, base, **options):
    return comparison.checked_difference(
        exported, base.model, extractor="net", **options
    )


def _wrongly_mapped(folder, base):
    """The base as if two kernels of one shape had been taken for each other.

    Made by a patch, because that is how a base is filled.
    """
    model = (folder / "base.tflite").read_bytes()
    sidecar = tflite.read_sidecar(folder / "base.odpatch")
    tensors = base.tensors()
    first, second = (
        name for name in tensors if re.search("block_[23]_depthwise/", name)
    )
    replaced = {name: tensors[name] for name in base.hosts.head_tensors()}
    replaced |= {first: tensors[second], second: tensors[first]}
    ranges = Graph(model).ranges()
    patch = Patch(
        "TEST",
        sidecar.base_fingerprint,
        tuple(Replace(name, value) for name, value in replaced.items()),
        tuple(LabelMapItem(*item) for item in base.items),
        releases=(Release(sidecar.base_sha256, "0" * 64, ranges),),
    )
    return bytes(
        patched_model(memoryview(model), sidecar, patch, fit(sidecar, patch))
    )


@pytest.mark.slow
def test_regular_nms_finds_what_the_keras_model_finds(export_base, small_world):
    folder = export_base("float32", regular_nms=True)
    fast = (export_base("float32") / "base.tflite").read_bytes()
    model = (folder / "base.tflite").read_bytes()
    assert _post_processing(model)["use_regular_nms"]
    assert not _post_processing(fast)["use_regular_nms"]
    assert _post_processing(model)["max_detections"] == 10
    base = _restored(folder)
    for image in small_world.images(3).astype(np.uint8):
        _, scores, classes = evaluation.detect_image(base.model, image)
        given = base.normalisation.apply(image)
        _, mine, its = runtime.Runtime(model).detect(given)
        np.testing.assert_allclose(its, scores[:10], atol=1e-4)
        np.testing.assert_array_equal(mine + 1, classes[:10])


def _post_processing(model):
    """The options of the operation that ends a model."""
    options = Graph(model).subgraph.operators[-1].customOptions
    return flexbuffers.Loads(bytes(bytearray(options)))


@pytest.mark.parametrize("classes", [8, 3, 14])
def test_a_patched_base_is_the_merged_model(
    export_base, write_task, tmp_path, classes
):
    """3 classes: the converter merges two shapes there; 8 are the base's."""
    base = export_base("float32")
    path = write_task(base, classes)
    output = tmp_path / "task.tflite"
    applied = tflite.apply(base / "base.tflite", path, output)
    assert (applied.classes, applied.verified) == (classes, False)
    model = output.read_bytes()
    boxes, scores = _raw(model)
    assert scores.shape[-1] == classes + 1
    _, merged = _merged(base, read_patch(path), tmp_path)
    assert comparison.raw_difference(model, merged) < 1e-5
    assert read_labels(model) == [f"class {n + 1}" for n in range(classes)]
    found, _, _ = runtime.Runtime(model).detect(np.zeros((96, 96, 3), "f4"))
    assert found.shape == (10, 4)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [3, 14])
def test_a_patched_base_is_what_the_converter_makes(
    export_base, write_task, tmp_path, classes
):
    base = export_base("float32")
    path = write_task(base, classes)
    model = tflite.apply_bytes(
        (base / "base.tflite").read_bytes(),
        (base / "base.odpatch").read_bytes(),
        path.read_bytes(),
    )
    direct = _direct(base, read_patch(path), tmp_path)
    assert _difference(_raw(model), _raw(direct)) < 1e-4


@pytest.mark.slow
def test_one_base_for_two_sizes_is_each_of_them(
    export_base, write_task, small_world, tmp_path
):
    """Against an export at the other size alone, from the same checkpoint."""
    both = export_base("float32", resolutions=((96, 96), (64, 64)))
    pipeline = pipeline_config.read_pipeline(small_world.base_config)
    config = tmp_path / "small.config"
    config.write_text(
        text_format.MessageToString(input_size.with_size(pipeline, (64, 64)))
    )
    alone = tmp_path / "alone"
    base_lib.export_base(
        pipeline_config_path=str(config),
        checkpoint_dir=small_world.base_checkpoint,
        output_dir=str(alone),
        max_classes=20,
    )
    one = (export_base("float32") / "base.tflite").read_bytes()
    assert (both / "base.tflite").read_bytes() == one
    (size,) = tflite.read_sidecar(both / "base.odpatch").sizes
    small = (alone / "base.tflite").read_bytes()
    assert size.base_sha256 == hashlib.sha256(small).hexdigest()
    assert "Patches for 64 x 64 pixels" in (both / "report.txt").read_text()

    patch = read_patch(write_task(both, 14))
    patch = dataclasses.replace(
        patch, metadata={"training": {"image_size": [64, 64]}}
    )
    path = tmp_path / "task.patch"
    write_patch(path, patch)
    models = []
    for folder in (both, alone):
        base = str(folder / "base.tflite")
        released, model = tmp_path / "r.patch", tmp_path / "task.tflite"
        release.publish(
            patch=str(path),
            bases=[base],
            output=str(released),
            records=release.TaskRecords(),
        )
        assert tflite.apply(base, released, model).verified
        models.append(model.read_bytes())
    assert models[0] == models[1]
    assert runtime.Runtime(models[0]).image_size == (64, 64)


@pytest.mark.slow
def test_float16_is_near(export_base, write_task, tmp_path):
    base = export_base("float16")
    path = write_task(base, 14)
    model = tflite.apply_bytes(
        (base / "base.tflite").read_bytes(),
        (base / "base.odpatch").read_bytes(),
        path.read_bytes(),
    )
    direct = _direct(base, read_patch(path), tmp_path)
    # Boxes and class scores. Both the base and the result round to 11 bits.
    for found, wanted in zip(_raw(model), _raw(direct), strict=True):
        assert np.ptp(wanted) > 0.1
        assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


@pytest.mark.slow
def test_int8_is_as_near_as_direct_quantisation(
    export_base, write_task, small_world, tmp_path
):
    records = str(small_world.files["shapes"].train)
    base = export_base("int8", calibration_records=records)
    path = write_task(base, 14)
    published = tmp_path / "released.patch"
    result = release.publish(
        patch=str(path),
        bases=[str(base / "base.tflite")],
        output=str(published),
        encoding="exact",
        records=release.TaskRecords(
            pipeline_config_path=str(base / "checkpoint" / "pipeline.config"),
            checkpoint_dir=str(base / "checkpoint"),
            calibration=records,
        ),
    )
    output = tmp_path / "task.tflite"
    applied = tflite.apply(base / "base.tflite", published, output)
    assert applied.verified
    assert applied.sha256 == result.results[0].sha256
    patch = read_patch(path)
    pipeline, _ = _merged(base, patch, tmp_path)
    model = output.read_bytes()
    inputs = runtime.inputs(pipeline, [records], of_model(model), 100)
    direct = _direct(
        base, patch, tmp_path, "int8", lambda: (i[None] for i in inputs)
    )
    exact = _raw(_direct(base, patch, _made(tmp_path / "exact")))
    # Boxes and class scores.
    for found, others, wanted in zip(
        _raw(model), _raw(direct), exact, strict=True
    ):
        ours = np.abs(found - wanted).mean()
        theirs = np.abs(others - wanted).mean()
        assert 0 < ours < 1.5 * theirs
    assert Graph(model).ranges() == Graph(direct).ranges()


@pytest.mark.slow
def test_a_snapped_base_holds_the_steps_of_its_checkpoint(
    export_base, small_world
):
    """So only what a task changes is rounded again."""
    records = str(small_world.files["shapes"].train)
    base = export_base("int8", calibration_records=records, snap=True)
    assert "71 kernels were rounded" in (base / "report.txt").read_text()
    checkpoint = tf.train.load_checkpoint(str(base / "checkpoint" / "ckpt-0"))
    kernels = {
        array.shape: array
        for name in checkpoint.get_variable_to_shape_map()
        if "OPTIMIZER" not in name
        and (array := checkpoint.get_tensor(name)).ndim == 4
    }
    sidecar = tflite.read_sidecar(base / "base.odpatch")
    model = (base / "base.tflite").read_bytes()
    places = base_places(sidecar)
    compared = 0
    for kernel in sidecar.kernels:
        # Shapes that occur once need no names to be told apart.
        same = [k for k in sidecar.kernels if k.shape == kernel.shape]
        if len(same) > 1 or kernel.form or "head" in kernel.name:
            continue
        place = places[kernel.copies[0].weights]
        steps = np.frombuffer(model[place.start : place.end], np.int8)
        values = kernels[kernel.shape].transpose(3, 0, 1, 2)
        values = values.reshape(kernel.channels, -1)
        wanted = values / (np.abs(values).max(axis=1, keepdims=True) / 127)
        np.testing.assert_allclose(wanted, np.rint(wanted), atol=1e-3)
        np.testing.assert_array_equal(
            np.abs(steps), np.abs(np.rint(wanted)).ravel()
        )
        compared += 1
    assert compared > 5


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    return folder


def test_publish_states_the_result(export_base, write_task, tmp_path):
    base = export_base("float32")
    path = write_task(base, 14)
    published = tmp_path / "released.patch"
    result = release.publish(
        patch=str(path),
        bases=[str(base / "base.tflite")],
        output=str(published),
        records=release.TaskRecords(),
        name="Fourteen",
    )
    assert published.stat().st_size == result.file_bytes
    assert result.file_bytes < path.stat().st_size / 2
    output = tmp_path / "task.tflite"
    applied = tflite.apply(base / "base.tflite", published, output)
    assert applied.verified
    assert result.results[0].sha256 in release.report(result)
    of_base = read_metadata((base / "base.tflite").read_bytes())
    metadata = read_metadata(output.read_bytes())
    assert metadata == of_base | {"name": "Fourteen"}
    with pytest.raises(release.PublishError, match="wrote, for all of its"):
        release.publish(
            patch=str(published),
            bases=[str(base / "base.tflite")],
            output=str(tmp_path / "again.patch"),
            records=release.TaskRecords(),
        )


def test_publish_refuses_before_work(export_base, write_task, tmp_path):
    base = export_base("float32")
    path = write_task(base, 14)
    other = read_patch(path)
    strange = tmp_path / "strange.patch"
    object.__setattr__(other, "base_fingerprint", "ab" * 32)
    write_patch(strange, other)
    output = tmp_path / "out.patch"

    def publish(patch, bases=1, **records):
        release.publish(
            patch=str(patch),
            bases=[str(base / "base.tflite")] * bases,
            output=str(output),
            records=release.TaskRecords(**records),
        )

    with pytest.raises(FingerprintError, match="abababab"):
        publish(strange)
    with pytest.raises(release.PublishError, match="Each base is given once"):
        publish(path, bases=2)
    with pytest.raises(release.PublishError, match="--pipeline_config_path"):
        publish(path, evaluation="x.record")
    with pytest.raises(release.PublishError, match="must not replace a file"):
        release.publish(
            patch=str(path),
            bases=[str(base / "base.tflite")],
            output=str(base / "base.tflite"),
            records=release.TaskRecords(),
        )
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_classes": 7}, "must cover the base's own classes, 8.*: 7"),
        ({"resolutions": [(64, 64)]}, "own is one of them, 96: .*: 64"),
        ({"resolutions": [(96, 96)] * 2}, "each once.* Received: 96 96"),
        ({"resolutions": [(96, 96), (64, 80)]}, "must be multiples of 32"),
        (
            {"resolutions": [(96, 96), (64, 64)], "precision": "int8"},
            "are for float32 and float16",
        ),
        (
            {
                "resolutions": [(96, 96), (64, 64)],
                "policy": PolicySize(3, 8),
            },
            "A routing base has one input size",
        ),
        ({"max_classes": 2**16 + 1}, "`--max_classes` may be 65536.*: 65537"),
        ({"precision": "int8"}, "int8 needs `--calibration_records`"),
        (
            {"precision": "int8", "calibration_records": "/none-such*"},
            "must be TFRecord files.*'/none-such\\*'",
        ),
        ({"eval_records": os.devnull}, "`--eval_records` must hold images"),
    ],
)
def test_export_refuses_before_work(small_world, tmp_path, options, message):
    folder = tmp_path / "out"
    with pytest.raises(ValueError, match=message):
        base_lib.export_base(
            pipeline_config_path=small_world.base_config,
            checkpoint_dir=small_world.base_checkpoint,
            output_dir=str(folder),
            **options,
        )
    assert not folder.exists()


def test_export_refuses_a_filled_folder(small_world, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps({}))
    with pytest.raises(ValueError, match="must be new or empty"):
        base_lib.export_base(
            pipeline_config_path=small_world.base_config,
            checkpoint_dir=small_world.base_checkpoint,
            output_dir=str(tmp_path),
        )

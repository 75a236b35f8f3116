"""Checkpoints and converted models; the part that needs TensorFlow."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any

import numpy as np
import phone_weights
from PIL import Image

from object_detection_patch import recipes
from object_detection_patch.checkpoints import merge, ordinary
from object_detection_patch.export import base as base_lib
from object_detection_patch.export import runtime
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    export_tflite,
    host_layers,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    read_patch,
    whole_folder,
)
from tfrecords_tools import tf_example, writer

_BASE_CLASSES = 90
_TASK_CLASSES = 20
_CALIBRATION_IMAGES = 4


def write_checkpoint(
    folder: pathlib.Path, architecture: recipes.BaseArchitecture
) -> None:
    """A base as training leaves it: checkpoint, config, label map."""
    items = _items(_BASE_CLASSES)
    text = recipes.pipeline_text(
        architecture,
        recipes.TaskData(_BASE_CLASSES, "unused", "unused", "unused"),
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=1,
        batch_size=1,
    )
    pipeline = pipeline_config.parse_pipeline(text, architecture.key)
    ordinary.point_at(pipeline, str(folder))
    model, _ = _filled(pipeline)
    with whole_folder.whole_directory(str(folder)) as beside:
        ordinary.write_model(beside, model, pipeline, items)
        _write_images(
            os.path.join(beside, "images.record"), architecture.image_size
        )


def publish_base(
    checkpoint: pathlib.Path, folder: pathlib.Path, precision: str
) -> None:
    """base.tflite and base.odpatch."""
    base_lib.export_base(
        pipeline_config_path=str(checkpoint / "pipeline.config"),
        checkpoint_dir=str(checkpoint),
        output_dir=str(folder),
        precision=precision,
        calibration_records=str(checkpoint / "images.record"),
        calibration_images=_CALIBRATION_IMAGES,
    )


def synthetic_patch(
    checkpoint: pathlib.Path, fingerprint: str, gates: str
) -> Patch:
    """What extract would write after training: exact, for no base file yet."""
    pipeline = _pipeline(checkpoint)
    _, hosts = _filled(pipeline)
    pipeline.model.ssd.num_classes = _TASK_CLASSES
    task = base_model.build_model(pipeline.model, is_training=False)
    heads = host_layers.find_ssd_hosts(task).head_tensors()
    edits = phone_weights.patch_edits(
        hosts,
        {name: tuple(variable.shape) for name, variable in heads.items()},
        gates,
    )
    labels = tuple(LabelMapItem(*item) for item in _items(_TASK_CLASSES))
    return Patch("SPOTPATCH", fingerprint, tuple(edits), labels)


def merge_patch(
    checkpoint: pathlib.Path, patch: pathlib.Path, folder: pathlib.Path
) -> None:
    """An ordinary checkpoint of the patched model."""
    merge.merge(
        base_config=str(checkpoint / "pipeline.config"),
        base_checkpoint=str(checkpoint),
        patch=read_patch(str(patch)),
        output_dir=str(folder),
    )


def direct_export(
    merged: pathlib.Path, images: pathlib.Path, base: bytes, precision: str
) -> bytes:
    """What the converter makes of a checkpoint.

    Args:
      merged: an ordinary checkpoint of a base or of a patched model.
      images: TFRecord file, for int8.
      base: a published base, whose normalisation of images holds for all.
    """
    pipeline = _pipeline(merged)
    exported = merged / "export"
    if not (exported / "saved_model").exists():
        export_tflite.export_saved_model(
            pipeline,
            str(merged),
            str(exported),
            max_detections=export_tflite.MAX_DETECTIONS,
        )
    inputs = runtime.inputs(
        pipeline, [str(images)], of_model(base), _CALIBRATION_IMAGES
    )
    return export_tflite.convert(
        str(exported / "saved_model"),
        precision,
        lambda: (image[None] for image in inputs),
    )


def activations(model: bytes) -> tuple[tuple[float, int], ...]:
    """Scale and zero point of each activation, in the published order."""
    return Graph(model).ranges()


def _pipeline(checkpoint: pathlib.Path) -> Any:
    return pipeline_config.read_pipeline(str(checkpoint / "pipeline.config"))


def _filled(pipeline: Any) -> tuple[Any, Hosts]:
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    phone_weights.fill_base(hosts)
    return model, hosts


def _items(number: int) -> list[tuple[int, str, str]]:
    return [(i, f"class_{i}", f"Class {i}") for i in range(1, number + 1)]


def _write_images(path: str, size: int) -> None:
    """Clouds of several sizes: inputs that vary as photographs do."""
    random = np.random.default_rng(0)
    with open(path, "wb") as file:
        for _ in range(_CALIBRATION_IMAGES):
            example = tf_example.example_class()()
            feature = example.features.feature
            feature["image/encoded"].bytes_list.value.append(
                _clouds(random, size)
            )
            feature["image/format"].bytes_list.value.append(b"jpeg")
            payload = example.SerializeToString(deterministic=True)
            file.write(writer.frame(payload))


def _clouds(random: np.random.Generator, size: int) -> bytes:
    """A JPEG."""
    pixels = np.zeros((size, size, 3))
    for cells in (4, 16, 64):
        coarse = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(coarse).resize((size, size))
        pixels += np.asarray(layer) / 3
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()

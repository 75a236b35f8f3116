"""A run's patch, published, applied as a phone would, run in LiteRT."""

from __future__ import annotations

import pathlib

from object_detection_patch import tflite
from object_detection_patch.decathlon.running import accuracy
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.record import OnPhone
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.export import release
from object_detection_patch.export.exported_base import MODEL_FILE
from object_detection_patch.od_api import pipeline_config

# Ranges of activations settle on far fewer images than weights do.
CALIBRATION_IMAGES = 50


def measure(
    folder: Folder, run: Run, patch: pathlib.Path, precision: str
) -> OnPhone:
    """Publishes a patch for one base and evaluates what a phone makes of it.

    Args:
      patch: the exact patch file.
      precision: `float32` or `int8`, a published precision of the base.
    """
    base = str(folder.published(run.base, precision) / MODEL_FILE)
    checkpoint = folder.checkpoint(run.base)
    config = str(checkpoint / "pipeline.config")
    published = patch.with_name(f"{precision}.patch")
    model = patch.with_name(f"{precision}.tflite")
    release.publish(
        patch=str(patch),
        bases=[base],
        output=str(published),
        records=release.TaskRecords(
            pipeline_config_path=config,
            checkpoint_dir=str(checkpoint),
            calibration=folder.path(run.task.train_records),
            calibration_images=CALIBRATION_IMAGES,
        ),
        name=run.task.name,
    )
    tflite.apply(base, str(published), str(model))
    found = accuracy.in_litert(
        folder,
        run.task,
        model.read_bytes(),
        pipeline_config.read_pipeline(config),
    )
    return OnPhone(
        patch_bytes=published.stat().st_size,
        model_bytes=model.stat().st_size,
        accuracy=found,
    )

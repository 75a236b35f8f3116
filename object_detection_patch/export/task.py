"""A patch's task: its records, and the patched Keras model where needed."""

from __future__ import annotations

import dataclasses
import glob
import tempfile
from typing import Any

from object_detection_patch.checkpoints import extract, merge, ordinary
from object_detection_patch.export import runtime
from object_detection_patch.export.activations import calibrated
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.patch_file import Patch


@dataclasses.dataclass(frozen=True)
class TaskRecords:
    """How the task's own images are found and measured.

    Args:
      pipeline_config_path, checkpoint_dir: of the published base.
      calibration, evaluation: TFRecord patterns, or None.
    """

    pipeline_config_path: str | None = None
    checkpoint_dir: str | None = None
    calibration: str | None = None
    calibration_images: int = 100
    evaluation: str | None = None

    def files(self) -> list[str]:
        """The files that these name, but for those of a checkpoint."""
        patterns = (
            self.pipeline_config_path,
            self.calibration,
            self.evaluation,
        )
        return [
            path
            for pattern in patterns
            if pattern
            for path in (pattern, *glob.glob(pattern))
        ]


class Task:
    """What is measured with the task's records.

    Args:
      patch: with the numbers that phones will read.
      folder: to write a config and label map into.
    """

    def __init__(self, patch: Patch, records: TaskRecords, folder: str) -> None:
        self._patch = patch
        self._records = records
        self._folder = folder
        self._pipeline: Any = None

    def activations(self, draft: bytes) -> tuple[tuple[float, int], ...]:
        """Ranges of the patched model, by the converter's calibration.

        Args:
          draft: the patched int8 model, its ranges yet to come.
        """
        pipeline = self._merged_pipeline()
        records = self._records
        inputs = runtime.inputs(
            pipeline,
            [str(records.calibration)],
            of_model(draft),
            records.calibration_images,
        )
        model = merge.merged_model(
            pipeline,
            extract.find_checkpoint(str(records.checkpoint_dir)),
            self._patch,
        )
        items = [
            (item.id, item.name, item.display_name)
            for item in self._patch.label_map
        ]
        with tempfile.TemporaryDirectory() as folder:
            ordinary.write_model(folder, model, pipeline, items)
            return calibrated(
                pipeline, folder, f"{folder}/export", inputs, published=draft
            ).ranges

    def accuracy(self, model: bytes) -> float | None:
        """mAP@0.5 of a patched model, if there is anything to measure on."""
        if not self._records.evaluation:
            return None
        return runtime.mean_average_precision(
            model,
            self._merged_pipeline(),
            [self._records.evaluation],
            runtime.label_map_file(self._patch.label_map, self._folder),
        )

    def _merged_pipeline(self) -> Any:
        if self._pipeline is None:
            self._pipeline = merge.task_pipeline(
                str(self._records.pipeline_config_path),
                self._patch,
                self._folder,
            )
        return self._pipeline

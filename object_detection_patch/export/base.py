"""od-patch export-base: checkpoint -> base.tflite, sidecar, checkpoint."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Any

import numpy as np

from object_detection_patch.checkpoints import extract, ordinary
from object_detection_patch.export import (
    base_options,
    comparison,
    mending,
    runtime,
    structure,
)
from object_detection_patch.export.activations import calibrated
from object_detection_patch.export.base_options import Options
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.exported_base import (
    CHECKPOINT_FOLDER,
    MODEL_FILE,
    SIDECAR_FILE,
    ExportedBase,
    report,
)
from object_detection_patch.export.normalisation import (
    Normalisation,
    measured,
)
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.publishing import (
    Published,
    Structure,
    fill,
)
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    export_tflite,
    host_layers,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite.model_metadata import detector_metadata
from object_detection_patch.tflite.sidecar import INT8

__all__ = ["ExportError", "ExportedBase", "export_base", "report"]

_STEPS = 6


@dataclasses.dataclass(frozen=True)
class _Base:
    """A restored base, its label map and how it wants its pixels.

    Args:
      items: (id, name, display name) of each class.
      map_path: a label map file of these items.
    """

    pipeline: Any
    model: Any
    hosts: Hosts
    items: list[tuple[int, str, str]]
    map_path: str
    normalisation: Normalisation


def export_base(
    *,
    pipeline_config_path: str,
    checkpoint_dir: str,
    output_dir: str,
    precision: str = "float32",
    calibration_records: str | None = None,
    calibration_images: int = 100,
    max_classes: int = 1000,
    max_detections: int = export_tflite.MAX_DETECTIONS,
    eval_records: str | None = None,
    snap: bool = False,
) -> ExportedBase:
    """Publishes a base: tasks are trained on the checkpoint that it writes.

    Args:
      pipeline_config_path: of the base; a patch in it is ignored.
      checkpoint_dir: directory or prefix of the base's checkpoint.
      output_dir: new or empty; gets base.tflite, base.odpatch, checkpoint/.
      precision: float32, float16 or int8.
      calibration_records: TFRecord pattern; read for int8 alone.
      calibration_images: the most images of it to use.
      max_classes: the most classes that a task's patch may have.
      max_detections: of the post-processing op.
      eval_records: TFRecord pattern on which each stage's mAP is measured.
      snap: round the kernels to the int8 grid before publishing.

    Raises:
      ValueError: for a config, checkpoint or option that does not fit.
    """
    options = Options(
        precision,
        calibration_records,
        calibration_images,
        max_classes,
        max_detections,
        eval_records,
        snap,
    )
    ordinary.refuse_filled(output_dir)
    pipeline = pipeline_config.without_patch(
        pipeline_config.read_pipeline(pipeline_config_path)
    )
    base_options.check(pipeline, options)
    steps = Steps(_STEPS)
    steps.begin("restoring the base")
    base = _restored(pipeline, checkpoint_dir)
    accuracy = _keras_accuracy("before", base, options)
    mended = mending.mend(base.hosts, precision, snap=snap)
    accuracy |= _keras_accuracy("published checkpoint", base, options)
    ordinary.point_at(pipeline, _checkpoint_dir(output_dir))
    with ordinary.whole_directory(output_dir) as folder:
        found, published = _published(base, folder, options, steps)
        steps.begin("checking the result")
        difference = comparison.checked_difference(
            published.model,
            base.model,
            precision=precision,
            extractor=pipeline.model.ssd.feature_extractor.type,
        )
        accuracy |= _exported_accuracy(published, base, options)
        sidecar_bytes = _write_files(folder, published)
    sidecar = published.sidecar
    return ExportedBase(
        output_dir=output_dir,
        precision=precision,
        fingerprint=sidecar.base_fingerprint,
        model_bytes=len(published.model),
        sidecar_bytes=sidecar_bytes,
        classes=sidecar.classes,
        capacity=sidecar.capacity,
        kernels=len(sidecar.kernels),
        copies=sum(len(kernel.copies) for kernel in sidecar.kernels),
        raised_channels=mended.raised_channels,
        snapped_kernels=mended.snapped_kernels,
        margin=found.margin,
        difference=difference,
        accuracy=accuracy,
    )


def _checkpoint_dir(output_dir: str) -> str:
    return os.path.join(output_dir, CHECKPOINT_FOLDER)


def _restored(pipeline: Any, checkpoint_dir: str) -> _Base:
    items, map_path = label_map.common_label_map(pipeline)
    label_map.check_num_classes(items, pipeline.model.ssd.num_classes, map_path)
    checkpoint = extract.find_checkpoint(checkpoint_dir)
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(model, hosts, checkpoint, checkpoint_type="full")
    return _Base(pipeline, model, hosts, items, map_path, measured(model))


def _keras_accuracy(
    stage: str, base: _Base, options: Options
) -> dict[str, float]:
    if not options.eval_records:
        return {}
    return {
        stage: comparison.keras_map(
            base.model, options.eval_records, base.map_path
        )
    }


def _exported_accuracy(
    published: Published, base: _Base, options: Options
) -> dict[str, float]:
    if not options.eval_records:
        return {}
    return {
        MODEL_FILE: runtime.mean_average_precision(
            published.model,
            base.pipeline,
            [options.eval_records],
            base.map_path,
        )
    }


def _published(
    base: _Base, folder: str, options: Options, steps: Steps
) -> tuple[Structure, Published]:
    """Writes the checkpoint and makes the model of it."""
    checkpoint = _checkpoint_dir(folder)
    os.makedirs(checkpoint)
    ordinary.write_model(checkpoint, base.model, base.pipeline, base.items)
    found = structure.find(
        base.pipeline,
        precision=options.precision,
        capacity=options.max_classes,
        max_detections=options.max_detections,
        steps=steps,
    )
    activations = []
    if options.precision == INT8:
        steps.begin("measuring activations")
        activations = _activations(base, checkpoint, found, options)
    else:
        steps.begin("filling")
    return found, _filled(base, found, activations)


def _activations(
    base: _Base, checkpoint: str, found: Structure, options: Options
) -> list[tuple[float, int]]:
    inputs = runtime.inputs(
        base.pipeline,
        [str(options.calibration_records)],
        base.normalisation,
        options.calibration_images,
    )
    with tempfile.TemporaryDirectory() as folder:
        return calibrated(
            base.pipeline,
            checkpoint,
            folder,
            inputs,
            codes=found.codes,
            max_detections=options.max_detections,
        )


def _filled(
    base: _Base, found: Structure, activations: list[tuple[float, int]]
) -> Published:
    norms = base.hosts.batch_norms
    return fill(
        found,
        tensors=_tensors(base.hosts),
        epsilons={host.name: host.layer.epsilon for host in norms},
        label_map=[LabelMapItem(*item) for item in base.items],
        metadata=_metadata(base),
        activations=activations,
    )


def _tensors(hosts: Hosts) -> dict[str, np.ndarray]:
    """Stable name -> value of base and heads."""
    variables = hosts.base_tensors() | hosts.head_tensors()
    return {name: variable.numpy() for name, variable in variables.items()}


def _metadata(base: _Base) -> bytes:
    size = base.pipeline.model.ssd.image_resizer.fixed_shape_resizer
    return detector_metadata(
        name="SSD object detector",
        # Of no task in particular: patches keep it unless they bring their own.
        description="Detects the objects that labelmap.txt names.",
        image_size=(size.height, size.width),
        mean=base.normalisation.mean,
        std=base.normalisation.std,
    )


def _write_files(folder: str, published: Published) -> int:
    """Writes model and sidecar; returns the bytes of the sidecar."""
    sidecar = published.sidecar_bytes
    _write(os.path.join(folder, MODEL_FILE), published.model)
    _write(os.path.join(folder, SIDECAR_FILE), sidecar)
    return len(sidecar)


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

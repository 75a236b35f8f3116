"""od-patch export-base: checkpoint -> base.tflite, sidecar, checkpoint."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.checkpoints import extract, ordinary
from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export import runtime, structure
from object_detection_patch.export.activations import calibrated
from object_detection_patch.export.gammas import raise_small
from object_detection_patch.export.normalisation import (
    Normalisation,
    measured,
)
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.publishing import (
    Published,
    Structure,
    fill,
    norm_of,
)
from object_detection_patch.export.snap import snapped
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    evaluation,
    host_layers,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite.model_metadata import detector_metadata
from object_detection_patch.tflite.patcher import SIDECAR_SUFFIX

MODEL_FILE = "base.tflite"
SIDECAR_FILE = f"base{SIDECAR_SUFFIX}"
CHECKPOINT_FOLDER = "checkpoint"
# In units of the largest raw output: what float arithmetic in another order
# may differ by; beyond it the structure would be mapped wrongly.
_LARGEST_DIFFERENCE = {"float32": 1e-4, "float16": 2e-2}


class ExportError(ValueError):
    """A base that cannot be published as asked."""


@dataclasses.dataclass(frozen=True)
class ExportedBase:
    """What `export_base` wrote and measured.

    Args:
      raised_channels: channels whose gamma was raised.
      snapped_kernels: kernels rounded to the int8 grid.
      margin: how clearly each constant was found, see `Structure`.
      difference: of the raw outputs from the Keras model's, in units of the
        largest one; None for int8.
      accuracy: mAP@0.5 by stage; empty without evaluation records.
    """

    output_dir: str
    precision: str
    fingerprint: str
    model_bytes: int
    sidecar_bytes: int
    classes: int
    capacity: int
    kernels: int
    copies: int
    raised_channels: int
    snapped_kernels: int
    margin: float
    difference: float | None
    accuracy: dict[str, float]


def export_base(
    *,
    pipeline_config_path: str,
    checkpoint_dir: str,
    output_dir: str,
    precision: str = "float32",
    calibration_records: str | None = None,
    calibration_images: int = 100,
    max_classes: int = 1000,
    max_detections: int = 10,
    eval_records: str | None = None,
    snap: bool = False,
) -> ExportedBase:
    """Publishes a base: tasks are trained on the checkpoint that it writes.

    Args:
      pipeline_config_path: of the base; a patch in it is ignored.
      checkpoint_dir: directory or prefix of the base's checkpoint.
      output_dir: new or empty; gets base.tflite, base.odpatch, checkpoint/.
      precision: float32, float16 or int8.
      calibration_records: TFRecord pattern, for int8.
      max_classes: the most classes that a task's patch may have.
      max_detections: of the post-processing op.
      eval_records: TFRecord pattern on which each stage's mAP is measured.
      snap: round the kernels to the int8 grid before publishing.

    Raises:
      ValueError: for a config, checkpoint or option that does not fit.
    """
    ordinary.refuse_filled(output_dir)
    pipeline = pipeline_config.without_patch(
        pipeline_config.read_pipeline(pipeline_config_path)
    )
    _check_options(pipeline, precision, calibration_records, max_classes)
    items, map_path = label_map.common_label_map(pipeline)
    label_map.check_num_classes(items, pipeline.model.ssd.num_classes, map_path)
    steps = Steps(6)
    steps.begin("restoring the base")
    model, hosts = _restored(pipeline, checkpoint_dir)
    accuracy: dict[str, float] = {}
    if eval_records:
        accuracy["before"] = _keras_map(model, eval_records, map_path)
    raised = _raise_gammas(hosts, precision)
    snaps = _snap_kernels(hosts) if snap else 0
    if eval_records:
        accuracy["published checkpoint"] = _keras_map(
            model, eval_records, map_path
        )
    ordinary.point_at(pipeline, _checkpoint_dir(output_dir))
    with ordinary.whole_directory(output_dir) as folder:
        checkpoint = _checkpoint_dir(folder)
        os.makedirs(checkpoint)
        ordinary.write_model(checkpoint, model, pipeline, items)
        found = structure.find(
            pipeline,
            precision=precision,
            capacity=max_classes,
            max_detections=max_detections,
            steps=steps,
        )
        steps.begin(
            "measuring activations" if precision == "int8" else "filling"
        )
        published = fill(
            found,
            tensors=tensors_of(hosts),
            epsilons=epsilons_of(hosts),
            label_map=[LabelMapItem(*item) for item in items],
            metadata=_metadata(pipeline, measured(model)),
            activations=_activations(
                pipeline,
                checkpoint,
                found,
                measured(model),
                precision=precision,
                max_detections=max_detections,
                records=calibration_records,
                images=calibration_images,
            ),
        )
        steps.begin("comparing with the Keras model")
        difference = _difference(published, model, pipeline, precision)
        if eval_records:
            accuracy[MODEL_FILE] = runtime.mean_average_precision(
                published.model, pipeline, [eval_records], map_path
            )
        sidecar_bytes = published.sidecar_bytes
        _write(os.path.join(folder, MODEL_FILE), published.model)
        _write(os.path.join(folder, SIDECAR_FILE), sidecar_bytes)
    sidecar = published.sidecar
    return ExportedBase(
        output_dir=output_dir,
        precision=precision,
        fingerprint=sidecar.base_fingerprint,
        model_bytes=len(published.model),
        sidecar_bytes=len(sidecar_bytes),
        classes=sidecar.classes,
        capacity=sidecar.capacity,
        kernels=len(sidecar.kernels),
        copies=sum(len(kernel.copies) for kernel in sidecar.kernels),
        raised_channels=raised,
        snapped_kernels=snaps,
        margin=found.margin,
        difference=difference,
        accuracy=accuracy,
    )


def report(exported: ExportedBase) -> str:
    """A paragraph for people about a published base."""
    lines = [
        f"{exported.output_dir}: {MODEL_FILE} {exported.model_bytes:,} bytes "
        f"({exported.precision}), {SIDECAR_FILE} {exported.sidecar_bytes:,} "
        f"bytes, {CHECKPOINT_FOLDER}/ to train tasks on.",
        f"Base {exported.fingerprint[:12]}; {exported.classes} classes, "
        f"tasks of up to {exported.capacity}.",
        f"{exported.kernels} kernels found in {exported.copies} copies, each "
        f"at least {exported.margin:,.0f} times nearer than the next best.",
    ]
    if exported.raised_channels:
        lines.append(
            f"{exported.raised_channels} gammas were too small to survive "
            "folding and were raised: train tasks on the new checkpoint."
        )
    if exported.snapped_kernels:
        lines.append(
            f"{exported.snapped_kernels} kernels were rounded to the int8 "
            "grid: train tasks on the new checkpoint."
        )
    if exported.difference is not None:
        lines.append(
            "Raw outputs differ from the Keras model's by "
            f"{exported.difference:.1e} of the largest."
        )
    lines += [
        f"mAP@0.5 {stage}: {value:.4f}"
        for stage, value in exported.accuracy.items()
    ]
    return "\n".join(lines)


def tensors_of(hosts: Hosts) -> dict[str, np.ndarray]:
    """Stable name -> value of base and heads."""
    variables = hosts.base_tensors() | hosts.head_tensors()
    return {name: variable.numpy() for name, variable in variables.items()}


def epsilons_of(hosts: Hosts) -> dict[str, float]:
    """Name of each BatchNorm -> its epsilon."""
    return {host.name: host.layer.epsilon for host in hosts.batch_norms}


def _checkpoint_dir(output_dir: str) -> str:
    return os.path.join(output_dir, CHECKPOINT_FOLDER)


def _check_options(
    pipeline: Any, precision: str, records: str | None, max_classes: int
) -> None:
    base_model.refuse_other_architectures(pipeline.model)
    ssd = pipeline.model.ssd
    if not ssd.image_resizer.HasField("fixed_shape_resizer"):
        raise ExportError(
            "A phone's model has one input size: `fixed_shape_resizer` "
            "(model.ssd.image_resizer in pipeline.config). Received: "
            f"{ssd.image_resizer.WhichOneof('image_resizer_oneof')!r}."
        )
    if ssd.num_classes > max_classes:
        raise ExportError(
            "`--max_classes` must cover the base's own classes, "
            f"{ssd.num_classes}. Received: {max_classes}."
        )
    if precision == "int8" and not records:
        raise ExportError(
            "int8 needs `--calibration_records` to measure the ranges of "
            "activations. Received: none."
        )


def _restored(pipeline: Any, checkpoint_dir: str) -> tuple[Any, Hosts]:
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model,
        hosts,
        extract.find_checkpoint(checkpoint_dir),
        checkpoint_type="full",
    )
    return model, hosts


def _raise_gammas(hosts: Hosts, precision: str) -> int:
    count = 0
    for host in hosts.batch_norms:
        if getattr(host.layer, "gamma", None) is None:
            continue
        norm = norm_of(host.name, _values(host), host.layer.epsilon)
        raised = raise_small(norm.gamma, norm.inverse_deviation, precision)
        if raised.channels:
            host.layer.gamma.assign(raised.gamma)
            count += raised.channels
    return count


def _values(host: hosts_lib.HostBatchNorm) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in host.tensors().items()}


def _snap_kernels(hosts: Hosts) -> int:
    for host in hosts.kernels:
        depthwise = host.kind == hosts_lib.DEPTHWISE
        host.variable.assign(
            snapped(host.variable.numpy(), is_depthwise=depthwise)
        )
    return len(hosts.kernels)


def _metadata(pipeline: Any, normalisation: Normalisation) -> bytes:
    size = pipeline.model.ssd.image_resizer.fixed_shape_resizer
    return detector_metadata(
        name="SSD object detector",
        # Of no task in particular: patches keep it unless they bring their own.
        description="Detects the objects that labelmap.txt names.",
        image_size=(size.height, size.width),
        mean=normalisation.mean,
        std=normalisation.std,
    )


def _activations(
    pipeline: Any,
    checkpoint: str,
    found: Structure,
    normalisation: Normalisation,
    *,
    precision: str,
    max_detections: int,
    records: str | None,
    images: int,
) -> list[tuple[float, int]]:
    if precision != "int8" or records is None:
        return []
    inputs = runtime.inputs(pipeline, [records], normalisation, images)
    with tempfile.TemporaryDirectory() as folder:
        return calibrated(
            pipeline,
            checkpoint,
            folder,
            inputs,
            codes=found.codes,
            max_detections=max_detections,
        )


def _difference(
    published: Published, model: Any, pipeline: Any, precision: str
) -> float | None:
    if precision not in _LARGEST_DIFFERENCE:
        return None
    difference = raw_difference(published.model, model)
    if difference > _LARGEST_DIFFERENCE[precision]:
        raise ExportError(
            f"Raw outputs of {MODEL_FILE} must be the Keras model's within "
            f"{_LARGEST_DIFFERENCE[precision]:g} of the largest. Received: "
            f"{difference:.1e}; please report this model "
            f"({pipeline.model.ssd.feature_extractor.type})."
        )
    return difference


def raw_difference(exported: bytes, model: Any, *, seed: int = 0) -> float:
    """Largest difference of raw outputs on noise, in units of the largest.

    Args:
      exported: bytes of a .tflite file.
      model: the SSDMetaArch that it should equal.
    """
    runner = runtime.Runtime(exported, keep_tensors=True)
    size = (*runner.image_size, 3)
    image = np.random.default_rng(seed).uniform(-1, 1, size)
    image = image.astype(np.float32)
    base_model.set_training(model, False)
    predicted = model.predict(tf.constant(image[None]), None)
    scores = tf.sigmoid(predicted["class_predictions_with_background"])
    wanted = (predicted["box_encodings"].numpy(), scores.numpy())
    found = runner.raw_outputs(image)
    return max(
        float(np.abs(mine.reshape(-1) - its.reshape(-1)).max())
        / max(1.0, float(np.abs(its).max()))
        for mine, its in zip(found, wanted, strict=True)
    )


def _keras_map(model: Any, records: str, map_path: str) -> float:
    images = list(evaluation.detect(model, [records], label_map_path=map_path))
    return measure(images, definition="coco").value


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

"""od-patch export-base: checkpoint -> base.tflite, sidecar, checkpoint."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence

from object_detection_patch.checkpoints import ordinary
from object_detection_patch.export import (
    base_options,
    comparison,
    mending,
    model_of_base,
    restored,
    routing,
    sizes,
)
from object_detection_patch.export.base_options import Options
from object_detection_patch.export.comparison import Difference
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.exported_base import (
    CHECKPOINT_FOLDER,
    MODEL_FILE,
    SIDECAR_FILE,
    ExportedBase,
    ExportedSize,
    report,
)
from object_detection_patch.export.filling import Published
from object_detection_patch.export.mending import Mended
from object_detection_patch.export.model_of_base import Made
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.restored import Base
from object_detection_patch.export.stages import Stages
from object_detection_patch.od_api import (
    export_tflite,
    input_size,
    pipeline_config,
)
from object_detection_patch.patch_file import whole_folder
from object_detection_patch.tflite.size_fields import file_bytes

__all__ = ["ExportError", "ExportedBase", "export_base", "report"]

_STEPS = 6
_STEPS_OF_A_SIZE = 5
# Of those that an int8 base was calibrated on.
_COMPARED_IMAGES = 8


def export_base(
    *,
    pipeline_config_path: str,
    checkpoint_dir: str,
    output_dir: str,
    precision: str = "float32",
    calibration_records: str | None = None,
    calibration_images: int = 100,
    max_classes: int = 1000,
    max_detections: int | None = None,
    regular_nms: bool = False,
    eval_records: str | None = None,
    snap: bool = False,
    policy: PolicySize | None = None,
    resolutions: Sequence[tuple[int, int]] = (),
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
      max_detections: of the post-processing op; by default the OD API
        exporter's.
      regular_nms: let the post-processing op suppress boxes class by class.
      eval_records: TFRecord pattern on which each stage's mAP is measured.
      snap: round the kernels to the int8 grid before publishing.
      policy: makes a routing base, whose blocks exist twice, for patches with
        a policy of this size; None makes an ordinary one.
      resolutions: (height, width) of all input sizes that patches may have,
        the config's own among them; none for that alone.

    Raises:
      ValueError: for a config, checkpoint or option that does not fit.
    """
    if max_detections is None:
        max_detections = export_tflite.MAX_DETECTIONS
    options = Options(
        precision=precision,
        calibration_records=calibration_records,
        calibration_images=calibration_images,
        max_classes=max_classes,
        max_detections=max_detections,
        regular_nms=regular_nms,
        eval_records=eval_records,
        snap=snap,
        policy=policy,
        resolutions=tuple(resolutions),
    )
    whole_folder.refuse_filled(output_dir)
    pipeline = pipeline_config.without_patch(
        pipeline_config.read_pipeline(pipeline_config_path)
    )
    base_options.check(pipeline, options)
    others = max(0, len(options.resolutions) - 1)
    steps = Steps(_STEPS + others * _STEPS_OF_A_SIZE)
    steps.begin("restoring the base")
    base = restored.restore(pipeline, checkpoint_dir)
    return _exported(base, output_dir, options, steps)


def _exported(
    base: Base, output_dir: str, options: Options, steps: Steps
) -> ExportedBase:
    """Mends, publishes, checks and writes a restored base."""
    if options.policy is not None:
        routing.blocks_of(base.hosts)
    stages = Stages(base, options.eval_records, options.max_detections)
    stages.measure_keras("before")
    mended = mending.mend(base.hosts, options.precision, snap=options.snap)
    stages.measure_keras("published checkpoint")
    ordinary.point_at(base.pipeline, _checkpoint_dir(output_dir))
    with whole_folder.whole_directory(output_dir) as folder:
        checkpoint = _checkpoint_dir(folder)
        os.makedirs(checkpoint)
        ordinary.write_model(checkpoint, base.model, base.pipeline, base.items)
        made, difference = _made(base, checkpoint, options, steps)
        stages.measure_exported(MODEL_FILE, made.published.model)
        published, others = _with_sizes(
            base, made.published, checkpoint, options, steps
        )
        made = dataclasses.replace(made, published=published)
        _write_files(folder, published)
    return dataclasses.replace(
        _summary(
            output_dir, options, mended, made, difference, stages.accuracy
        ),
        sizes=others,
    )


def _made(
    base: Base, checkpoint: str, options: Options, steps: Steps
) -> tuple[Made, Difference]:
    """A base at its config's size, and how far it is from the Keras model."""
    images = model_of_base.calibration_images(base, options)
    made = model_of_base.make(base, checkpoint, images, options, steps)
    steps.begin("checking the result")
    difference = comparison.checked_difference(
        made.published.model,
        base.model,
        precision=options.precision,
        extractor=base.pipeline.model.ssd.feature_extractor.type,
        images=images[:_COMPARED_IMAGES],
        converted=made.converted,
    )
    return made, difference


def _with_sizes(
    base: Base,
    published: Published,
    checkpoint: str,
    options: Options,
    steps: Steps,
) -> tuple[Published, tuple[ExportedSize, ...]]:
    """The base with a sidecar for all of its sizes, each of them exported."""
    own = input_size.fixed_size(base.pipeline, "pipeline.config")
    others = [size for size in options.resolutions if size != own]
    found = []
    differences = []
    for size in others:
        print(
            f"at {input_size.size_text(size)} pixels:",
            file=sys.stderr,
            flush=True,
        )
        sized = dataclasses.replace(
            base, pipeline=input_size.with_size(base.pipeline, size)
        )
        made, difference = _made(sized, checkpoint, options, steps)
        found.append(sizes.difference(published, size, made.published))
        differences.append(difference)
    return sizes.joined(published, own, found), tuple(
        ExportedSize(*size.image_size, file_bytes(size), difference)
        for size, difference in zip(found, differences, strict=True)
    )


def _summary(
    output_dir: str,
    options: Options,
    mended: Mended,
    made: Made,
    difference: Difference,
    accuracy: dict[str, float],
) -> ExportedBase:
    sidecar = made.published.sidecar
    return ExportedBase(
        output_dir=output_dir,
        precision=options.precision,
        fingerprint=sidecar.base_fingerprint,
        model_bytes=len(made.published.model),
        sidecar_bytes=len(made.published.sidecar_bytes),
        classes=sidecar.classes,
        capacity=sidecar.capacity,
        kernels=len(sidecar.kernels),
        copies=sum(len(kernel.copies) for kernel in sidecar.kernels),
        mended=mended,
        margin=made.structure.margin,
        difference=difference,
        max_detections=options.max_detections,
        regular_nms=options.regular_nms,
        accuracy=accuracy,
        policy=options.policy,
    )


def _checkpoint_dir(output_dir: str) -> str:
    return os.path.join(output_dir, CHECKPOINT_FOLDER)


def _write_files(folder: str, published: Published) -> None:
    for name, data in (
        (MODEL_FILE, published.model),
        (SIDECAR_FILE, published.sidecar_bytes),
    ):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

"""od-patch publish: a trained patch -> the file that phones fetch."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Sequence
from typing import Any

from object_detection_patch.checkpoints import extract, merge, ordinary
from object_detection_patch.export import runtime
from object_detection_patch.export.activations import calibrated
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.export.progress import Steps
from object_detection_patch.od_api import export_tflite
from object_detection_patch.patch_file import (
    EXACT,
    HALF,
    SMALL,
    Encoding,
    Patch,
    Release,
    from_bytes,
    read_patch,
    to_bytes,
)
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite import (
    patcher,
    read_sidecar,
    sidecar_path,
    trust,
)
from object_detection_patch.tflite.fit import check_fingerprint, fit
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.model_metadata import (
    detector_metadata,
    read_metadata,
)
from object_detection_patch.tflite.sidecar import INT8, Sidecar

ENCODINGS = {"exact": EXACT, "half": HALF, "small": SMALL}
_NO_DIGEST = "0" * 64


class PublishError(ValueError):
    """A patch that cannot be published as asked."""


@dataclasses.dataclass(frozen=True)
class Result:
    """The model that a phone makes of one base and the patch.

    Args:
      accuracy: its mAP@0.5 on the evaluation records, or None.
    """

    base: str
    precision: str
    model_bytes: int
    sha256: str
    accuracy: float | None


@dataclasses.dataclass(frozen=True)
class PublishedPatch:
    """What `publish` wrote, and a result for each base."""

    output: str
    file_bytes: int
    classes: int
    signed: bool
    results: tuple[Result, ...]


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


def publish(
    *,
    patch: str,
    bases: Sequence[str],
    output: str,
    records: TaskRecords,
    encoding: str | Encoding = "small",
    name: str = "",
    description: str = "",
    sign: str | None = None,
) -> PublishedPatch:
    """Packs a patch, applies it as phones do, and states the results.

    Args:
      patch: file, as extract or diff wrote it.
      bases: base.tflite files, their sidecars beside them.
      encoding: `exact`, `half`, `small`, or an Encoding.
      name, description: of the task, for its model metadata; empty for the
        base's.
      sign: PEM file of the private key to sign with.

    Raises:
      FingerprintError: if the patch was trained on another base.
      ValueError: for whatever else does not fit.
    """
    signer = trust.load_signer(sign) if sign else None
    chosen = ENCODINGS[encoding] if isinstance(encoding, str) else encoding
    read = read_patch(patch)
    sidecars = [read_sidecar(sidecar_path(base)) for base in bases]
    _check_output(output, [patch, *bases, *map(sidecar_path, bases)])
    _check(read, sidecars, bases, records)
    data = [
        patcher.read_base(base, sidecar)
        for base, sidecar in zip(bases, sidecars, strict=True)
    ]
    # From here on the numbers are those that phones will read.
    stored = from_bytes(to_bytes(read, encoding=chosen))
    if name or description:
        # Once for all bases: a result's SHA-256 covers the metadata.
        stored = dataclasses.replace(
            stored, model_metadata=_metadata(data[0], name, description)
        )
    for sidecar in sidecars:
        _check_fit(sidecar, stored)
    steps = Steps(len(bases))
    releases, results = [], []
    with tempfile.TemporaryDirectory(prefix="od-patch-") as folder:
        task = _Task(stored, records, folder)
        for base, content, sidecar in zip(bases, data, sidecars, strict=True):
            steps.begin(f"applying to {base} ({sidecar.precision})")
            release, model = _released(content, sidecar, stored, task)
            releases.append(release)
            results.append(
                Result(
                    base,
                    sidecar.precision,
                    len(model),
                    release.result_sha256,
                    task.accuracy(model),
                )
            )
    released = dataclasses.replace(
        read,
        releases=tuple(releases),
        model_metadata=stored.model_metadata,
    )
    file = to_bytes(released, encoding=chosen, sign=signer)
    write_whole(output, file)
    classes = max(item.id for item in read.label_map)
    return PublishedPatch(
        output, len(file), classes, signer is not None, tuple(results)
    )


def report(published: PublishedPatch) -> str:
    """A paragraph for people about a published patch."""
    lines = [
        f"{published.output}: {published.file_bytes:,} bytes, "
        f"{published.classes} classes, "
        f"{'signed' if published.signed else 'not signed'}."
    ]
    for result in published.results:
        lines.append(
            f"{result.base} ({result.precision}) becomes a model of "
            f"{result.model_bytes:,} bytes, SHA-256 {result.sha256}"
            + (
                ""
                if result.accuracy is None
                else f", mAP@0.5 {result.accuracy:.4f}"
            )
        )
    return "\n".join(lines)


class _Task:
    """The patched Keras model and its records, made only where needed."""

    def __init__(self, patch: Patch, records: TaskRecords, folder: str) -> None:
        self._patch = patch
        self._records = records
        self._folder = folder
        self._pipeline: Any = None

    def activations(self, base: bytes) -> list[tuple[float, int]]:
        """Ranges of the patched model, by the converter's calibration."""
        pipeline = self._merged_pipeline()
        records = self._records
        inputs = runtime.inputs(
            pipeline,
            [str(records.calibration)],
            of_model(base),
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
                pipeline,
                folder,
                f"{folder}/export",
                inputs,
                codes=Graph(base).codes(),
                max_detections=export_tflite.MAX_DETECTIONS,
            )

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


def _check(
    patch: Patch,
    sidecars: Sequence[Sidecar],
    bases: Sequence[str],
    records: TaskRecords,
) -> None:
    if patch.releases:
        raise PublishError(
            "A patch is published from the file that extract or diff wrote, "
            "for all of its bases at once (`--base A.tflite B.tflite`). "
            f"Received: one that was published for {len(patch.releases)}."
        )
    if len({sidecar.base_sha256 for sidecar in sidecars}) != len(bases):
        raise PublishError(f"Each base is given once. Received: {list(bases)}.")
    for sidecar in sidecars:
        check_fingerprint(sidecar, patch)
    needed = {
        "--calibration_records": records.calibration,
        "--pipeline_config_path": records.pipeline_config_path,
        "--checkpoint_dir": records.checkpoint_dir,
    }
    if not any(sidecar.precision == INT8 for sidecar in sidecars):
        needed = {}
        if records.evaluation:
            needed = {"--pipeline_config_path": records.pipeline_config_path}
    absent = [flag for flag, value in needed.items() if not value]
    if absent:
        raise PublishError(
            "An int8 base needs images of the task and the published base's "
            "config and checkpoint, to measure the ranges of activations; "
            "evaluation needs the config. Received: no "
            f"{', '.join(absent)}."
        )
    if "--calibration_records" in needed:
        runtime.refuse_empty("--calibration_records", str(records.calibration))
    if records.evaluation:
        runtime.refuse_empty("--eval_records", records.evaluation)


def _check_output(output: str, inputs: Sequence[str]) -> None:
    for path in inputs:
        if os.path.realpath(output) == os.path.realpath(path):
            raise PublishError(
                "The output must not replace a file that is read. Received: "
                f"{output!r}, which is {path!r}."
            )


def _check_fit(sidecar: Sidecar, patch: Patch) -> None:
    """Raises before ranges are measured what `fit` would raise after it."""
    any_ranges = ((1.0, 0),) * len(sidecar.activations)
    draft = Release(sidecar.base_sha256, _NO_DIGEST, any_ranges)
    fit(sidecar, dataclasses.replace(patch, releases=(draft,)))


def _released(
    base: bytes, sidecar: Sidecar, patch: Patch, task: _Task
) -> tuple[Release, bytes]:
    """Applies a patch whose numbers are final; its release and the model."""
    activations: tuple[tuple[float, int], ...] = ()
    if sidecar.precision == INT8:
        activations = tuple(task.activations(base))
    draft = Release(sidecar.base_sha256, _NO_DIGEST, activations)
    patch = dataclasses.replace(patch, releases=(draft,))
    model = bytes(
        patched_model(memoryview(base), sidecar, patch, fit(sidecar, patch))
    )
    digest = hashlib.sha256(model).hexdigest()
    return dataclasses.replace(draft, result_sha256=digest), model


def _metadata(base: bytes, name: str, description: str) -> bytes:
    normalisation = of_model(base)
    known = read_metadata(base)
    return detector_metadata(
        name=name or known.get("name", ""),
        description=description or known.get("description", ""),
        image_size=runtime.Runtime(base).image_size,
        mean=normalisation.mean,
        std=normalisation.std,
    )

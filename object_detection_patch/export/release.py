"""od-patch publish: a trained patch -> the file that phones fetch."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Sequence

from object_detection_patch.export import publish_checks, runtime
from object_detection_patch.export.activations import any_ranges
from object_detection_patch.export.assembly import NO_DIGEST
from object_detection_patch.export.errors import PublishError
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.published_patch import (
    PublishedPatch,
    Result,
    report,
)
from object_detection_patch.export.task import Task, TaskRecords
from object_detection_patch.patch_file import (
    Encoding,
    Patch,
    Release,
    from_bytes,
    to_bytes,
    trained_size,
)
from object_detection_patch.patch_file.reader import read_file
from object_detection_patch.patch_file.texts import check_text
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite import (
    patcher,
    read_sidecar,
    sidecar_path,
    trust,
)
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.model_metadata import (
    detector_metadata,
    read_metadata,
)
from object_detection_patch.tflite.sidecar import INT8, InputSize, Sidecar

__all__ = [
    "PublishError",
    "PublishedPatch",
    "Result",
    "TaskRecords",
    "publish",
    "report",
]


@dataclasses.dataclass(frozen=True)
class _Base:
    """A published base, as read.

    Args:
      size: that the patch was trained at; None for that of `model`.
    """

    path: str
    model: bytes
    sidecar: Sidecar
    size: InputSize | None

    @property
    def sha256(self) -> str:
        """Of base.tflite at that size."""
        own = self.sidecar.base_sha256
        return own if self.size is None else self.size.base_sha256

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the patched model's input."""
        if self.size is None:
            return runtime.Runtime(self.model).image_size
        return self.size.image_size

    def patched(self, patch: Patch) -> bytes:
        """The model that a phone makes of a patch."""
        return bytes(
            patched_model(
                memoryview(self.model),
                self.sidecar,
                patch,
                fit(self.sidecar, patch),
            )
        )


def publish(
    *,
    patch: str,
    bases: Sequence[str],
    output: str,
    records: TaskRecords,
    encoding: str | Encoding | None = None,
    name: str = "",
    description: str = "",
    sign: str | None = None,
) -> PublishedPatch:
    """Packs a patch, applies it as phones do, and states the results.

    Args:
      patch: file, as extract or diff wrote it.
      bases: base.tflite files, their sidecars beside them.
      encoding: `exact`, `half`, `small`, `compact`, or an Encoding; None for
        `compact` if the file is stored so, else `small`.
      name, description: of the task, for its model metadata; empty for the
        base's.
      sign: PEM file of the private key to sign with.

    Raises:
      FingerprintError: if the patch was trained on another base.
      TextError: for a name or description with control characters.
      ValueError: for whatever else does not fit.
    """
    chosen = None if encoding is None else publish_checks.encoding_of(encoding)
    given = read_file(patch)
    chosen = chosen or publish_checks.usual_encoding(given)
    signer = trust.load_signer(sign) if sign else None
    read = given.patch
    sidecars = [read_sidecar(sidecar_path(base)) for base in bases]
    publish_checks.check_output(
        output,
        [patch, *bases, *map(sidecar_path, bases), *filter(None, [sign])],
        records,
    )
    for field, text in (("--name", name), ("--description", description)):
        check_text(field, text)
    publish_checks.check(read, sidecars, bases, records)
    published = [
        _read_base(base, sidecar, read)
        for base, sidecar in zip(bases, sidecars, strict=True)
    ]
    publish_checks.check_once([base.sha256 for base in published], bases)
    if name or description:
        # Once for all bases: a result's SHA-256 covers the metadata.
        metadata = _metadata(published[0], name, description)
        read = dataclasses.replace(read, model_metadata=metadata)
    # The numbers that phones will read.
    stored = from_bytes(to_bytes(read, encoding=chosen))
    for base in published:
        publish_checks.check_fit(base.sidecar, base.sha256, stored)
    releases, results = _released(published, stored, records)
    released = dataclasses.replace(read, releases=tuple(releases))
    file = to_bytes(released, encoding=chosen, sign=signer)
    _check_results(file, published, results)
    write_whole(output, file)
    classes = max(item.id for item in read.label_map)
    return PublishedPatch(
        output, len(file), classes, signer is not None, tuple(results)
    )


def _read_base(path: str, sidecar: Sidecar, patch: Patch) -> _Base:
    model = patcher.read_base(path, sidecar)
    size = publish_checks.size_of(patch, model, sidecar, path)
    return _Base(path, model, sidecar, size)


def _released(
    bases: Sequence[_Base], patch: Patch, records: TaskRecords
) -> tuple[list[Release], list[Result]]:
    """What becomes of each base, and what the patch is to say of it."""
    steps = Steps(len(bases))
    releases, results = [], []
    with tempfile.TemporaryDirectory(prefix="od-patch-") as folder:
        task = Task(patch, records, folder)
        for base in bases:
            precision = base.sidecar.precision
            steps.begin(f"applying to {base.path} ({precision})")
            release, model = _applied(base, patch, task)
            releases.append(release)
            digest = release.result_sha256
            accuracy = task.accuracy(model)
            results.append(
                Result(
                    base.path,
                    precision,
                    trained_size(patch.metadata),
                    len(model),
                    digest,
                    accuracy,
                )
            )
    return releases, results


def _applied(base: _Base, patch: Patch, task: Task) -> tuple[Release, bytes]:
    """Applies a patch whose numbers are final; its release and the model."""
    digest = base.sha256
    release = Release(digest, NO_DIGEST, any_ranges(base.sidecar))
    model = base.patched(dataclasses.replace(patch, releases=(release,)))
    if base.sidecar.precision == INT8:
        release = Release(digest, NO_DIGEST, task.activations(model))
        model = base.patched(dataclasses.replace(patch, releases=(release,)))
    result = hashlib.sha256(model).hexdigest()
    return dataclasses.replace(release, result_sha256=result), model


def _check_results(
    file: bytes, bases: Sequence[_Base], results: Sequence[Result]
) -> None:
    """Applies the very bytes that phones will fetch.

    Raises:
      PublishError: if they make another model than the one that is stated.
    """
    shipped = from_bytes(file)
    for base, result in zip(bases, results, strict=True):
        found = hashlib.sha256(base.patched(shipped)).hexdigest()
        if found != result.sha256:
            raise PublishError(
                "The file must make of each base the model that it states, "
                f"SHA-256 {result.sha256} for {base.path}. Received: {found}, "
                "which is an error of this program; nothing was written."
            )


def _metadata(base: _Base, name: str, description: str) -> bytes:
    normalisation = of_model(base.model)
    known = read_metadata(base.model)
    return detector_metadata(
        name=name or known.get("name", ""),
        description=description or known.get("description", ""),
        image_size=base.image_size,
        mean=normalisation.mean,
        std=normalisation.std,
    )

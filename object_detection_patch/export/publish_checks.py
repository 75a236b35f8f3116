"""What is asked of a patch to publish, checked before minutes of work."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from object_detection_patch.export import runtime
from object_detection_patch.export.activations import any_ranges
from object_detection_patch.export.assembly import NO_DIGEST
from object_detection_patch.export.errors import PublishError
from object_detection_patch.export.task import TaskRecords
from object_detection_patch.patch_file import (
    COMPACT,
    ENCODINGS,
    SMALL,
    Encoding,
    Patch,
    Release,
    edits,
    trained_size,
)
from object_detection_patch.patch_file.reader import ParsedFile
from object_detection_patch.patch_file.whole_file import is_same
from object_detection_patch.tflite.fit import check_fingerprint, fit
from object_detection_patch.tflite.sidecar import INT8, InputSize, Sidecar


def encoding_of(choice: str | Encoding) -> Encoding:
    """The encoding of a name.

    Raises:
      PublishError: if there is none of this name.
    """
    if isinstance(choice, Encoding):
        return choice
    if not isinstance(choice, str) or choice not in ENCODINGS:
        raise PublishError(
            f"`encoding` must be one of {', '.join(ENCODINGS)}, or an "
            f"Encoding of patch_file. Received: {choice!r}."
        )
    return ENCODINGS[choice]


def usual_encoding(given: ParsedFile) -> Encoding:
    """COMPACT for a file whose heads are stored so, else SMALL."""
    gridded = any(
        entry.grid and edits.place_of(entry.target) == "class_head"
        for entry in given.entries
    )
    return COMPACT if gridded else SMALL


def check_output(
    output: str, inputs: Sequence[str], records: TaskRecords
) -> None:
    """Raises PublishError if the output is one of the files that are read."""
    for path in [*inputs, *records.files()]:
        if is_same(output, path):
            raise PublishError(
                "The output must not replace a file that is read. Received: "
                f"{output!r}, which is {path!r}."
            )


def check(
    patch: Patch,
    sidecars: Sequence[Sidecar],
    bases: Sequence[str],
    records: TaskRecords,
) -> None:
    """Raises ValueError for a patch, bases or records that do not match."""
    if patch.releases:
        raise PublishError(
            "A patch is published from the file that extract or diff wrote, "
            "for all of its bases at once (`--base A.tflite B.tflite`). "
            f"Received: one that was published for {len(patch.releases)}."
        )
    check_once([sidecar.base_sha256 for sidecar in sidecars], bases)
    for sidecar in sidecars:
        check_fingerprint(sidecar, patch)
    check_records(
        records, any(sidecar.precision == INT8 for sidecar in sidecars)
    )


def check_once(digests: Sequence[str], bases: Sequence[str]) -> None:
    """Raises PublishError for two bases of one SHA-256."""
    if len(set(digests)) != len(bases):
        raise PublishError(f"Each base is given once. Received: {list(bases)}.")


def size_of(
    patch: Patch, model: bytes, sidecar: Sidecar, base: str
) -> InputSize | None:
    """The size of a base that a patch was trained at.

    None for that of base.tflite itself, and for a patch that does not say.

    Args:
      model: bytes of the base, whose path is `base`.

    Raises:
      PublishError: if the base has no such size. The patch's BatchNorms are
        those of that size, and detect badly at another.
    """
    trained = trained_size(patch.metadata)
    if trained is None:
        return None
    own = runtime.Runtime(model).image_size
    if trained == own:
        return None
    for size in sidecar.sizes:
        if size.image_size == trained:
            return size
    sizes = [own, *(size.image_size for size in sidecar.sizes)]
    wanted, *found = (f"{h} x {w}" for h, w in (trained, *sizes))
    raise PublishError(
        "A patch is published for a base of the input size that it was "
        f"trained at, {wanted}. Received: {base} of {', '.join(found)}; give "
        "that size to `export-base` too (`--resolutions`)."
    )


def check_fit(sidecar: Sidecar, base_sha256: str, patch: Patch) -> None:
    """Raises before ranges are measured what `fit` would raise after it.

    Args:
      base_sha256: of the base at the patch's size.
    """
    draft = Release(base_sha256, NO_DIGEST, any_ranges(sidecar))
    fit(sidecar, dataclasses.replace(patch, releases=(draft,)))


def check_records(records: TaskRecords, is_int8: bool) -> None:
    """Raises ValueError for records that are needed and not there.

    Args:
      is_int8: whether a base is, so that its ranges are to be measured.
    """
    needed = {}
    if is_int8:
        needed["--calibration_records"] = records.calibration
        needed["--checkpoint_dir"] = records.checkpoint_dir
    if is_int8 or records.evaluation:
        needed["--pipeline_config_path"] = records.pipeline_config_path
    absent = [flag for flag, value in needed.items() if not value]
    if absent:
        raise PublishError(
            "An int8 base needs images of the task and the published base's "
            "config and checkpoint, to measure the ranges of activations; "
            "evaluation needs the config. Received: no "
            f"{', '.join(absent)}."
        )
    if is_int8:
        runtime.refuse_empty("--calibration_records", str(records.calibration))
    if records.evaluation:
        runtime.refuse_empty("--eval_records", records.evaluation)

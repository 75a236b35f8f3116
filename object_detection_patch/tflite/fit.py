"""Whether a patch fits a base: every check that needs no arithmetic."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from object_detection_patch.patch_file import (
    FingerprintError,
    Patch,
    Release,
    Replace,
    ScaleOffset,
)
from object_detection_patch.patch_file.edits import Edit
from object_detection_patch.patch_file.errors import shown
from object_detection_patch.tflite import limits
from object_detection_patch.tflite.arithmetic import KernelEdit
from object_detection_patch.tflite.edit_checks import checked_edits
from object_detection_patch.tflite.errors import (
    ActivationError,
    CapacityError,
    MissingReleaseError,
    NumberError,
    UnfitEditError,
    require,
)
from object_detection_patch.tflite.layout import most_bytes
from object_detection_patch.tflite.sidecar import INT8, InputSize, Sidecar


@dataclasses.dataclass(frozen=True)
class Fit:
    """A patch that fits a base.

    Args:
      edits: by their targets; each is of a kind and shape that fits there.
      classes: of the task.
      release: what the patch says of this base file, or None.
      size: of the task's input; None for base.tflite's own.
    """

    edits: dict[str, Edit]
    classes: int
    release: Release | None
    size: InputSize | None = None

    def norm_edit(self, name: str) -> ScaleOffset | None:
        edit = self.edits.get(name)
        return edit if isinstance(edit, ScaleOffset) else None

    def new_bias(self, name: str) -> np.ndarray | None:
        edit = self.edits.get(name)
        return edit.values if isinstance(edit, Replace) else None

    def kernel_edit(self, name: str) -> KernelEdit | None:
        edit = self.edits.get(name)
        return None if isinstance(edit, ScaleOffset) else edit


def fit(sidecar: Sidecar, patch: Patch) -> Fit:
    """Checks 2 and 4 to 6 of FORMAT.md.

    Raises:
      FingerprintError: for a patch of another base.
      ApplyError: for an edit, a number of classes or a release that does not
        fit.
    """
    check_fingerprint(sidecar, patch)
    classes = _classes(sidecar, patch)
    size = chosen_size(sidecar, patch)
    edits = checked_edits(sidecar, patch.edits, classes)
    _check_metadata(sidecar, patch)
    _check_class_numbers(sidecar, classes)
    _check_kernel_sizes(sidecar, classes)
    _check_result_size(sidecar, classes, size)
    return Fit(edits, classes, _release(sidecar, patch, size), size)


def check_fingerprint(sidecar: Sidecar, patch: Patch) -> None:
    """Raises FingerprintError unless the patch was trained on this base."""
    if patch.base_fingerprint != sidecar.base_fingerprint:
        raise FingerprintError(
            "A patch fits the base model that it was trained on, and no "
            f"other. Received: a patch for base {patch.base_fingerprint}, "
            f"and the published base {sidecar.base_fingerprint}."
        )


def chosen_size(sidecar: Sidecar, patch: Patch) -> InputSize | None:
    """The input size that a patch was published for.

    None for base.tflite's own, which comes first, and for none of this base.
    """
    published = {release.base_sha256 for release in patch.releases}
    if sidecar.base_sha256 in published:
        return None
    return next(
        (size for size in sidecar.sizes if size.base_sha256 in published), None
    )


def _classes(sidecar: Sidecar, patch: Patch) -> int:
    if not patch.label_map:
        raise CapacityError(
            "A patch must have a label map to become a model. Received: one "
            "without labels."
        )
    classes = max(item.id for item in patch.label_map)
    if classes > sidecar.capacity:
        raise CapacityError(
            f"This base was published for at most {sidecar.capacity} classes "
            "(`od-patch export-base --max_classes`). Received: a patch with "
            f"{classes}."
        )
    return classes


def _check_metadata(sidecar: Sidecar, patch: Patch) -> None:
    if patch.model_metadata and sidecar.metadata_vector is None:
        raise UnfitEditError(
            "Only a base with model metadata takes those of a patch. "
            "Received: a base without."
        )


def _check_class_numbers(sidecar: Sidecar, classes: int) -> None:
    for number in sidecar.class_numbers:
        value = number.factor * (classes + number.addend)
        if value > limits.MAX_I32:
            raise NumberError(
                "A number that depends on the classes must fit in 32 bits. "
                f"Received: {value} for {classes} classes."
            )


def _check_kernel_sizes(sidecar: Sidecar, classes: int) -> None:
    for kernel in sidecar.kernels:
        size = kernel.for_classes(classes).size
        if size > limits.MAX_ELEMENTS:
            raise NumberError(
                f"A kernel may have {limits.MAX_ELEMENTS} weights. Received: "
                f"{size} in {shown(kernel.name)} for {classes} classes."
            )


def _check_result_size(
    sidecar: Sidecar, classes: int, size: InputSize | None
) -> None:
    most = most_bytes(
        sidecar.skeleton_bytes, sidecar.vectors_for_classes(classes, size)
    )
    require(
        most <= limits.MAX_MODEL_BYTES,
        f"a result without labels may have {limits.MAX_MODEL_BYTES} bytes",
        most,
    )


def _release(
    sidecar: Sidecar, patch: Patch, size: InputSize | None
) -> Release | None:
    digest = sidecar.base_sha256 if size is None else size.base_sha256
    release = next(
        (
            release
            for release in patch.releases
            if release.base_sha256 == digest
        ),
        None,
    )
    if release is not None:
        _check_activations(sidecar, release)
    elif sidecar.precision == INT8:
        raise MissingReleaseError(
            "An int8 base needs a patch that was published for it, with the "
            "ranges of the task's activations: `od-patch publish --base "
            "BASE.tflite --calibration_records GLOB`. Received: a patch "
            f"published for {len(patch.releases)} other bases."
        )
    elif sidecar.sizes:
        raise MissingReleaseError(
            "A base of several input sizes needs a patch that was published "
            "for it, which says its size: `od-patch publish --base "
            "BASE.tflite`. Received: a patch published for "
            f"{len(patch.releases)} other bases."
        )
    elif patch.releases:
        raise MissingReleaseError(
            "A published patch fits the bases that it was published for, each "
            "of one precision and input size: name this one too (`od-patch "
            "publish --base`). Received: a patch published for "
            f"{len(patch.releases)} other bases."
        )
    return release


def _check_activations(sidecar: Sidecar, release: Release) -> None:
    wanted, found = len(sidecar.activations), len(release.activations)
    if wanted != found:
        raise ActivationError(
            f"A release for this base must have {wanted} activations. "
            f"Received: {found}."
        )
    for scale, zero_point in release.activations:
        # `not (>)` refuses NaN too.
        if not 0 < scale < math.inf or not -128 <= zero_point <= 127:
            raise ActivationError(
                "The scale of an activation must be finite and above 0, its "
                "zero point within -128 to 127. Received: "
                f"{scale} and {zero_point}."
            )

"""Patches that are sound but do not fit the base they are applied to."""

from __future__ import annotations

import dataclasses
import hashlib
import struct

from attacks.attempt import PATCH, Attempts
from attacks.patch_bytes import of_header
from attacks.small_world import RESULT, SmallWorld
from native import worlds

from object_detection_patch.patch_file import FingerprintError
from object_detection_patch.tflite import errors

ATTEMPTS = Attempts(PATCH)
_OTHER = hashlib.sha256(b"another base").digest()


@ATTEMPTS.add(FingerprintError, "fits the base model that it was trained on")
def patch_of_another_base(small: SmallWorld) -> bytes:
    """Another fingerprint."""
    header = small.patch.header()
    header = _OTHER + header[32:]
    return of_header(small, header)


@ATTEMPTS.add(errors.UnfitEditError, "Received: AddSigned of 'other/kernel'")
def target_of_another_architecture(small: SmallWorld) -> bytes:
    """A kernel that the base lacks."""
    small.edit("body/kernel").target = "other/kernel"
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, r"of '\.\./body/kernel'")
def target_with_a_path(small: SmallWorld) -> bytes:
    """A target that climbs out of its folder: names are compared, nothing
    is opened."""
    small.edit("body/kernel").target = "../body/kernel"
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, r"must have shape \(1, 1, 2, 2\)")
def mask_of_another_shape(small: SmallWorld) -> bytes:
    """As many weights, in other dimensions."""
    small.edit("body/kernel").shape = (1, 2, 2, 1)
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, r"must have shape \(1, 1, 2, 2\)")
def mask_shorter_than_its_kernel(small: SmallWorld) -> bytes:
    """Fewer weights: the others would be read behind the mask."""
    small.edit("body/kernel").shape = (1,)
    small.edit("body/kernel").content = b"\x80"
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, r"must have shape \(2,\)")
def norm_of_more_channels(small: SmallWorld) -> bytes:
    """Four channels for a BatchNorm of two."""
    small.edit("body/norm").shape = (2, 4)
    small.edit("body/norm").content *= 2
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, "Received: ScaleOffset of 'body/kernel'")
def kernel_edited_as_a_norm(small: SmallWorld) -> bytes:
    """Scale and offset for a kernel."""
    small.patch.edits = small.patch.edits[1:]
    small.edit("body/norm").target = "body/kernel"
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, "KeepMasked of 'class_head/bias'")
def bias_edited_by_a_mask(small: SmallWorld) -> bytes:
    """A mask for a bias."""
    _masked(small, "class_head/bias", (4,), b"\xf0")
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, "Received: Replace of 'body/norm'")
def norm_replaced(small: SmallWorld) -> bytes:
    """The values of a tensor for a BatchNorm."""
    small.edit("body/norm").kind = worlds.REPLACE
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, "Received: KeepMasked of 'body/norm'")
def mask_behind_a_norm(small: SmallWorld) -> bytes:
    """A mask of a BatchNorm's name, before its sound edit: neither may hide
    the other."""
    mask = dataclasses.replace(small.edit("body/kernel"), target="body/norm")
    mask.kind, mask.singles = worlds.KEEP_MASKED, ()
    small.patch.edits.insert(0, mask)
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, "ScaleOffset of 'body/kernel'")
def norm_behind_a_kernel(small: SmallWorld) -> bytes:
    """Scale and offset under a kernel's name, before its sound mask."""
    norm = dataclasses.replace(small.edit("body/norm"), target="body/kernel")
    small.patch.edits.insert(0, norm)
    return small.patch_bytes()


@ATTEMPTS.add(errors.MissingHeadError, "without 'class_head/bias'")
def head_without_its_bias(small: SmallWorld) -> bytes:
    """A head of which half would be the base's."""
    small.patch.edits.pop()
    return small.patch_bytes()


@ATTEMPTS.add(errors.MissingHeadError, "without 'class_head/kernel'")
def head_under_a_mask(small: SmallWorld) -> bytes:
    """A head that keeps the base's weights, which are of other classes."""
    _masked(small, "class_head/kernel", (1, 1, 2, 4), b"\xff")
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnfitEditError, r"must have shape .* for 5 classes")
def labels_without_channels(small: SmallWorld) -> bytes:
    """More labels than its head has channels."""
    small.patch.labels = [(5, "cat", "")]
    return small.patch_bytes()


@ATTEMPTS.add(errors.CapacityError, "at most 5 classes .* with 6")
def classes_above_the_capacity(small: SmallWorld) -> bytes:
    """More classes than the base was published for."""
    small.patch.labels = [(6, "cat", "")]
    return small.patch_bytes()


@ATTEMPTS.add(errors.CapacityError, "a patch with 2147483647")
def two_billion_classes(small: SmallWorld) -> bytes:
    """An allowed label id, and two billion lines of labelmap.txt."""
    small.patch.labels = [(2**31 - 1, "cat", "")]
    return small.patch_bytes()


@ATTEMPTS.add(errors.CapacityError, "one without labels")
def no_labels(small: SmallWorld) -> bytes:
    """A model of no classes."""
    small.patch.labels = []
    return small.patch_bytes()


@ATTEMPTS.add(errors.NumberError, "must be finite.*'body/kernel'")
def sum_beyond_float32(small: SmallWorld) -> bytes:
    """Numbers that are finite, and whose product is not."""
    return _overflowing(small)


@ATTEMPTS.add(errors.NumberError, "must be finite", "int8")
def scale_beyond_float32(small: SmallWorld) -> bytes:
    """The same in int8."""
    return _overflowing(small)


@ATTEMPTS.add(errors.NumberError, "must be finite", "int8")
def activation_scale_tiny(small: SmallWorld) -> bytes:
    """A scale of 1e-44, by which a bias is divided: infinite steps."""
    base, result, _ = small.patch.releases[0]
    small.patch.releases = [(base, result, [(1e-44, 0), (1e-44, 0)])]
    return small.patch_bytes()


@ATTEMPTS.add(errors.MissingReleaseError, "published for 0 other", "int8")
def int8_without_a_release(small: SmallWorld) -> bytes:
    """A patch that was never published."""
    small.patch.releases = []
    return small.patch_bytes()


@ATTEMPTS.add(errors.MissingReleaseError, "published for 1 other", "int8")
def release_for_another_base(small: SmallWorld) -> bytes:
    """A patch that was published for another base only."""
    _, result, activations = small.patch.releases[0]
    small.patch.releases = [(_OTHER, result, activations)]
    return small.patch_bytes()


@ATTEMPTS.add(errors.MissingReleaseError, "published for 1 other")
def float_release_for_another_base(small: SmallWorld) -> bytes:
    """A patch for one size of a base, whose older sidecar lacks it."""
    small.patch.releases = [(_OTHER, b"\0" * 32, [])]
    return small.patch_bytes()


@ATTEMPTS.add(errors.ActivationError, "2 activations. Received: 1", "int8")
def activations_too_few(small: SmallWorld) -> bytes:
    """One activation for a base of two: the other would be read behind."""
    base, result, activations = small.patch.releases[0]
    small.patch.releases = [(base, result, activations[:1])]
    return small.patch_bytes()


@ATTEMPTS.add(errors.ActivationError, "2 activations. Received: 3", "int8")
def activations_too_many(small: SmallWorld) -> bytes:
    """Three activations: the third has no place in the skeleton."""
    base, result, activations = small.patch.releases[0]
    small.patch.releases = [(base, result, [*activations, (1.0, 0)])]
    return small.patch_bytes()


@ATTEMPTS.add(errors.ActivationError, "0 activations. Received: 1")
def activations_of_floats(small: SmallWorld) -> bytes:
    """An activation for a base of floats."""
    base = hashlib.sha256(small.model()).digest()
    small.patch.releases = [(base, RESULT, [(1.0, 0)])]
    return small.patch_bytes()


@ATTEMPTS.add(errors.ResultMismatchError, "that the publisher tested", "int8")
def result_of_another_model(small: SmallWorld) -> bytes:
    """A changed mask under the release of the old one, resealed."""
    small.edit("body/kernel").content = b"\x50"
    return small.patch_bytes()


def _overflowing(small: SmallWorld) -> bytes:
    """A large residual scale under a large BatchNorm."""
    small.edit("body/kernel").singles = (3e38,)
    small.edit("body/norm").content = struct.pack("<4e", 60000, 1, 1, 1)
    return small.patch_bytes()


def _masked(
    small: SmallWorld, target: str, shape: tuple[int, ...], content: bytes
) -> None:
    """Makes an edit keep what a mask says."""
    edit = small.edit(target)
    edit.kind, edit.value_type, edit.codec = worlds.KEEP_MASKED, 0, 0
    edit.shape, edit.content, edit.grid = shape, content, None

"""Patches whose matrices between channels lie: version, shapes, targets."""

from __future__ import annotations

import numpy as np
from attacks.attempt import PATCH, Attempts
from attacks.patch_bytes import edited
from attacks.small_world import SmallWorld
from native import worlds
from native.worlds import Edit

from object_detection_patch.patch_file import errors as patch_errors
from object_detection_patch.tflite import errors

ATTEMPTS = Attempts(PATCH)


def _adapted(
    small: SmallWorld,
    kind: int,
    values: np.ndarray,
    *,
    target: str = "body/kernel",
    version: int = 3,
) -> bytes:
    """The patch with a matrix in the place of its edit of a kernel."""
    numbers = values.astype("<f4")
    content = numbers.tobytes()
    edit = Edit(kind, target, values.shape, numbers, content=content)
    small.patch.edits = [
        edit if other.target == target else other for other in small.patch.edits
    ]
    small.patch.version = version
    return small.patch_bytes()


@ATTEMPTS.add(patch_errors.UnknownEditError, "one of 1 to 5. Received: 6 ")
def matrix_in_version_2(small: SmallWorld) -> bytes:
    """A matrix, which only version 3 has."""
    return _adapted(small, worlds.ADD_AT_CENTRE, np.ones((2, 2)), version=2)


@ATTEMPTS.add(patch_errors.UnknownEditError, "one of 1 to 9. Received: 10 ")
def edit_kind_10(small: SmallWorld) -> bytes:
    """An edit of a kind that version 3 does not have either."""
    return _adapted(small, 10, np.ones((2, 2)))


@ATTEMPTS.add(patch_errors.ShapeError, "2 dimensions")
def matrix_of_four_dimensions(small: SmallWorld) -> bytes:
    """A matrix of the kernel's own shape."""
    return _adapted(small, worlds.ADD_AT_CENTRE, np.ones((1, 1, 2, 2)))


@ATTEMPTS.add(patch_errors.ShapeError, "a rank of at most half")
def product_of_too_high_a_rank(small: SmallWorld) -> bytes:
    """Rank 3 between 2 and 2 channels: more work than any matrix needs."""
    return _adapted(small, worlds.ADD_PRODUCT_AT_CENTRE, np.ones((3, 4)))


@ATTEMPTS.add(patch_errors.ShapeError, "at most 8192")
def mixing_of_too_many_outputs(small: SmallWorld) -> bytes:
    """5,000 outputs, mixed by a product of rank 1: a small file, long work."""
    _adapted(small, worlds.MIX_BY_PRODUCT, np.ones((1, 4)))
    return edited(small, "body/kernel", shape=(1, 10_000))


@ATTEMPTS.add(errors.UnfitEditError, r"must fit a kernel of shape \(1, 1, 2")
def matrix_of_more_inputs(small: SmallWorld) -> bytes:
    """Rows for three inputs of a kernel that has two."""
    return _adapted(small, worlds.ADD_AT_CENTRE, np.ones((3, 2)))


@ATTEMPTS.add(errors.UnfitEditError, r"must fit a kernel of shape \(1, 1, 2")
def product_with_fewer_columns_than_outputs(small: SmallWorld) -> bytes:
    """A product whose second factor would begin before its first."""
    return _adapted(small, worlds.MIX_BY_PRODUCT, np.ones((1, 2)))


@ATTEMPTS.add(errors.UnfitEditError, "Received: MixOutputs of 'deep/kernel'")
def depthwise_outputs_mixed(small: SmallWorld) -> bytes:
    """A matrix for a depthwise kernel, whose channels lie side by side."""
    return _adapted(
        small, worlds.MIX_OUTPUTS, np.ones((1, 1)), target="deep/kernel"
    )


@ATTEMPTS.add(errors.UnfitEditError, "AddAtCentre of 'class_head/bias'")
def bias_edited_by_a_matrix(small: SmallWorld) -> bytes:
    """A matrix for a bias."""
    return _adapted(
        small, worlds.ADD_AT_CENTRE, np.ones((1, 4)), target="class_head/bias"
    )


@ATTEMPTS.add(errors.NumberError, "must be finite")
def mixing_that_overflows(small: SmallWorld) -> bytes:
    """Finite numbers whose sum is none."""
    return _adapted(small, worlds.MIX_OUTPUTS, np.full((2, 2), 3e38))

"""Matrices between channels against sums of one number after the other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    Replace,
    apply_edits,
    errors,
    from_bytes,
    to_bytes,
)
from object_detection_patch.patch_file.adapter_edits import ordered_product
from object_detection_patch.patch_file.edits import check_edits

F = np.float32
NAME = "backbone/c/kernel"


def draw(shape, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal(shape).astype(F)


def summed(numbers):
    """In float32, one after the other."""
    total = next(numbers := iter(numbers))
    for number in numbers:
        total = F(total + number)
    return total


def product(values, rows):
    """A from its factors, number by number."""
    columns = values.shape[1] - rows
    matrix = np.empty((rows, columns), F)
    for j, o in itertools.product(range(rows), range(columns)):
        matrix[j, o] = summed(F(row[j] * row[rows + o]) for row in values)
    return matrix


def at_centre(kernel, matrix):
    out = kernel.copy()
    y, x = (kernel.shape[0] - 1) // 2, (kernel.shape[1] - 1) // 2
    for i, o in np.ndindex(matrix.shape):
        out[y, x, i, o] = F(kernel[y, x, i, o] + matrix[i, o])
    return out


def mixed(kernel, matrix):
    out = np.empty_like(kernel)
    for y, x, i, o in np.ndindex(kernel.shape):
        terms = (F(w * a) for w, a in zip(kernel[y, x, i], matrix[:, o]))  # noqa: B905
        out[y, x, i, o] = F(kernel[y, x, i, o] + summed(terms))
    return out


def applied(kernel, edit):
    (found,) = apply_edits({NAME: kernel}, [edit]).values()
    return found


@pytest.mark.parametrize("extent", [(1, 1), (3, 3), (1, 5), (7, 3)])
def test_a_matrix_is_added_at_the_centre(extent):
    kernel, matrix = draw((*extent, 4, 6)), draw((4, 6), 1)
    found = applied(kernel, AddAtCentre(NAME, matrix))

    assert found.tobytes() == at_centre(kernel, matrix).tobytes()


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_a_product_is_added_at_the_centre(rank):
    kernel, values = draw((3, 3, 5, 7)), draw((rank, 12), 1)
    found = applied(kernel, AddProductAtCentre(NAME, values))

    expected = at_centre(kernel, product(values, 5))
    assert found.tobytes() == expected.tobytes()


def test_outputs_are_mixed():
    kernel, matrix = draw((3, 2, 4, 6)), draw((6, 6), 1)
    found = applied(kernel, MixOutputs(NAME, matrix))

    assert found.tobytes() == mixed(kernel, matrix).tobytes()


@pytest.mark.parametrize("rank", [1, 3])
def test_outputs_are_mixed_by_a_product(rank):
    kernel, values = draw((1, 1, 8, 5)), draw((rank, 10), 1)
    found = applied(kernel, MixOutputsByProduct(NAME, values))

    expected = mixed(kernel, product(values, 5))
    assert found.tobytes() == expected.tobytes()


def test_the_order_of_a_sum_is_stated():
    # 2^24 + 1 is not a float32: only ascending order keeps the last 1.
    left = F([[2**24, 1, -(2**24), 1]])
    assert ordered_product(left, np.ones((4, 1), F)).tolist() == [[1.0]]
    assert ordered_product(left[:, ::-1], np.ones((4, 1), F)).tolist() == [
        [2.0]
    ]


@pytest.mark.parametrize(
    "edit",
    [
        AddAtCentre(NAME, np.zeros((4, 6))),
        AddProductAtCentre(NAME, np.zeros((2, 10))),
        MixOutputs(NAME, np.zeros((6, 6))),
        MixOutputsByProduct(NAME, np.zeros((2, 12))),
    ],
)
def test_zeros_change_nothing(edit):
    kernel = draw((3, 3, 4, 6))
    assert np.array_equal(applied(kernel, edit), kernel)


@pytest.mark.parametrize(
    ("shape", "edit"),
    [
        ((3, 3, 4, 6), AddAtCentre(NAME, np.zeros((6, 4)))),
        ((2, 3, 4, 6), AddAtCentre(NAME, np.zeros((4, 6)))),
        ((3, 2, 4, 6), AddProductAtCentre(NAME, np.zeros((1, 10)))),
        ((3, 3, 4, 6), AddProductAtCentre(NAME, np.zeros((1, 11)))),
        ((3, 3, 4, 6), MixOutputs(NAME, np.zeros((4, 4)))),
        ((3, 3, 4, 6), MixOutputsByProduct(NAME, np.zeros((1, 10)))),
        ((4, 6), AddAtCentre(NAME, np.zeros((4, 6)))),
        ((6,), MixOutputs(NAME, np.zeros((6, 6)))),
    ],
)
def test_a_kernel_of_another_shape(shape, edit):
    with pytest.raises(errors.TargetShapeError, match="must fit .* Received"):
        apply_edits({NAME: np.zeros(shape, F)}, [edit])


def test_a_missing_kernel():
    with pytest.raises(errors.MissingTargetError, match=NAME):
        apply_edits({}, [AddAtCentre(NAME, np.zeros((4, 6)))])


def test_two_edits_of_one_kernel():
    edits = [AddAtCentre(NAME, [[1.0]]), Replace(NAME, [1.0])]
    with pytest.raises(errors.DuplicateTargetError, match="edited once"):
        check_edits(edits)


def test_numbers_that_are_not_finite():
    with pytest.raises(errors.NotFiniteError, match="of 'backbone/c/kernel'"):
        check_edits([MixOutputs(NAME, [[np.nan]])])
    huge = np.full((1, 1, 1, 1), 3e38, F)
    with pytest.raises(errors.NotFiniteError, match="NaN or Inf"):
        applied(huge, MixOutputs(NAME, [[3e38]]))


EVERY = (
    AddAtCentre("a", draw((4, 6))),
    AddProductAtCentre("b", draw((2, 10))),
    MixOutputs("c", draw((6, 6))),
    MixOutputsByProduct("d", draw((2, 12))),
)


@pytest.mark.parametrize("edit", EVERY)
def test_a_file_of_version_3_gives_it_back(edit):
    patch = Patch("X", "ab" * 32, (edit,))
    data = to_bytes(patch)

    assert data[8:12] == bytes([3, 0, 0, 0])
    assert from_bytes(data) == patch
    for length in range(len(data)):
        with pytest.raises(errors.PatchFileError):
            from_bytes(data[:length])


@pytest.mark.parametrize(
    "edit",
    [
        AddAtCentre("a", np.zeros(4)),
        AddProductAtCentre("a", np.zeros((6, 11))),
        MixOutputs("a", np.zeros((2, 3))),
        MixOutputs("a", np.zeros((4097, 4097))),
        MixOutputsByProduct("a", np.zeros((1, 7))),
        MixOutputsByProduct("a", np.zeros((1, 8194))),
    ],
)
def test_values_that_no_file_may_hold(edit):
    with pytest.raises(errors.ShapeError, match="The matrix of edit kind"):
        to_bytes(Patch("X", "ab" * 32, (edit,)))

"""Matrices between channels in folded weights, by hand and against merging."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_base

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    apply_edits,
)
from object_detection_patch.tflite.adapters import adapted_weights

NAME = "k"


def floats(*values):
    return np.array(values, np.float32)


def test_the_centre_gets_the_matrix_under_the_new_norm():
    # Two outputs, taps 1 x 3, one input: rows are outputs.
    base = floats([1, 2, 4], [8, 16, 32])
    found = adapted_weights(
        base,
        AddAtCentre(NAME, floats([10, 100])),
        scale=floats(3, 5),
        ratio=floats(1, 0.5),
        base_scale=floats(7, 7),
    )
    assert found.tolist() == [[1, 2 + 30, 4], [4, 8 + 500, 16]]


def test_mixing_takes_the_base_s_norm_out():
    # Output 1 gains A[0, 1] = 6 times output 0, whose scale was 2.
    base = floats([1, -1], [8, 16])
    found = adapted_weights(
        base,
        MixOutputs(NAME, floats([0, 6], [0, 0])),
        scale=floats(1, 4),
        ratio=floats(0.5, 1),
        base_scale=floats(2, 4),
    )
    assert found.tolist() == [[0.5, -0.5], [8 + 12, 16 - 12]]


@pytest.mark.parametrize("kind", tiny_base.ADAPTERS)
def test_folding_and_merging_commute(kind):
    """An adapter in folded weights is the folded, merged kernel."""
    random = np.random.default_rng(3)
    shape = (3, 3, 6, 5)
    kernel = random.standard_normal(shape, np.float32)
    old, new = random.uniform(0.5, 2, (2, 5)).astype(np.float32)
    edit = tiny_base.adapter_of(
        kind,
        NAME,
        shape,
        lambda size: random.standard_normal(size, np.float32),
    )
    (merged,) = apply_edits({NAME: kernel}, [edit]).values()

    found = adapted_weights(
        np.ascontiguousarray((kernel * old).transpose(3, 0, 1, 2)).reshape(
            5, -1
        ),
        edit,
        scale=new,
        ratio=new / old,
        base_scale=old,
    )
    expected = (merged * new).transpose(3, 0, 1, 2).reshape(5, -1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert (
        np.abs(
            expected - (kernel * new).transpose(3, 0, 1, 2).reshape(5, -1)
        ).max()
        > 0.1
    )


def test_the_four_kinds_are_all_of_them():
    made = {
        type(tiny_base.adapter_of(kind, NAME, (1, 1, 4, 4), np.zeros))
        for kind in tiny_base.ADAPTERS
    }
    assert made == {
        AddAtCentre,
        AddProductAtCentre,
        MixOutputs,
        MixOutputsByProduct,
    }

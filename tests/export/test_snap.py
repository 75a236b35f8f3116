"""Snapped kernels are whole steps, and stay so once a BatchNorm is folded."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.export.snap import snapped


@pytest.mark.parametrize("is_depthwise", [False, True])
def test_every_weight_is_a_whole_step(is_depthwise):
    random = np.random.default_rng(0)
    kernel = random.normal(0, 1, (3, 3, 4, 2)).astype(np.float32)
    found = snapped(kernel, is_depthwise=is_depthwise)
    # (channels, others), by hand.
    axes = (2, 3, 0, 1) if is_depthwise else (3, 0, 1, 2)
    channels = 8 if is_depthwise else 2
    rows = found.transpose(axes).reshape(channels, -1)
    originals = kernel.transpose(axes).reshape(channels, -1)
    for row, original in zip(rows, originals, strict=True):
        step = np.abs(original).max() / 127
        np.testing.assert_allclose(row / step, np.rint(row / step), atol=1e-4)
        assert np.abs(row - original).max() <= step / 2 * 1.001


def test_int8_finds_the_same_steps_after_folding():
    random = np.random.default_rng(1)
    kernel = snapped(
        random.normal(0, 1, (1, 1, 50, 6)).astype(np.float32),
        is_depthwise=False,
    )
    steps = np.rint(kernel / (np.abs(kernel).max(axis=(0, 1, 2)) / 127))
    folded = kernel * random.uniform(-2, 2, 6).astype(np.float32)
    again = np.rint(folded / (np.abs(folded).max(axis=(0, 1, 2)) / 127))
    np.testing.assert_array_equal(np.abs(again), np.abs(steps))


def test_a_channel_of_zeros_stays():
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    np.testing.assert_array_equal(snapped(kernel, is_depthwise=False), kernel)


def test_a_channel_of_next_to_nothing_becomes_zeros():
    kernel = np.full((1, 1, 3, 2), 1e-44, np.float32)
    kernel[..., 1] = 1
    found = snapped(kernel, is_depthwise=False)
    np.testing.assert_array_equal(found[..., 0], 0)
    np.testing.assert_array_equal(found[..., 1], 1)

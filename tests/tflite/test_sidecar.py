"""What a sidecar's dataclasses compute."""

from __future__ import annotations

import pytest
import tiny_base

from object_detection_patch.tflite import sidecar
from object_detection_patch.tflite.sidecar import Copy, Kernel, Operation


def test_channels_and_size():
    convolution = Kernel("k", sidecar.CONVOLUTION, (3, 2, 4, 5), ())
    assert (convolution.channels, convolution.size) == (5, 120)
    depthwise = Kernel("k", sidecar.DEPTHWISE, (3, 2, 4, 5), ())
    assert (depthwise.channels, depthwise.size) == (20, 120)


def test_a_kernel_for_other_classes():
    head = Kernel("k", sidecar.CONVOLUTION, (1, 1, 7, 9), (), 3, 1)
    assert head.for_classes(4).shape == (1, 1, 7, 15)
    assert head.for_classes(2) == head
    body = Kernel("k", sidecar.CONVOLUTION, (1, 1, 7, 9), ())
    assert body.for_classes(4) is body


def test_operations_of_all_copies():
    one, two, three = Operation(1), Operation(2), Operation(3)
    copies = (Copy(0, (one, two)), Copy(5, (three,)))
    kernel = Kernel("k", sidecar.CONVOLUTION, (1, 1, 1, 1), copies)
    assert list(kernel.operations()) == [one, two, three]


@pytest.mark.parametrize(
    ("precision", "weights", "bias"),
    [("float32", 24, 12), ("float16", 12, 6), ("int8", 6, 12)],
)
def test_the_vectors_of_a_kernel(precision, weights, bias):
    operation = Operation(1, 2, 3) if precision == "int8" else Operation(1)
    copy = (
        Copy(0, (operation,), 4, 5)
        if precision == "int8"
        else Copy(0, (operation,))
    )
    kernel = Kernel("k", sidecar.CONVOLUTION, (1, 1, 2, 3), (copy,))
    expected = {0: (1, weights), 1: (1, bias)}
    if precision == "int8":
        expected |= {2: (4, 3), 3: (8, 3), 4: (4, 3), 5: (8, 3)}
    assert sidecar.vector_sizes(kernel, precision) == expected


@pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
def test_vectors_for_other_classes(precision):
    tiny = tiny_base.make(precision)
    head = tiny.sidecar.kernels[-1]
    (copy,) = head.copies
    before = tiny.sidecar.vectors
    after = tiny.sidecar.vectors_for_classes(9)
    changed = {
        index
        for index, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new
    }
    (operation,) = copy.operations
    indices = {copy.weights, copy.scales, copy.zero_points, operation.bias}
    indices |= {operation.bias_scales, operation.bias_zero_points}
    assert changed == indices - {None}
    assert after[copy.weights].items == before[copy.weights].items * 10 // 3
    assert tiny.sidecar.vectors_for_classes(tiny_base.CLASSES) == before

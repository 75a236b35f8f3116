"""Each field of a sidecar's kernels by itself, and how many there may be."""

from __future__ import annotations

import dataclasses

import pytest
import tiny_base

from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.sidecar_body import written_body

TINY = tiny_base.make("int8").sidecar
COUNT = len(TINY.vectors)


def refused(sidecar, message):
    with pytest.raises(SidecarError, match=message):
        sidecar_file.from_bytes(tiny_base.framed(written_body(sidecar)))


def changed_kernel(**fields):
    kernels = tiny_base.replaced(TINY.kernels, 0, **fields)
    return dataclasses.replace(TINY, kernels=kernels)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, r"A name must not be empty"),
        ({"shape": (1, 0, 1, 1)}, "a dimension must lie between 1 and 671088"),
        ({"shape": (1, 1, 2**26 + 1, 1)}, "a dimension must lie between 1"),
        ({"class_factor": 65537}, "a class factor must lie between 0 and 655"),
        ({"class_addend": 65537}, "a class addend must lie between 0 and 655"),
        ({"copies": ()}, "a number of entries must lie between 1 and 65536"),
    ],
)
def test_a_field_of_a_kernel_out_of_range(fields, message):
    refused(changed_kernel(**fields), message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weights": COUNT}, "the index of a vector must lie between 0"),
        ({"scales": COUNT}, "reference to scales must lie between 0"),
        ({"zero_points": COUNT}, "reference to zero points must lie between"),
        ({"norm": 3}, "reference to a norm must lie between 0 and 3"),
        ({"operations": ()}, "a number of entries must lie between 1"),
    ],
)
def test_a_field_of_a_copy_out_of_range(fields, message):
    copies = tiny_base.replaced(TINY.kernels[0].copies, 0, **fields)
    refused(changed_kernel(copies=copies), message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bias": COUNT}, "the index of a vector must lie between 0"),
        ({"bias_scales": COUNT}, "reference to scales must lie between 0"),
        ({"bias_zero_points": COUNT}, "reference to zero points must lie"),
        ({"tensor": 3}, "reference to a bias must lie between 0 and 3"),
        ({"activation": 4}, "reference to an activation must lie between 0"),
    ],
)
def test_a_field_of_an_operation_out_of_range(fields, message):
    copies = TINY.kernels[0].copies
    operations = tiny_base.replaced(copies[0].operations, 0, **fields)
    copies = tiny_base.replaced(copies, 0, operations=operations)
    refused(changed_kernel(copies=copies), message)


def test_copies_of_all_kernels():
    """Two counts that are allowed, and whose sum is not."""
    kernel = TINY.kernels[0]
    others = sum(len(k.copies) for k in TINY.kernels) - len(kernel.copies)
    many = dataclasses.replace(
        TINY.kernels[-1], name="many", copies=kernel.copies[:1] * 65536
    )
    refused(
        dataclasses.replace(TINY, kernels=(*TINY.kernels, many)),
        "all kernels together may have 65536 copies. Received: "
        f"{65536 + others + len(kernel.copies)}",
    )


def test_operations_of_all_copies():
    """As many as are allowed, and one more."""
    sidecar = tiny_base.make("float32").sidecar
    count = sum(1 for k in sidecar.kernels for _ in k.operations())
    last = sidecar.kernels[-1]
    operations = last.copies[-1].operations

    def with_operations(total):
        more = operations[:1] * (total - count)
        copies = tiny_base.replaced(
            last.copies, -1, operations=operations + more
        )
        kernel = dataclasses.replace(last, copies=copies)
        kernels = (*sidecar.kernels[:-1], kernel)
        return dataclasses.replace(sidecar, kernels=kernels)

    read = sidecar_file.from_bytes(
        tiny_base.framed(written_body(with_operations(65536)))
    )
    assert sum(1 for k in read.kernels for _ in k.operations()) == 65536
    refused(
        with_operations(65537),
        r"together may have 65536 operations\. Received: 65537\.",
    )

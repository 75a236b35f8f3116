"""The fields of a sidecar's kernels, in the order of FORMAT.md."""

from __future__ import annotations

import dataclasses

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.fields import FieldReader, FieldWriter
from object_detection_patch.tflite.sidecar import Copy, Kernel, Operation


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many entries there are of what kernels refer to."""

    vectors: int
    norms: int
    biases: int
    activations: int


def read_kernels(fields: FieldReader, counts: Counts) -> tuple[Kernel, ...]:
    """Takes the kernels, and checks each field by itself.

    Raises:
      SidecarError: for one out of range, and for more copies or operations
        than all kernels together may have.
    """
    reader = _KernelReader(fields, counts)
    return tuple(reader.kernel() for _ in range(fields.count()))


def write_kernels(out: FieldWriter, kernels: tuple[Kernel, ...]) -> None:
    """The same fields as bytes."""
    out.u32(len(kernels))
    for kernel in kernels:
        out.name(kernel.name)
        out.u8(kernel.form)
        out.u32(*kernel.shape, kernel.class_factor, kernel.class_addend)
        out.u32(len(kernel.copies))
        for copy in kernel.copies:
            _write_copy(out, copy)


class _KernelReader:
    """Counts what it reads: lists in lists grow as a product otherwise."""

    def __init__(self, fields: FieldReader, counts: Counts) -> None:
        self._fields = fields
        self._counts = counts
        self._copies = 0
        self._operations = 0

    def kernel(self) -> Kernel:
        fields = self._fields
        name = fields.name()
        form = fields.u8()
        most = limits.MAX_ELEMENTS
        height, width, inputs, outputs = (
            fields.u32("a dimension", most, 1) for _ in range(4)
        )
        factor = fields.u32("a class factor", limits.MAX_COUNT)
        addend = fields.u32("a class addend", limits.MAX_COUNT)
        count = fields.count(1)
        self._copies = _total("copies", self._copies + count)
        copies = tuple(self._copy() for _ in range(count))
        shape = (height, width, inputs, outputs)
        return Kernel(name, form, shape, copies, factor, addend)

    def _copy(self) -> Copy:
        fields, counts = self._fields, self._counts
        weights = fields.vector(counts.vectors)
        scales = fields.reference("scales", counts.vectors)
        zero_points = fields.reference("zero points", counts.vectors)
        norm = fields.reference("a norm", counts.norms)
        count = fields.count(1)
        self._operations = _total("operations", self._operations + count)
        operations = tuple(self._operation() for _ in range(count))
        return Copy(weights, operations, scales, zero_points, norm)

    def _operation(self) -> Operation:
        fields, counts = self._fields, self._counts
        return Operation(
            fields.vector(counts.vectors),
            fields.reference("scales", counts.vectors),
            fields.reference("zero points", counts.vectors),
            fields.reference("a bias", counts.biases),
            fields.reference("an activation", counts.activations),
        )


def _total(what: str, count: int) -> int:
    """The number of something in all kernels so far."""
    require(
        count <= limits.MAX_COUNT,
        f"all kernels together may have {limits.MAX_COUNT} {what}",
        count,
    )
    return count


def _write_copy(out: FieldWriter, copy: Copy) -> None:
    out.u32(copy.weights)
    out.reference(copy.scales)
    out.reference(copy.zero_points)
    out.reference(copy.norm)
    out.u32(len(copy.operations))
    for operation in copy.operations:
        out.u32(operation.bias)
        out.reference(operation.bias_scales)
        out.reference(operation.bias_zero_points)
        out.reference(operation.tensor)
        out.reference(operation.activation)

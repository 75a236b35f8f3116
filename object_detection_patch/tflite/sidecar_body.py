"""The fields of a sidecar's body, in the order of FORMAT.md."""

from __future__ import annotations

import dataclasses

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.fields import FieldReader, FieldWriter
from object_detection_patch.tflite.sidecar import (
    PRECISIONS,
    Activation,
    Bias,
    ClassNumber,
    Copy,
    Kernel,
    Link,
    Norm,
    Operation,
    Sidecar,
    Vector,
)


def read_body(fields: FieldReader) -> Sidecar:
    """Takes every field, and checks each by itself.

    Raises:
      SidecarError: for one out of range. What must hold among several is
        for `sidecar_checks`.
    """
    fingerprint = fields.take(limits.DIGEST_BYTES).hex()
    base_sha256 = fields.take(limits.DIGEST_BYTES).hex()
    base_bytes = fields.u64()
    precision = _precision(fields.u8())
    skeleton_bytes = fields.u32("the skeleton", limits.MAX_SKELETON_BYTES)
    classes = fields.u32("classes", limits.MAX_CLASSES, 1)
    capacity = fields.u32("the capacity", limits.MAX_CLASSES, 1)
    vectors = tuple(
        _vector(fields, index) for index in range(_count(fields, 1))
    )
    metadata_vector = fields.reference("the metadata", len(vectors))
    links = tuple(_link(fields, len(vectors)) for _ in range(_count(fields)))
    numbers = tuple(_class_number(fields) for _ in range(_count(fields)))
    activations = tuple(_activation(fields) for _ in range(_count(fields)))
    norms = tuple(_norm(fields) for _ in range(_count(fields)))
    biases = tuple(_bias(fields) for _ in range(_count(fields)))
    counts = _Counts(len(vectors), len(norms), len(biases), len(activations))
    kernels = tuple(_kernel(fields, counts) for _ in range(_count(fields)))
    return Sidecar(
        base_fingerprint=fingerprint,
        base_sha256=base_sha256,
        base_bytes=base_bytes,
        precision=precision,
        skeleton_bytes=skeleton_bytes,
        classes=classes,
        capacity=capacity,
        vectors=vectors,
        metadata_vector=metadata_vector,
        links=links,
        class_numbers=numbers,
        activations=activations,
        norms=norms,
        biases=biases,
        kernels=kernels,
    )


def written_body(sidecar: Sidecar) -> bytes:
    """The fields as bytes; SidecarError for one that has no place in them."""
    out = FieldWriter()
    out.digest(sidecar.base_fingerprint)
    out.digest(sidecar.base_sha256)
    out.u64(sidecar.base_bytes)
    require(
        sidecar.precision in PRECISIONS,
        f"a precision is one of {PRECISIONS}",
        sidecar.precision,
    )
    out.u8(PRECISIONS.index(sidecar.precision))
    out.u32(sidecar.skeleton_bytes, sidecar.classes, sidecar.capacity)
    _write_places(out, sidecar)
    _write_tensors(out, sidecar)
    out.u32(len(sidecar.kernels))
    for kernel in sidecar.kernels:
        out.name(kernel.name)
        out.u8(kernel.form)
        out.u32(*kernel.shape, kernel.class_factor, kernel.class_addend)
        out.u32(len(kernel.copies))
        for copy in kernel.copies:
            _write_copy(out, copy)
    return out.joined()


@dataclasses.dataclass(frozen=True)
class _Counts:
    """How many entries there are of what kernels refer to."""

    vectors: int
    norms: int
    biases: int
    activations: int


def _precision(code: int) -> str:
    require(
        code < len(PRECISIONS),
        "a precision must be 0 (float32), 1 (float16) or 2 (int8)",
        code,
    )
    return PRECISIONS[code]


def _count(fields: FieldReader, least: int = 0) -> int:
    return fields.u32("a number of entries", limits.MAX_COUNT, least)


def _position(fields: FieldReader) -> int:
    return fields.u32("a position", limits.MAX_SKELETON_BYTES)


def _index(fields: FieldReader, vectors: int) -> int:
    return fields.u32("the index of a vector", vectors - 1)


def _vector(fields: FieldReader, index: int) -> Vector:
    item_bytes = fields.u8()
    items = fields.u32("the items of a vector", limits.MAX_ITEMS)
    # An earlier one, so below its own index.
    leader = fields.reference("a leader", index)
    shared = fields.u8()
    require(
        shared <= 1, "a vector shares its leader's place (1) or not (0)", shared
    )
    return Vector(item_bytes, items, leader, bool(shared))


def _link(fields: FieldReader, vectors: int) -> Link:
    return Link(_position(fields), _index(fields, vectors))


def _class_number(fields: FieldReader) -> ClassNumber:
    return ClassNumber(
        _position(fields),
        fields.u32("a factor", limits.MAX_COUNT, 1),
        fields.u32("an addend", limits.MAX_COUNT),
    )


def _activation(fields: FieldReader) -> Activation:
    return Activation(_position(fields), _position(fields))


def _norm(fields: FieldReader) -> Norm:
    name = fields.name()
    channels = fields.u32("channels", limits.MAX_ELEMENTS, 1)
    return Norm(name, *(fields.floats(channels) for _ in range(4)))


def _bias(fields: FieldReader) -> Bias:
    name = fields.name()
    size = fields.u32("the size of a bias", limits.MAX_ELEMENTS, 1)
    return Bias(name, fields.floats(size))


def _kernel(fields: FieldReader, counts: _Counts) -> Kernel:
    name = fields.name()
    form = fields.u8()
    most = limits.MAX_ELEMENTS
    height, width, inputs, outputs = (
        fields.u32("a dimension", most, 1) for _ in range(4)
    )
    factor = fields.u32("a class factor", limits.MAX_COUNT)
    addend = fields.u32("a class addend", limits.MAX_COUNT)
    copies = tuple(_copy(fields, counts) for _ in range(_count(fields, 1)))
    shape = (height, width, inputs, outputs)
    return Kernel(name, form, shape, copies, factor, addend)


def _copy(fields: FieldReader, counts: _Counts) -> Copy:
    weights = _index(fields, counts.vectors)
    scales = fields.reference("scales", counts.vectors)
    zero_points = fields.reference("zero points", counts.vectors)
    norm = fields.reference("a norm", counts.norms)
    operations = tuple(
        _operation(fields, counts) for _ in range(_count(fields, 1))
    )
    return Copy(weights, operations, scales, zero_points, norm)


def _operation(fields: FieldReader, counts: _Counts) -> Operation:
    return Operation(
        _index(fields, counts.vectors),
        fields.reference("scales", counts.vectors),
        fields.reference("zero points", counts.vectors),
        fields.reference("a bias", counts.biases),
        fields.reference("an activation", counts.activations),
    )


def _write_places(out: FieldWriter, sidecar: Sidecar) -> None:
    out.u32(len(sidecar.vectors))
    for vector in sidecar.vectors:
        out.u8(vector.item_bytes)
        out.u32(vector.items)
        out.reference(vector.leader)
        out.u8(vector.shared)
    out.reference(sidecar.metadata_vector)
    out.u32(len(sidecar.links))
    for link in sidecar.links:
        out.u32(link.position, link.vector)
    out.u32(len(sidecar.class_numbers))
    for number in sidecar.class_numbers:
        out.u32(number.position, number.factor, number.addend)
    out.u32(len(sidecar.activations))
    for activation in sidecar.activations:
        out.u32(activation.scale_position, activation.zero_point_position)


def _write_tensors(out: FieldWriter, sidecar: Sidecar) -> None:
    out.u32(len(sidecar.norms))
    for norm in sidecar.norms:
        out.name(norm.name)
        out.u32(norm.channels)
        out.floats(norm.gamma, norm.channels)
        out.floats(norm.beta, norm.channels)
        out.floats(norm.mean, norm.channels)
        out.floats(norm.inverse_deviation, norm.channels)
    out.u32(len(sidecar.biases))
    for bias in sidecar.biases:
        out.name(bias.name)
        out.u32(len(bias.values))
        out.floats(bias.values, len(bias.values))


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

"""The fields of a sidecar's body, in the order of FORMAT.md."""

from __future__ import annotations

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.fields import FieldReader, FieldWriter
from object_detection_patch.tflite.kernel_fields import (
    Counts,
    read_kernels,
    write_kernels,
)
from object_detection_patch.tflite.sidecar import (
    PRECISIONS,
    Activation,
    Bias,
    ClassNumber,
    Link,
    Norm,
    Sidecar,
    Vector,
)
from object_detection_patch.tflite.size_fields import read_sizes, write_sizes


def read_body(fields: FieldReader, version: int) -> Sidecar:
    """Takes every field, and checks each by itself.

    Args:
      version: of the file: 2 has input sizes, 1 has none.

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
    vectors = tuple(_vector(fields, index) for index in range(fields.count(1)))
    metadata_vector = fields.reference("the metadata", len(vectors))
    links = tuple(_link(fields, len(vectors)) for _ in range(fields.count()))
    numbers = tuple(_class_number(fields) for _ in range(fields.count()))
    activations = tuple(_activation(fields) for _ in range(fields.count()))
    norms = tuple(_norm(fields) for _ in range(fields.count()))
    biases = tuple(_bias(fields) for _ in range(fields.count()))
    counts = Counts(len(vectors), len(norms), len(biases), len(activations))
    kernels = read_kernels(fields, counts)
    has_sizes = version == limits.VERSION_WITH_SIZES
    image_size, sizes = read_sizes(fields, vectors) if has_sizes else (None, ())
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
        image_size=image_size,
        sizes=sizes,
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
    write_kernels(out, sidecar.kernels)
    if sidecar.sizes:
        write_sizes(out, sidecar)
    return out.joined()


def _precision(code: int) -> str:
    require(
        code < len(PRECISIONS),
        "a precision must be 0 (float32), 1 (float16) or 2 (int8)",
        code,
    )
    return PRECISIONS[code]


def _position(fields: FieldReader) -> int:
    return fields.u32("a position", limits.MAX_SKELETON_BYTES)


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
    return Link(_position(fields), fields.vector(vectors))


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

"""Tiny published bases, sidecars and patches, made by hand with struct.

Independent of the package: what is written here follows the two FORMAT.md, so
that neither implementation is tested by itself alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import zlib
from typing import Any

import numpy as np

FLOAT32, FLOAT16, INT8 = 0, 1, 2
WEIGHT_DTYPES = ("<f4", "<f2", "i1")
BIAS_DTYPES = ("<f4", "<f2", "<i4")
FINGERPRINT = bytes(range(32))


@dataclasses.dataclass
class Op:
    tensor: int | None = None
    bias: int = -1
    bias_scales: int | None = None
    bias_zero_points: int | None = None
    activation: int | None = None


@dataclasses.dataclass
class KernelCopy:
    norm: int | None
    ops: list[Op]
    weights: int = -1
    scales: int | None = None
    zero_points: int | None = None


@dataclasses.dataclass
class Kernel:
    name: str
    form: int
    shape: tuple[int, int, int, int]
    copies: list[KernelCopy]
    factor: int = 0
    addend: int = 0

    def shape_for(self, classes: int) -> tuple[int, int, int, int]:
        if not self.factor:
            return self.shape
        return (*self.shape[:3], self.factor * (classes + self.addend))

    def channels_for(self, classes: int) -> int:
        shape = self.shape_for(classes)
        return shape[3] if self.form == 0 else shape[2] * shape[3]


@dataclasses.dataclass
class Vector:
    item_bytes: int
    data: bytes
    leader: int | None = None
    shared: bool = False

    @property
    def items(self) -> int:
        return len(self.data) // self.item_bytes


@dataclasses.dataclass
class Norm:
    name: str
    numbers: np.ndarray  # float32 (4, channels): gamma, beta, mean, inverse


@dataclasses.dataclass
class Size:
    """Another input size: what replaces words and vectors of the base."""

    height: int
    width: int
    words: dict[int, int]
    contents: dict[int, bytes]
    digest: bytes = bytes(32)


@dataclasses.dataclass
class World:
    """A published base; `vectors` hold the bytes of base.tflite."""

    precision: int
    classes: int
    capacity: int
    kernels: list[Kernel]
    norms: list[Norm]
    biases: list[tuple[str, np.ndarray]]
    vectors: list[Vector] = dataclasses.field(default_factory=list)
    metadata: int | None = None
    skeleton: bytes = b""
    links: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    numbers: list[tuple[int, int, int]] = dataclasses.field(
        default_factory=list
    )
    activations: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    sides: tuple[int, int] = (320, 320)
    sizes: list[Size] = dataclasses.field(default_factory=list)

    def base(self) -> bytes:
        out = bytearray(self.skeleton)
        for vector in self.vectors:
            if not vector.shared:
                add_vector(out, vector.item_bytes, vector.data)
        return bytes(out) + b"labels of the base"

    def sidecar(self) -> bytes:
        version = 2 if self.sizes else 1
        return framed(b"\x89ODB\r\n\x1a\n", self.body(), version=version)

    def body(self) -> bytes:
        base = self.base()
        parts = [FINGERPRINT, hashlib.sha256(base).digest()]
        parts.append(struct.pack("<QB", len(base), self.precision))
        parts.append(u32(len(self.skeleton), self.classes, self.capacity))
        parts.append(u32(len(self.vectors)))
        for vector in self.vectors:
            head = (vector.item_bytes, vector.items, reference(vector.leader))
            parts.append(struct.pack("<BIIB", *head, vector.shared))
        parts.append(u32(reference(self.metadata)))
        for rows in (self.links, self.numbers, self.activations):
            parts.append(u32(len(rows)))
            parts += [u32(*row) for row in rows]
        parts.append(u32(len(self.norms)))
        for norm in self.norms:
            parts += [text(norm.name), u32(norm.numbers.shape[1])]
            parts.append(norm.numbers.astype("<f4").tobytes())
        parts.append(u32(len(self.biases)))
        for name, values in self.biases:
            parts += [text(name), u32(len(values))]
            parts.append(values.astype("<f4").tobytes())
        parts.append(u32(len(self.kernels)))
        parts += [kernel_bytes(kernel) for kernel in self.kernels]
        if self.sizes:
            parts.append(u32(*self.sides, len(self.sizes)))
            parts += [self.size_bytes(size) for size in self.sizes]
        return b"".join(parts)

    def size_bytes(self, size: Size) -> bytes:
        parts = [u32(size.height, size.width), size.digest]
        parts.append(u32(len(size.words)))
        parts += [u32(*word) for word in size.words.items()]
        parts.append(u32(len(size.contents)))
        for index, data in size.contents.items():
            items = len(data) // self.vectors[index].item_bytes
            parts.append(u32(index, items) + data)
        return b"".join(parts)

    def at_size(self, size: Size) -> World:
        """The base as an export at that size would be."""
        skeleton = bytearray(self.skeleton)
        for position, word in size.words.items():
            struct.pack_into("<I", skeleton, position, word)
        vectors = [
            dataclasses.replace(v, data=size.contents.get(i, v.data))
            for i, v in enumerate(self.vectors)
        ]
        for vector in vectors:
            if vector.shared and vector.leader is not None:
                vector.shared = vector.data == vectors[vector.leader].data
        return dataclasses.replace(
            self, skeleton=bytes(skeleton), vectors=vectors, sizes=[]
        )


def kernel_bytes(kernel: Kernel) -> bytes:
    parts = [text(kernel.name), bytes([kernel.form]), u32(*kernel.shape)]
    parts.append(u32(kernel.factor, kernel.addend, len(kernel.copies)))
    for copy in kernel.copies:
        parts.append(u32(copy.weights, reference(copy.scales)))
        parts.append(u32(reference(copy.zero_points), reference(copy.norm)))
        parts.append(u32(len(copy.ops)))
        for op in copy.ops:
            fields = (op.bias_scales, op.bias_zero_points, op.tensor)
            parts.append(u32(op.bias, *map(reference, fields)))
            parts.append(u32(reference(op.activation)))
    return b"".join(parts)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def reference(index: int | None) -> int:
    return 0 if index is None else index + 1


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<H", len(encoded)) + encoded


def framed(
    magic: bytes, body: bytes, *, tail: bytes = b"", version: int = 1
) -> bytes:
    """A file with one zlib stream."""
    stored = zlib.compress(body)
    size = 32 + len(stored) + len(tail) + 32
    sizes = (len(stored), len(body), 0, size)
    data = struct.pack("<8sIIIIQ", magic, version, *sizes)
    data += stored + tail
    return data + hashlib.sha256(data).digest()


def add_vector(out: bytearray, item_bytes: int, data: bytes) -> int:
    """Appends a vector by the rules of the layout; returns where it starts."""
    start = -(-(len(out) + 4) // 16) * 16
    out += bytes(start - 4 - len(out))
    out += u32(len(data) // item_bytes) + data
    return start


# Worlds


def make_world(
    seed: int, precision: int, *, classes: int = 3, width: int = 1
) -> World:
    """A base with every kind of kernel, copy and sharing.

    Args:
      width: how many times more weights a channel of the first kernel has,
        and channels the depthwise ones: beyond what is handled at once.
    """
    rng = np.random.default_rng(seed)
    channels = [int(n) for n in rng.integers(1, 40, 4)]
    channels[1] *= width
    channels[3] *= width
    norms = [make_norm(rng, f"n{i}", channels[0]) for i in range(3)]
    norms.append(make_norm(rng, "dn", channels[1] * 2))
    outputs = 4 * (classes + 1)
    biases = [
        ("plain/bias", random_floats(rng, channels[2])),
        ("class_head/bias", random_floats(rng, outputs)),
        ("unused/bias", random_floats(rng, 5)),
    ]
    size = [int(n) for n in rng.integers(1, 6, 3)]
    kernels = [
        Kernel(
            "tower/kernel",
            0,
            (1, size[0], int(rng.integers(1, 30)) * width, channels[0]),
            [KernelCopy(i, [Op()]) for i in range(3)],
        ),
        Kernel(
            "deep/kernel",
            1,
            (3, size[1], channels[1], 2),
            [KernelCopy(3, [Op(), Op()])],
        ),
        Kernel(
            "lateral/kernel",
            0,
            (size[2], 1, 7, channels[2]),
            [KernelCopy(None, [Op(0), Op(0)])],
        ),
        Kernel(
            "bare/kernel",
            1,
            (2, 2, channels[3], 1),
            [KernelCopy(None, [Op()])],
        ),
        Kernel(
            "class_head/kernel",
            0,
            (3, 3, 2, outputs),
            [KernelCopy(None, [Op(1), Op(1)])],
            4,
            1,
        ),
        Kernel("box_head/kernel", 0, (1, 1, 5, 4), [KernelCopy(None, [Op()])]),
    ]
    world = World(precision, classes, classes + 4, kernels, norms, biases)
    add_vectors(world, rng)
    add_skeleton(world, rng)
    return world


def make_norm(rng: Any, name: str, channels: int) -> Norm:
    numbers = random_floats(rng, (4, channels))
    numbers[0] += np.where(numbers[0] >= 0, 0.1, -0.1).astype(np.float32)
    numbers[3] = np.abs(numbers[3]) + np.float32(0.1)
    return Norm(name, numbers)


def random_floats(rng: Any, shape: Any) -> np.ndarray:
    return rng.normal(0, 1, shape).astype(np.float32)


def add_vectors(world: World, rng: Any) -> None:
    """Draws the bytes of all vectors and shuffles their order."""
    drawn: list[tuple[int, bytes]] = []

    def draw(item_bytes: int, data: bytes) -> int:
        drawn.append((item_bytes, data))
        return len(drawn) - 1

    world.metadata = draw(1, b"metadata of the base")
    for _ in range(3):
        draw(4, bytes(12))
        draw(1, bytes(int(rng.integers(0, 20))))
    for kernel in world.kernels:
        elements = int(np.prod(kernel.shape))
        channels = kernel.channels_for(world.classes)
        steps = rng.integers(-128, 128, elements).astype("i1").tobytes()
        for copy in kernel.copies:
            draw_copy(world, rng, copy, elements, channels, steps, draw)
    order = rng.permutation(len(drawn))
    moved = {int(old): new for new, old in enumerate(order)}
    world.vectors = [Vector(*drawn[int(old)]) for old in order]
    world.metadata = moved[world.metadata]
    for kernel in world.kernels:
        for copy in kernel.copies:
            for entry in (copy, *copy.ops):
                for field in (
                    *("weights", "scales", "zero_points"),
                    *("bias", "bias_scales", "bias_zero_points"),
                ):
                    if getattr(entry, field, None) is not None:
                        setattr(entry, field, moved[getattr(entry, field)])
    add_leaders(world, rng)


def draw_copy(
    world: World,
    rng: Any,
    copy: KernelCopy,
    elements: int,
    channels: int,
    steps: bytes,
    draw: Any,
) -> None:
    if world.precision == INT8:
        copy.weights = draw(1, steps)
        scales = np.abs(random_floats(rng, channels)) + np.float32(1e-3)
        copy.scales = draw(4, scales.tobytes())
        copy.zero_points = draw(8, bytes(8 * channels))
    else:
        dtype = WEIGHT_DTYPES[world.precision]
        weights = random_floats(rng, elements).astype(dtype)
        copy.weights = draw(1, weights.tobytes())
    width = np.dtype(BIAS_DTYPES[world.precision]).itemsize
    first = None
    for op in copy.ops:
        if world.precision == INT8:
            op.bias = draw(1, bytes(width * channels))
            op.bias_scales = draw(4, bytes(4 * channels))
            op.bias_zero_points = draw(8, bytes(8 * channels))
            op.activation = int(rng.integers(0, 5))
        elif first is None:
            first = op.bias = draw(1, bytes(width * channels))
        else:
            op.bias = first


def add_leaders(world: World, rng: Any) -> None:
    vectors = world.vectors
    for index, vector in enumerate(vectors):
        leaders = [
            i
            for i in range(index)
            if vectors[i].leader is None
            and vectors[i].item_bytes == vector.item_bytes
        ]
        same = [i for i in leaders if vectors[i].data == vector.data]
        if same and rng.random() < 0.8:
            vector.leader = int(rng.choice(same))
            vector.shared = bool(rng.random() < 0.7)
        elif leaders and rng.random() < 0.3:
            vector.leader = int(rng.choice(leaders))


def add_skeleton(world: World, rng: Any) -> None:
    words = rng.permutation(np.arange(0, 200, 2))
    places = [int(4 * word) for word in words]
    world.skeleton = rng.bytes(800 + 16 * int(rng.integers(0, 3)))
    world.links = sorted(
        (places.pop(), index) for index in range(len(world.vectors))
    )
    world.numbers = [(places.pop(), 3, 1), (places.pop(), 1, 0)]
    if world.precision == INT8:
        world.activations = [(places.pop(), places.pop()) for _ in range(5)]


def add_sizes(world: World, seed: int, count: int = 2) -> None:
    """Draws input sizes: other words, other items of what no kernel uses."""
    rng = np.random.default_rng([seed, 5])
    taken = {position for position, _ in world.links}
    taken |= {position for position, _, _ in world.numbers}
    for scale, zero_point in world.activations:
        taken |= {scale, zero_point, zero_point + 4}
    free = sorted(set(range(0, len(world.skeleton), 4)) - taken)
    used = {
        getattr(entry, field, None)
        for kernel in world.kernels
        for copy in kernel.copies
        for entry in (copy, *copy.ops)
        for field in (
            *("weights", "scales", "zero_points"),
            *("bias", "bias_scales", "bias_zero_points"),
        )
    }
    rest = [i for i in range(len(world.vectors)) if i not in used]
    for number in range(count):
        words = sorted(int(word) for word in rng.choice(free, 12, False))
        size = Size(
            160 + number,
            160 * (number + 1),
            {word: int(rng.integers(0, 2**32)) for word in words},
            {
                index: rng.bytes(
                    int(rng.integers(0, 9)) * world.vectors[index].item_bytes
                )
                for index in rest
                if rng.random() < 0.7
            },
        )
        size.digest = hashlib.sha256(world.at_size(size).base()).digest()
        world.sizes.append(size)


# Patches

REPLACE, ADD_SIGNED, AFFINE_MASK, KEEP_MASKED, SCALE_OFFSET = range(1, 6)
MASKS = (ADD_SIGNED, AFFINE_MASK, KEEP_MASKED)
ADD_AT_CENTRE, ADD_PRODUCT_AT_CENTRE, MIX_OUTPUTS, MIX_BY_PRODUCT = range(6, 10)
AT_CENTRE = (ADD_AT_CENTRE, ADD_PRODUCT_AT_CENTRE)
PRODUCTS = (ADD_PRODUCT_AT_CENTRE, MIX_BY_PRODUCT)


@dataclasses.dataclass
class Edit:
    kind: int
    target: str
    shape: tuple[int, ...]
    values: np.ndarray  # float32, or uint8 of 0 and 1
    singles: tuple[float, ...] = ()
    value_type: int = 1
    codec: int = 0
    grid: tuple[int, int, int] | None = None  # bits, inner, groups
    content: bytes = b""


@dataclasses.dataclass
class PatchSource:
    edits: list[Edit]
    labels: list[tuple[int, str, str]]
    releases: list[tuple[bytes, bytes, list[tuple[float, int]]]]
    model_metadata: bytes = b""
    version: int = 2
    signed: bool = False
    fingerprint: bytes = FINGERPRINT

    def to_bytes(self) -> bytes:
        header = self.header()
        stored = zlib.compress(header)
        sections = b"".join(
            struct.pack(f"<{len(edit.singles)}f", *edit.singles) + edit.content
            for edit in self.edits
        )
        tail = bytes(range(96)) if self.signed else b""
        size = 64 + len(stored) + len(sections) + len(tail)
        data = struct.pack(
            "<8sIIIIQ",
            b"\x89ODP\r\n\x1a\n",
            self.version,
            len(stored),
            len(header),
            int(self.signed),
            size,
        )
        data += stored + sections + tail
        return data + hashlib.sha256(data).digest()

    def header(self) -> bytes:
        parts = [self.fingerprint, text("TEST"), u32(len(self.edits))]
        for edit in self.edits:
            parts.append(
                bytes([edit.kind, edit.value_type, edit.codec])
                + bytes([len(edit.shape)])
                + u32(*edit.shape)
            )
            if edit.grid:
                parts.append(struct.pack("<BII", *edit.grid))
            parts += [u32(len(edit.content)), text(edit.target)]
        parts.append(u32(len(self.labels)))
        for number, name, display in self.labels:
            parts += [u32(number), text(name), text(display)]
        parts.append(u32(2) + b"{}")
        if self.version > 1:
            parts.append(u32(len(self.releases)))
            for base, result, activations in self.releases:
                parts += [base, result, u32(len(activations))]
                parts += [struct.pack("<fi", *entry) for entry in activations]
            parts.append(u32(len(self.model_metadata)) + self.model_metadata)
        return b"".join(parts)


def encode(edit: Edit, rng: Any, value_types: int = 3) -> Edit:
    """Draws how the numbers are stored, and rounds them accordingly."""
    if edit.kind in MASKS:
        edit.value_type, edit.codec = 0, int(rng.integers(0, 2))
        raw = np.packbits(edit.values).tobytes()
    else:
        edit.value_type = int(rng.integers(1, 1 + value_types))
        store = {1: _floats, 2: _halves, 3: _codes, 4: _half_codes}
        raw = store[edit.value_type](edit, rng)
        edit.codec = int(rng.integers(0, 3 if edit.value_type < 3 else 2))
    if edit.codec == 2:
        width = 4 if edit.value_type == 1 else 2
        size = 8192 * width
        raw = b"".join(
            np.frombuffer(raw[at : at + size], np.uint8)
            .reshape(-1, width)
            .T.tobytes()
            for at in range(0, len(raw), size)
        )
    edit.content = zlib.compress(raw) if edit.codec else raw
    return edit


def _floats(edit: Edit, rng: Any) -> bytes:
    return edit.values.astype("<f4").tobytes()


def _halves(edit: Edit, rng: Any) -> bytes:
    halves = edit.values.astype("<f2")
    edit.values = halves.astype(np.float32)
    return halves.tobytes()


def _half_codes(edit: Edit, rng: Any) -> bytes:
    return _codes(edit, rng, "<f2")


def _codes(edit: Edit, rng: Any, dtype: str = "<f4") -> bytes:
    count = edit.values.size
    bits = int(rng.integers(2, 9))
    divisors = [n for n in range(1, count + 1) if count % n == 0]
    groups = int(rng.choice(divisors))
    inner = int(rng.choice([n for n in divisors if count // groups % n == 0]))
    edit.grid = (bits, inner, groups)
    lo = random_floats(rng, groups).astype(dtype)
    step = np.abs(random_floats(rng, groups)) / np.float32(2**bits)
    step = step.astype(dtype)
    codes = rng.integers(0, 2**bits, count)
    group = np.arange(count) // inner % groups
    values = _float32(step)[group] * _float32(codes) + _float32(lo)[group]
    edit.values = values.reshape(edit.shape)
    packed = np.packbits(
        codes[:, None] >> np.arange(bits - 1, -1, -1) & 1
    ).tobytes()
    return lo.tobytes() + step.tobytes() + packed


def _float32(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.float32)


def make_patch(
    world: World,
    seed: int,
    *,
    classes: int | None = None,
    version: int = 2,
    density: float = 0.7,
) -> PatchSource:
    """A patch with a drawn part of all edits that the base allows.

    Args:
      version: 3 has matrices between channels on half of the convolutions, 4
        half grids as well.
    """
    rng = np.random.default_rng(seed)
    classes = world.classes if classes is None else classes
    edits = []
    for kernel in world.kernels:
        is_head = "head/" in kernel.name
        if is_head or rng.random() < density:
            kind = REPLACE if is_head else int(rng.integers(1, 5))
            is_adapted = version > 2 and kernel.form == 0 and not is_head
            if is_adapted and rng.random() < 0.7:
                edits.append(adapter_edit(kernel, rng))
            else:
                edits.append(kernel_edit(kernel, kind, classes, rng))
    for norm in world.norms:
        if rng.random() < density:
            shape = (2, norm.numbers.shape[1])
            values = random_floats(rng, shape)
            edits.append(Edit(SCALE_OFFSET, norm.name, shape, values))
    for name, values in world.biases:
        if "head/" in name or rng.random() < density:
            size = len(values)
            if name == "class_head/bias":
                size = 4 * (classes + 1)
            edits.append(Edit(REPLACE, name, (size,), random_floats(rng, size)))
    activations = [
        (float(np.float32(rng.uniform(0.001, 2))), int(rng.integers(-128, 128)))
        for _ in world.activations
    ]
    base = hashlib.sha256(world.base()).digest()
    source = PatchSource(
        [encode_for(version, edit, rng) for edit in edits],
        [(classes, "last", ""), (1, "first", "Erste \u00e4")][:classes],
        [(base, bytes(32), activations)] if world.activations else [],
        rng.bytes(int(rng.integers(0, 40))) if version > 1 else b"",
        version,
        version > 1 and bool(rng.random() < 0.3),
    )
    return source


def encode_for(version: int, edit: Edit, rng: Any) -> Edit:
    if version > 1:
        return encode(edit, rng, 4 if version > 3 else 3)
    if edit.kind in MASKS:
        edit.value_type = 0
        edit.content = np.packbits(edit.values).tobytes()
    else:
        edit.content = _floats(edit, rng)
    return edit


def adapter_edit(kernel: Kernel, rng: Any) -> Edit:
    height, width, inputs, outputs = kernel.shape
    kinds = [MIX_OUTPUTS, MIX_BY_PRODUCT]
    if height % 2 and width % 2:
        kinds += AT_CENTRE
    kind = int(rng.choice(kinds))
    rows = inputs if kind in AT_CENTRE else outputs
    shape = (rows, outputs)
    if kind in PRODUCTS:
        rank = int(rng.integers(1, (rows + outputs) // 2 + 1))
        shape = (min(rank, 6), rows + outputs)
    values = random_floats(rng, shape) / np.float32(4)
    return Edit(kind, kernel.name, shape, values)


def kernel_edit(kernel: Kernel, kind: int, classes: int, rng: Any) -> Edit:
    shape = kernel.shape_for(classes)
    if kind == REPLACE:
        return Edit(kind, kernel.name, shape, random_floats(rng, shape))
    mask = rng.integers(0, 2, shape).astype(np.uint8)
    singles = {
        ADD_SIGNED: (0.25,),
        AFFINE_MASK: tuple(rng.normal(0, 1, 3)),
        KEEP_MASKED: (),
    }[kind]
    return Edit(
        kind,
        kernel.name,
        shape,
        mask,
        tuple(float(np.float32(single)) for single in singles),
    )

"""Tiny published bases in all three precisions, and patches for them.

Their skeletons are noise and not flatbuffers, since applying never looks
inside. The layout is written here from FORMAT.md, without the package's own
layout.py, so a test that compares the two tests both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    AffineMask,
    KeepMasked,
    LabelMapItem,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    Release,
    Replace,
    ScaleOffset,
)
from object_detection_patch.tflite.sidecar import (
    Activation,
    Bias,
    ClassNumber,
    Copy,
    InputSize,
    Kernel,
    Link,
    Norm,
    Operation,
    Sidecar,
    Vector,
)

FINGERPRINT = "5e" * 32
PRECISIONS = ("float32", "float16", "int8")
ADAPTERS = ("centre", "product_at_centre", "mix", "mix_by_product")
KINDS = (
    *("none", "replace", "add_signed", "affine_mask", "keep_masked"),
    *ADAPTERS,
)
METADATA = b"metadata of the base"
CLASSES = 2
CAPACITY = 9
SKELETON_BYTES = 640
_CONVOLUTION, _DEPTHWISE = 0, 1
_WEIGHT_TYPES = {"float32": "<f4", "float16": "<f2", "int8": "i1"}
_BIAS_TYPES = {"float32": "<f4", "float16": "<f2", "int8": "<i4"}
_SINGLE = 4
_LONG = 8

Draw = Callable[[tuple[int, ...]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Tiny:
    """A published base: the bytes of base.tflite, and its sidecar."""

    model: bytes
    sidecar: Sidecar

    def with_model(self, model: bytes) -> Tiny:
        """Another base.tflite of the same layout, its digest mended."""
        digest = hashlib.sha256(model).hexdigest()
        return Tiny(
            model,
            dataclasses.replace(
                self.sidecar, base_sha256=digest, base_bytes=len(model)
            ),
        )

    def with_sidecar(self, **fields: Any) -> Tiny:
        return Tiny(self.model, dataclasses.replace(self.sidecar, **fields))


def make(precision: str, *, seed: int = 0, draw: Draw | None = None) -> Tiny:
    """A base with each kind of kernel, copy, bias and sharing.

    Args:
      draw: shape -> float32 numbers; default: normally distributed ones.
    """
    return _Maker(precision, seed, draw).base()


def with_sizes(tiny: Tiny) -> Tiny:
    """The base with two more input sizes, their digests those of `at_size`."""
    sides = (160, 192), (96, 96)
    sizes = []
    for number, (height, width) in enumerate(sides):
        words = {0: number, 4: 2**32 - 1, 600: 7}
        # The first vector and the last belong to no kernel.
        contents = {0: bytes(range(8 + 8 * number)), -1: b"even"}
        if number:
            del contents[-1]
        count = len(tiny.sidecar.vectors)
        contents = {index % count: data for index, data in contents.items()}
        size = InputSize(height, width, "", words, contents)
        digest = at_size(tiny, size).sidecar.base_sha256
        sizes.append(dataclasses.replace(size, base_sha256=digest))
    return tiny.with_sidecar(image_size=(320, 320), sizes=tuple(sizes))


def at_size(tiny: Tiny, size: InputSize) -> Tiny:
    """The base as an export at that size alone would be."""
    model = bytearray(tiny.model[:SKELETON_BYTES])
    for position, word in size.words.items():
        struct.pack_into("<I", model, position, word)
    vectors = list(tiny.sidecar.vectors)
    at = SKELETON_BYTES
    for index, vector in enumerate(vectors):
        if vector.shared:
            continue
        start = -(-(at + 4) // 16) * 16
        at = start + vector.item_bytes * vector.items
        data = size.contents.get(index, tiny.model[start:at])
        append_vector(model, vector.item_bytes, data)
        items = len(data) // vector.item_bytes
        vectors[index] = dataclasses.replace(vector, items=items)
    alone = tiny.with_sidecar(vectors=tuple(vectors), image_size=None, sizes=())
    return alone.with_model(bytes(model) + b"labels of the base")


def patch_for(
    tiny: Tiny,
    kind: str = "add_signed",
    *,
    classes: int = CLASSES + 1,
    seed: int = 1,
    draw: Draw | None = None,
    norms: bool = True,
    metadata: bytes = b"",
    result: str | None = None,
) -> Patch:
    """A patch of one kind for the body of a base, with new heads.

    Args:
      kind: of `KINDS`; "none" leaves the body's kernels alone. Kernels that
        no adapter fits, depthwise or of an even width, get `add_signed`.
      norms: whether the norms are edited too.
      metadata: the patch's own model metadata.
      result: SHA-256 that the release states. int8 bases get a release in
        any case.
    """
    random = np.random.default_rng(seed)
    draw = draw or _normal(random)
    edits: list[Any] = []
    for kernel in tiny.sidecar.kernels:
        shape = kernel.for_classes(classes).shape
        chosen = "replace" if "_head/" in kernel.name else kind
        if kind in ADAPTERS and (kernel.form == _DEPTHWISE or shape[1] == 2):
            chosen = "replace" if chosen == "replace" else "add_signed"
        if chosen != "none":
            edits.append(edit_of(chosen, kernel.name, shape, random, draw))
    for bias in tiny.sidecar.biases:
        if bias.name == "class_head/bias":
            size = 3 * (classes + 1)
        else:
            size = len(bias.values)
        edits.append(Replace(bias.name, draw((size,))))
    if norms:
        for norm in tiny.sidecar.norms:
            shape = (norm.channels,)
            edits.append(ScaleOffset(norm.name, draw(shape), draw(shape)))
    releases = []
    if result is not None or tiny.sidecar.activations:
        releases.append(
            Release(
                tiny.sidecar.base_sha256,
                result or "0" * 64,
                tuple(
                    (abs(float(scale)) or 1.0, int(zero_point))
                    for scale, zero_point in zip(
                        draw((len(tiny.sidecar.activations),)),
                        random.integers(
                            -128, 128, len(tiny.sidecar.activations)
                        ),
                        strict=True,
                    )
                ),
            )
        )
    return Patch(
        method="TEST",
        base_fingerprint=tiny.sidecar.base_fingerprint,
        edits=tuple(edits),
        label_map=(
            LabelMapItem(1, "cat", "Cat"),
            LabelMapItem(classes, "dog", ""),
        )[: 1 + (classes > 1)],
        releases=tuple(releases),
        model_metadata=metadata,
    )


def edit_of(
    kind: str,
    name: str,
    shape: tuple[int, ...],
    random: np.random.Generator,
    draw: Draw,
) -> Any:
    """An edit of a kernel, its numbers drawn."""
    if kind == "replace":
        return Replace(name, draw(shape))
    if kind in ADAPTERS:
        return adapter_of(kind, name, shape, draw)
    mask = random.random(shape) < 0.5
    if kind == "keep_masked":
        return KeepMasked(name, mask)
    singles = [float(value) for value in draw((3,))]
    if kind == "affine_mask":
        return AffineMask(name, mask, *singles)
    return AddSigned(name, mask, abs(singles[0]) or 1.0)


def adapter_of(kind: str, name: str, shape: tuple[int, ...], draw: Draw) -> Any:
    """A matrix between the channels of a kernel (h, w, in, out)."""
    inputs, outputs = shape[2:]
    if kind == "centre":
        return AddAtCentre(name, draw((inputs, outputs)))
    if kind == "product_at_centre":
        return AddProductAtCentre(name, draw((2, inputs + outputs)))
    if kind == "mix":
        return MixOutputs(name, draw((outputs, outputs)))
    return MixOutputsByProduct(name, draw((3, 2 * outputs)))


def with_result(patch: Patch, tiny: Tiny, model: bytes) -> Patch:
    """The patch with a release that states the SHA-256 of its model."""
    digest = hashlib.sha256(model).hexdigest()
    kept = patch.releases[0].activations if patch.releases else ()
    release = Release(tiny.sidecar.base_sha256, digest, kept)
    return dataclasses.replace(patch, releases=(release,))


def framed(body: bytes, **fields: Any) -> bytes:
    """A sidecar's file around a body, whatever is in it.

    Args:
      fields: of the prelude, to say something else than what is true: magic,
        version, stored, raw, reserved, file_bytes; or `stream`, the body as
        it is stored, or `checksum`.
    """
    stream = fields.get("stream", zlib.compress(body))
    data = struct.pack(
        "<8sIIIIQ",
        fields.get("magic", b"\x89ODB\r\n\x1a\n"),
        fields.get("version", 1),
        fields.get("stored", len(stream)),
        fields.get("raw", len(body)),
        fields.get("reserved", 0),
        fields.get("file_bytes", 64 + len(stream)),
    )
    data += stream
    return data + fields.get("checksum", hashlib.sha256(data).digest())


def append_vector(model: bytearray, item_bytes: int, data: bytes) -> int:
    """Adds a vector as FORMAT.md says; the position of its count."""
    while (len(model) + 4) % 16:
        model.append(0)
    at = len(model)
    model += struct.pack("<I", len(data) // item_bytes)
    model += data
    return at


def pool(numbers: list[float], seed: int) -> Draw:
    """Draws from a few given numbers, as float32."""
    random = np.random.default_rng(seed)
    values = np.array(numbers, np.float32)
    return lambda shape: random.choice(values, shape)


def _normal(random: np.random.Generator) -> Draw:
    return lambda shape: random.standard_normal(shape, np.float32)


class _Maker:
    """Draws the numbers of one base and collects its vectors."""

    def __init__(self, precision: str, seed: int, draw: Draw | None) -> None:
        self._precision = precision
        self._random = np.random.default_rng(seed)
        self._draw = draw or _normal(self._random)
        self._vectors: list[Vector] = []
        self._data: list[bytes] = []
        self._zero_points: dict[int, int] = {}
        self._activations = 4 if precision == "int8" else 0

    def base(self) -> Tiny:
        self._add(_SINGLE, bytes(range(12)))
        kernels = self._kernels()
        metadata = self._add(1, METADATA)
        self._add(1, b"")
        kernels += self._heads()
        self._add(1, b"odd")
        sidecar = Sidecar(
            base_fingerprint=FINGERPRINT,
            base_sha256="",
            base_bytes=0,
            precision=self._precision,
            skeleton_bytes=SKELETON_BYTES,
            classes=CLASSES,
            capacity=CAPACITY,
            vectors=tuple(self._vectors),
            metadata_vector=metadata,
            links=self._links(),
            class_numbers=(
                ClassNumber(SKELETON_BYTES - 4, 3, 1),
                ClassNumber(SKELETON_BYTES - 8, 1, 0),
            ),
            activations=tuple(
                Activation(512 + 4 * i, 544 + 8 * i)
                for i in range(self._activations)
            ),
            norms=(
                self._norm("tower/BatchNorm/0", 4),
                self._norm("tower/BatchNorm/1", 4),
                self._norm("backbone/depthwise_BN", 6),
            ),
            biases=(
                Bias("fpn/lateral/bias", self._draw((5,))),
                Bias("box_head/bias", self._draw((6,))),
                Bias("class_head/bias", self._draw((3 * (CLASSES + 1),))),
            ),
            kernels=tuple(kernels),
        )
        return Tiny(b"", sidecar).with_model(self._model())

    def _kernels(self) -> list[Kernel]:
        # Two copies with a norm each, the second with the first as leader;
        # the first is used by two operations.
        leader = len(self._data)
        tower = self._kernel("tower/kernel", _CONVOLUTION, (1, 3, 2, 4))
        copies = (
            self._copy(tower, norm=0, operations=2),
            self._copy(tower, norm=1, leader=leader),
        )
        tower = dataclasses.replace(tower, copies=copies)
        deep = self._kernel(
            "backbone/depthwise_kernel", _DEPTHWISE, (2, 2, 3, 2)
        )
        deep = dataclasses.replace(deep, copies=(self._copy(deep, norm=2),))
        lateral = self._kernel("fpn/lateral/kernel", _CONVOLUTION, (1, 1, 4, 5))
        lateral = dataclasses.replace(
            lateral, copies=(self._copy(lateral, tensor=0, operations=2),)
        )
        # Neither norm nor bias: one vector of zeros serves both.
        zeros = self._bias_vector(4)
        bare = []
        for name, form in (("a", _CONVOLUTION), ("b", _DEPTHWISE)):
            shape = (1, 2, 3, 4) if form == _CONVOLUTION else (1, 2, 4, 1)
            kernel = self._kernel(f"backbone/{name}/kernel", form, shape)
            bare.append(
                dataclasses.replace(
                    kernel, copies=(self._copy(kernel, bias=zeros),)
                )
            )
        return [tower, deep, lateral, *bare]

    def _heads(self) -> list[Kernel]:
        box = self._kernel("box_head/kernel", _CONVOLUTION, (1, 1, 3, 6))
        box = dataclasses.replace(box, copies=(self._copy(box, tensor=1),))
        shape = (1, 1, 2, 3 * (CLASSES + 1))
        head = self._kernel("class_head/kernel", _CONVOLUTION, shape)
        return [
            box,
            dataclasses.replace(
                head,
                copies=(self._copy(head, tensor=2),),
                class_factor=3,
                class_addend=1,
            ),
        ]

    def _kernel(
        self, name: str, form: int, shape: tuple[int, int, int, int]
    ) -> Kernel:
        return Kernel(name, form, shape, ())

    def _copy(
        self,
        kernel: Kernel,
        *,
        norm: int | None = None,
        tensor: int | None = None,
        operations: int = 1,
        leader: int | None = None,
        bias: int | None = None,
    ) -> Copy:
        is_int8 = self._precision == "int8"
        weights = self._add(1, self._weights(kernel, leader), leader)
        scales = zero_points = None
        if is_int8:
            scales = self._add(_SINGLE, self._scales(kernel.channels))
            zero_points = self._zeros(kernel.channels)
        made = []
        shared = bias
        for number in range(operations):
            if bias is None and (is_int8 or number == 0):
                shared = self._bias_vector(kernel.channels)
            made.append(
                Operation(
                    shared,
                    self._add(_SINGLE, bytes(4 * kernel.channels))
                    if is_int8
                    else None,
                    self._zeros(kernel.channels) if is_int8 else None,
                    tensor,
                    (weights + number) % 4 if is_int8 else None,
                )
            )
        return Copy(weights, tuple(made), scales, zero_points, norm)

    def _weights(self, kernel: Kernel, leader: int | None) -> bytes:
        if leader is not None:
            return self._data[leader]
        if self._precision == "int8":
            steps = self._random.integers(-128, 128, kernel.size)
            return steps.astype("i1").tobytes()
        kind = _WEIGHT_TYPES[self._precision]
        with np.errstate(over="ignore"):
            values = self._draw((kernel.size,)).astype(kind)
        return values.tobytes()

    def _scales(self, channels: int) -> bytes:
        return np.abs(self._draw((channels,))).astype("<f4").tobytes()

    def _bias_vector(self, channels: int) -> int:
        width = np.dtype(_BIAS_TYPES[self._precision]).itemsize
        return self._add(1, bytes(width * channels))

    def _zeros(self, channels: int) -> int:
        """Zero points: the first of each size leads the others."""
        leader = self._zero_points.get(channels)
        index = self._add(_LONG, bytes(8 * channels), leader)
        self._zero_points.setdefault(channels, index)
        return index

    def _add(
        self, item_bytes: int, data: bytes, leader: int | None = None
    ) -> int:
        items = len(data) // item_bytes
        self._vectors.append(
            Vector(item_bytes, items, leader, leader is not None)
        )
        self._data.append(data)
        return len(self._data) - 1

    def _norm(self, name: str, channels: int) -> Norm:
        gamma, beta, mean, deviation = (
            self._draw((channels,)) for _ in range(4)
        )
        one = np.float32(1)
        return Norm(
            name,
            np.where(gamma == 0, one, gamma),
            beta,
            mean,
            np.where(deviation == 0, one, np.abs(deviation)),
        )

    def _links(self) -> tuple[Link, ...]:
        # Backwards, so that neither order is that of the other.
        last = len(self._data) - 1
        return tuple(
            Link(16 + 4 * number, last - number) for number in range(last + 1)
        )

    def _model(self) -> bytes:
        model = bytearray(self._random.bytes(SKELETON_BYTES))
        for vector, data in zip(self._vectors, self._data, strict=True):
            if not vector.shared:
                append_vector(model, vector.item_bytes, data)
        return bytes(model) + b"labels of the base"


def replaced(
    entries: tuple[Any, ...], index: int, /, **fields: Any
) -> tuple[Any, ...]:
    """A tuple of dataclasses with one of them changed."""
    changed = list(entries)
    changed[index] = dataclasses.replace(entries[index], **fields)
    return tuple(changed)


def changed_edits(patch: Patch, edits: Mapping[str, Any]) -> Patch:
    """The patch with other edits for some targets; None removes one."""
    kept = [edits.get(edit.target, edit) for edit in patch.edits]
    known = {edit.target for edit in patch.edits}
    kept += [edit for name, edit in edits.items() if name not in known]
    return dataclasses.replace(
        patch, edits=tuple(edit for edit in kept if edit is not None)
    )

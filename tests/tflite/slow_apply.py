"""Applying as FORMAT.md says it, number by number.

Shares nothing with the package but the dataclasses: no arrays, one float32 at
a time, halves and rounding by Python itself.
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from typing import Any

import numpy as np
import tiny_base

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    AffineMask,
    KeepMasked,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    Replace,
)
from object_detection_patch.tflite.sidecar import Copy, Kernel, Norm, Sidecar

F = np.float32
MIXING = (MixOutputs, MixOutputsByProduct)
PRODUCTS = (AddProductAtCentre, MixOutputsByProduct)
ADAPTERS = (AddAtCentre, *PRODUCTS, MixOutputs)


class NotFiniteError(Exception):
    """The model would hold a number that must not be written."""


def model_of(base: bytes, sidecar: Sidecar, patch: Patch) -> bytes:
    """The bytes of the task's model."""
    with np.errstate(all="ignore"):
        return _Task(base, sidecar, patch).model()


def places_in_base(sidecar: Sidecar) -> list[tuple[int, int]]:
    """(start, end) of each vector's items in base.tflite."""
    at = sidecar.skeleton_bytes
    places: list[tuple[int, int]] = []
    for vector in sidecar.vectors:
        if vector.shared:
            places.append(places[vector.leader])
            continue
        start = at + 4
        while start % 16:
            start += 1
        at = start + vector.item_bytes * vector.items
        places.append((start, at))
    return places


def file_order(kernel: Kernel) -> list[tuple[tuple[int, ...], int]]:
    """(Keras index, channel) of each weight as it lies in the file."""
    height, width, inputs, outputs = map(range, kernel.shape)
    if kernel.form == 0:
        return [
            ((h, w, i, o), o)
            for o, h, w, i in itertools.product(outputs, height, width, inputs)
        ]
    return [
        ((h, w, c, m), c * kernel.shape[3] + m)
        for h, w, c, m in itertools.product(height, width, inputs, outputs)
    ]


def folded(norm: Norm, edit: Any) -> list[tuple[Any, Any, Any]]:
    """(s', b', r, s) of each channel."""
    out = []
    for i in range(len(norm.gamma)):
        gamma, beta = F(norm.gamma[i]), F(norm.beta[i])
        if edit is not None:
            gamma, beta = F(edit.scale[i]), F(edit.offset[i])
        scale = F(gamma * F(norm.inverse_deviation[i]))
        offset = F(beta - F(F(norm.mean[i]) * scale))
        ratio = F(gamma / F(norm.gamma[i])) if edit is not None else F(1)
        old = F(F(norm.gamma[i]) * F(norm.inverse_deviation[i]))
        out.append((finite(scale), finite(offset), finite(ratio), old))
    return out


def weight(edit: Any, index: tuple[int, ...], base: Any, s: Any, r: Any) -> Any:
    """P of one weight; `base` is B."""
    if edit is None:
        return F(base * r)
    if isinstance(edit, Replace):
        return F(F(edit.values[index]) * s)
    bit = bool(edit.mask[index])
    if isinstance(edit, AddSigned):
        step = F(F(edit.scale) * s)
        return F(F(base * r) + (-step if bit else step))
    if isinstance(edit, AffineMask):
        k0, k1, k2 = F(edit.k0), F(edit.k1), F(edit.k2)
        added = F(F(k1 + k2) * s) if bit else F(k1 * s)
        return F(F(base * F(k0 * r)) + added)
    assert isinstance(edit, KeepMasked)
    return F(F(base * r) + F(0)) if bit else F(0)


def patched(
    edit: Any,
    index: tuple[int, ...],
    channel: int,
    shape: Any,
    folds: Any,
    base: Any,
) -> Any:
    """P of one weight under any edit; `base`: Keras index -> B."""
    if isinstance(edit, ADAPTERS):
        return adapted(edit, index, shape, folds, base)
    new, _, ratio, _ = folds[channel]
    return weight(edit, index, base(index), new, ratio)


def adapted(
    edit: Any, index: tuple[int, ...], shape: Any, folds: Any, base: Any
) -> Any:
    """P of one weight of a convolution.

    Args:
      base: Keras index -> B.
    """
    height, width, inputs, outputs = shape
    y, x, i, o = index
    new, _, ratio, _ = folds[o]
    kept = F(base(index) * ratio)
    if not isinstance(edit, MIXING):
        if 2 * y + 1 != height or 2 * x + 1 != width:
            return kept
        return F(kept + F(number(edit, i, o, inputs) * new))
    total = None
    for c in range(outputs):
        mixing = F(F(number(edit, c, o, outputs) * new) / folds[c][3])
        term = F(base((y, x, i, c)) * mixing)
        total = term if total is None else F(total + term)
    return F(kept + total)


def number(edit: Any, row: int, column: int, rows: int) -> Any:
    """A[row, column]."""
    if not isinstance(edit, PRODUCTS):
        return F(edit.values[row, column])
    total = None
    for factors in edit.values:
        term = F(F(factors[row]) * F(factors[rows + column]))
        total = term if total is None else F(total + term)
    return total


def stored(value: Any, precision: str) -> bytes:
    """A float32 in a float model."""
    finite(value)
    if precision == "float32":
        return struct.pack("<f", value)
    try:
        return struct.pack("<e", float(value))
    except OverflowError as error:
        raise NotFiniteError from error


def finite(value: Any) -> Any:
    if not math.isfinite(value):
        raise NotFiniteError(value)
    return value


def rint(value: Any) -> int:
    """To the nearest integer, halves to even."""
    return round(float(finite(value)))


def least_scale(biases: list[Any], inputs: list[Any]) -> Any:
    """low: of one channel, b' and a of each operation."""
    low = F(2.0**-60)
    for bias, a in zip(biases, inputs, strict=True):
        steps = F(F(abs(bias) / a) * F(2.0**-30))
        low = max(low, steps)
    return low


class _Task:
    def __init__(self, base: bytes, sidecar: Sidecar, patch: Patch) -> None:
        self.base = base
        self.sidecar = sidecar
        self.patch = patch
        self.edits = {edit.target: edit for edit in patch.edits}
        self.classes = max(item.id for item in patch.label_map)
        self.activations = next(
            (
                release.activations
                for release in patch.releases
                if release.base_sha256 == sidecar.base_sha256
            ),
            (),
        )
        self.contents = [
            base[start:end] for start, end in places_in_base(sidecar)
        ]

    def model(self) -> bytes:
        if self.patch.model_metadata:
            self.contents[self.sidecar.metadata_vector] = (
                self.patch.model_metadata
            )
        for kernel in self.sidecar.kernels:
            for copy in kernel.copies:
                self.fill_copy(kernel.for_classes(self.classes), copy)
        model = bytearray(self.base[: self.sidecar.skeleton_bytes])
        self.write(model)
        model += archive(self.patch, self.classes, len(model))
        return bytes(model)

    def write(self, model: bytearray) -> None:
        counts: list[int] = []
        for vector, data in zip(
            self.sidecar.vectors, self.contents, strict=True
        ):
            leader = vector.leader
            if leader is not None and self.contents[leader] == data:
                counts.append(counts[leader])
                continue
            counts.append(
                tiny_base.append_vector(model, vector.item_bytes, data)
            )
        for link in self.sidecar.links:
            distance = counts[link.vector] - link.position
            struct.pack_into("<I", model, link.position, distance)
        for number in self.sidecar.class_numbers:
            value = number.factor * (self.classes + number.addend)
            struct.pack_into("<i", model, number.position, value)
        for place, (scale, zero_point) in zip(
            self.sidecar.activations, self.activations, strict=True
        ):
            struct.pack_into("<f", model, place.scale_position, scale)
            struct.pack_into("<q", model, place.zero_point_position, zero_point)

    def fill_copy(self, kernel: Kernel, copy: Copy) -> None:
        folds = [(F(1), F(0), F(1), F(1))] * kernel.channels
        norm_edit = None
        if copy.norm is not None:
            norm = self.sidecar.norms[copy.norm]
            norm_edit = self.edits.get(norm.name)
            folds = folded(norm, norm_edit)
        biases = [self.bias(operation, folds) for operation in copy.operations]
        if self.sidecar.precision == "int8":
            self.fill_int8(kernel, copy, folds, biases)
            return
        precision = self.sidecar.precision
        for operation, bias in zip(copy.operations, biases, strict=True):
            self.contents[operation.bias] = b"".join(
                stored(value, precision) for value in bias
            )
        edit = self.edits.get(kernel.name)
        if edit is None and norm_edit is None:
            return
        old = self.contents[copy.weights]
        width = 4 if precision == "float32" else 2
        kind = "<f" if precision == "float32" else "<e"
        order = file_order(kernel)
        places = {index: at for at, (index, _) in enumerate(order)}

        def base(index: tuple[int, ...]) -> Any:
            if isinstance(edit, Replace):
                return F(0)
            return F(struct.unpack_from(kind, old, width * places[index])[0])

        out = []
        for index, channel in order:
            new = patched(edit, index, channel, kernel.shape, folds, base)
            out.append(stored(new, precision))
        self.contents[copy.weights] = b"".join(out)

    def bias(self, operation: Any, folds: list[Any]) -> list[Any]:
        """b' of each channel."""
        if operation.tensor is None:
            return [offset for _, offset, _, _ in folds]
        tensor = self.sidecar.biases[operation.tensor]
        edit = self.edits.get(tensor.name)
        values = tensor.values if edit is None else edit.values
        return [F(value) for value in values]

    def fill_int8(
        self, kernel: Kernel, copy: Copy, folds: list[Any], biases: list[Any]
    ) -> None:
        edit = self.edits.get(kernel.name)
        inputs = [
            F(self.activations[operation.activation][0])
            for operation in copy.operations
        ]
        old = self.contents[copy.weights]
        old_scales = self.contents[copy.scales]
        order = file_order(kernel)
        places = {index: at for at, (index, _) in enumerate(order)}
        channels = dict(order)
        steps: list[int] = [0] * len(order)

        def base(index: tuple[int, ...]) -> Any:
            if isinstance(edit, Replace):
                return F(0)
            q = struct.unpack_from("<b", old, places[index])[0]
            place = 4 * channels[index]
            t = F(struct.unpack_from("<f", old_scales, place)[0])
            return F(F(q) * t)

        scales = []
        for channel in range(kernel.channels):
            _, _, r, _ = folds[channel]
            mine = [n for n, (_, c) in enumerate(order) if c == channel]
            low = least_scale([bias[channel] for bias in biases], inputs)
            t = F(1)
            if not isinstance(edit, Replace):
                t = F(struct.unpack_from("<f", old_scales, 4 * channel)[0])

            def of(n: int, channel: int = channel) -> Any:
                index = order[n][0]
                return finite(
                    patched(edit, index, channel, kernel.shape, folds, base)
                )

            if edit is None:
                natural = F(t * abs(r))
            else:
                natural = F(max(abs(of(n)) for n in mine) / F(127))
            new = finite(natural if natural >= low else low)
            for n in mine:
                if edit is None and natural >= low:
                    q = struct.unpack_from("<b", old, n)[0]
                    step = -q if r < 0 else q
                else:
                    step = rint(F(of(n) / new))
                steps[n] = max(-127, min(127, step))
            scales.append(new)
        self.contents[copy.weights] = struct.pack(f"<{len(steps)}b", *steps)
        self.contents[copy.scales] = struct.pack(f"<{len(scales)}f", *scales)
        self.contents[copy.zero_points] = bytes(8 * kernel.channels)
        for operation, a, bias in zip(
            copy.operations, inputs, biases, strict=True
        ):
            self.fill_int8_bias(operation, a, bias, scales)

    def fill_int8_bias(
        self, operation: Any, a: Any, bias: list[Any], scales: list[Any]
    ) -> None:
        bias_scales = [finite(F(a * scale)) for scale in scales]
        if min(bias_scales) <= 0:
            raise NotFiniteError("a scale of 0")
        steps = [
            rint(F(value / scale))
            for value, scale in zip(bias, bias_scales, strict=True)
        ]
        if max(map(abs, steps)) > 2147483520:
            raise NotFiniteError("a bias beyond int32")
        channels = len(scales)
        self.contents[operation.bias] = struct.pack(f"<{channels}i", *steps)
        self.contents[operation.bias_scales] = struct.pack(
            f"<{channels}f", *bias_scales
        )
        self.contents[operation.bias_zero_points] = bytes(8 * channels)


def archive(patch: Patch, classes: int, start: int) -> bytes:
    """The zip archive with the labels."""
    shown = {
        item.id: item.display_name or item.name for item in patch.label_map
    }
    text = "".join(
        f"{shown.get(i) or '???'}\n" for i in range(1, classes + 1)
    ).encode()
    common = struct.pack("<HHHHH", 10, 0, 0, 0, 0x0021)
    common += struct.pack("<III", zlib.crc32(text), len(text), len(text))
    common += struct.pack("<HH", 12, 0)
    member = b"PK\x03\x04" + common + b"labelmap.txt" + text
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + bytes(10)
    entry += struct.pack("<I", start) + b"labelmap.txt"
    end = b"PK\x05\x06" + struct.pack("<HHHH", 0, 0, 1, 1)
    end += struct.pack("<IIH", len(entry), start + len(member), 0)
    return member + entry + end

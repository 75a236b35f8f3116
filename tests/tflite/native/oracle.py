"""The arithmetic of tflite/FORMAT.md, channel by channel, in plain numpy."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import worlds

F = np.float32


def patched(world: worlds.World, patch: worlds.PatchSource) -> bytes:
    """The bytes of the patched model."""
    return _Oracle(world, patch).model()


class _Oracle:
    def __init__(self, world: worlds.World, patch: worlds.PatchSource) -> None:
        self.world = world
        self.patch = patch
        self.edits = {edit.target: edit for edit in patch.edits}
        self.classes = max(label[0] for label in patch.labels)
        self.made: dict[int, bytes] = {}

    def model(self) -> bytes:
        world = self.world
        for kernel in world.kernels:
            for copy in kernel.copies:
                self.make_copy(kernel, copy)
        if self.patch.model_metadata and world.metadata is not None:
            self.made[world.metadata] = self.patch.model_metadata
        out = bytearray(world.skeleton)
        starts: list[int] = []
        contents = [
            self.made.get(i, v.data) for i, v in enumerate(world.vectors)
        ]
        for vector, data in zip(world.vectors, contents, strict=True):
            leader = vector.leader
            if leader is not None and contents[leader] == data:
                starts.append(starts[leader])
            else:
                starts.append(worlds.add_vector(out, vector.item_bytes, data))
        for position, index in world.links:
            struct.pack_into("<I", out, position, starts[index] - 4 - position)
        for position, factor, addend in world.numbers:
            value = factor * (self.classes + addend)
            struct.pack_into("<i", out, position, value)
        for (scale_at, zero_at), (scale, zero) in zip(
            world.activations, self.activations(), strict=False
        ):
            struct.pack_into("<f", out, scale_at, scale)
            struct.pack_into("<q", out, zero_at, zero)
        return bytes(out) + self.archive(len(out))

    def activations(self) -> list[tuple[float, int]]:
        return self.patch.releases[0][2] if self.patch.releases else []

    def archive(self, start: int) -> bytes:
        shown = {n: display or name for n, name, display in self.patch.labels}
        lines = [shown.get(i) or "???" for i in range(1, self.classes + 1)]
        text = "".join(line + "\n" for line in lines).encode()
        head = struct.pack("<HHHHH", 10, 0, 0, 0, 0x21)
        head += worlds.u32(zlib.crc32(text), len(text), len(text))
        head += struct.pack("<HH", 12, 0)
        member = b"PK\3\4" + head + b"labelmap.txt" + text
        entry = b"PK\1\2" + struct.pack("<H", 20) + head + bytes(10)
        entry += worlds.u32(start) + b"labelmap.txt"
        end = b"PK\5\6" + struct.pack("<HHHH", 0, 0, 1, 1)
        end += worlds.u32(len(entry), start + len(member)) + bytes(2)
        return member + entry + end

    def make_copy(self, kernel: Any, copy: Any) -> None:
        channels = kernel.channels_for(self.classes)
        scale = ratio = old = np.ones(channels, F)
        offset = np.zeros(channels, F)
        if copy.norm is not None:
            scale, ratio, offset = self.fold(self.world.norms[copy.norm])
            gamma, _, _, inverse = self.world.norms[copy.norm].numbers
            old = gamma * inverse
        offsets = []
        for op in copy.ops:
            if op.tensor is None:
                offsets.append(offset)
                continue
            name, values = self.world.biases[op.tensor]
            edit = self.edits.get(name)
            offsets.append(values if edit is None else edit.values.ravel())
        if self.world.precision == worlds.INT8:
            self.make_int8(kernel, copy, (scale, ratio, old), offsets)
        else:
            self.make_float(kernel, copy, (scale, ratio, old), offsets)

    def fold(self, norm: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        gamma, beta, mean, inverse = norm.numbers
        new_gamma, new_beta = gamma, beta
        if norm.name in self.edits:
            new_gamma, new_beta = self.edits[norm.name].values
        scale = new_gamma * inverse
        return scale, new_gamma / gamma, new_beta - mean * scale

    def make_float(
        self, kernel: Any, copy: Any, scales: Any, offsets: Any
    ) -> None:
        dtype = worlds.WEIGHT_DTYPES[self.world.precision]
        norm = copy.norm
        is_refolded = (
            norm is not None and self.world.norms[norm].name in self.edits
        )
        edit = self.edits.get(kernel.name)
        if edit is not None or is_refolded:
            data = self.world.vectors[copy.weights].data
            base = np.frombuffer(data, dtype).astype(F)
            weights = self.weights(kernel, base, edit, scales)
            self.made[copy.weights] = weights.astype(dtype).tobytes()
        for op, offset in zip(copy.ops, offsets, strict=True):
            self.made[op.bias] = offset.astype(dtype).tobytes()

    def weights(
        self, kernel: Any, base: Any, edit: Any, scales: Any
    ) -> np.ndarray:
        """P in file order, flat; `scales` are s', r and s."""
        scale, ratio, _ = scales
        if edit is not None and edit.kind > worlds.SCALE_OFFSET:
            return adapted(kernel.shape, base, edit, *scales).ravel()
        if edit is not None:
            new = edit.values.reshape(kernel.shape_for(self.classes))
            if kernel.form == 0:
                new = new.transpose(3, 0, 1, 2)
            new = new.ravel()
        size = base.size if edit is None else new.size
        channel = np.arange(size)
        if kernel.form == 0:
            channel //= size // len(scale)
        else:
            channel %= len(scale)
        s, r = scale[channel], ratio[channel]
        if edit is None:
            return base * r
        if edit.kind == worlds.REPLACE:
            return new * s
        if edit.kind == worlds.KEEP_MASKED:
            return np.where(new == 1, base * r + F(0), F(0))
        if edit.kind == worlds.ADD_SIGNED:
            step = F(edit.singles[0]) * s
            return base * r + np.where(new == 1, -step, step)
        k0, k1, k2 = map(F, edit.singles)
        return base * (k0 * r) + np.where(new == 1, (k1 + k2) * s, k1 * s)

    def make_int8(
        self, kernel: Any, copy: Any, of_norm: Any, offsets: Any
    ) -> None:
        ratio = of_norm[1]
        channels = len(ratio)
        inputs = [F(self.activations()[op.activation][0]) for op in copy.ops]
        low = np.full(channels, F(2.0**-60))
        for a, offset in zip(inputs, offsets, strict=True):
            low = np.maximum(low, np.abs(offset) / a * F(2.0**-30))
        steps = np.frombuffer(self.world.vectors[copy.weights].data, "i1")
        scales = np.frombuffer(self.world.vectors[copy.scales].data, "<f4")
        edit = self.edits.get(kernel.name)
        if edit is not None and edit.kind == worlds.REPLACE:
            base = np.zeros(0, F)
        else:
            base = steps.astype(F) * self.spread(kernel, scales, steps.size)
        new = self.weights(kernel, base, edit, of_norm)
        if edit is None:
            natural = scales * np.abs(ratio)
        elif kernel.form == 0:
            most = np.abs(new).reshape(channels, -1).max(axis=1)
            natural = most / F(127)
        else:
            most = np.abs(new).reshape(-1, channels).max(axis=0)
            natural = most / F(127)
        settled = np.where(natural >= low, natural, low)
        spread = self.spread(kernel, settled, new.size)
        rounded = np.rint(new / spread)
        if edit is None:
            kept = self.spread(kernel, natural >= low, new.size)
            sign = np.where(self.spread(kernel, ratio < 0, new.size), -1, 1)
            rounded = np.where(kept, steps.astype(int) * sign, rounded)
        clipped = np.clip(rounded, -127, 127).astype("i1")
        self.made[copy.weights] = clipped.tobytes()
        self.made[copy.scales] = settled.astype("<f4").tobytes()
        self.made[copy.zero_points] = bytes(8 * channels)
        for op, a, offset in zip(copy.ops, inputs, offsets, strict=True):
            bias_scales = a * settled
            biases = np.rint(offset / bias_scales).astype("<i4")
            self.made[op.bias] = biases.tobytes()
            self.made[op.bias_scales] = bias_scales.astype("<f4").tobytes()
            self.made[op.bias_zero_points] = bytes(8 * channels)

    def spread(self, kernel: Any, values: Any, size: int) -> np.ndarray:
        if kernel.form == 0:
            return np.repeat(values, size // len(values))
        return np.tile(values, size // len(values))


def adapted(
    shape: Any, base: Any, edit: Any, scale: Any, ratio: Any, old: Any
) -> np.ndarray:
    """P (out, h, w, in) of a convolution with a matrix between channels."""
    height, width, inputs, outputs = shape
    runs = base.reshape(outputs, height, width, inputs)
    kept = np.stack([run * r for run, r in zip(runs, ratio, strict=True)])
    rows = inputs if edit.kind in worlds.AT_CENTRE else outputs
    values = edit.values.reshape(edit.shape)
    matrix = values
    if edit.kind in worlds.PRODUCTS:
        terms = [np.outer(v[:rows], v[rows:]) for v in values]
        matrix = summed(terms)
    matrix = matrix * scale
    if edit.kind in worlds.AT_CENTRE:
        kept[:, height // 2, width // 2] += matrix.T
        return kept
    mixing = matrix / old[:, None]
    for o in range(outputs):
        kept[o] += summed([runs[c] * mixing[c, o] for c in range(outputs)])
    return kept


def summed(terms: list[np.ndarray]) -> np.ndarray:
    """One after the other, in float32."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total

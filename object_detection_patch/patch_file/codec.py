"""Edits to sections and back: bits, floats, grids, single numbers."""

from __future__ import annotations

import dataclasses
import math
import struct
import zlib
from collections.abc import Iterable

import numpy as np

from object_detection_patch.patch_file import (
    adapter_edits,
    deflation,
    errors,
    inflation,
    layout,
    planes,
)
from object_detection_patch.patch_file import edits as edits_lib
from object_detection_patch.patch_file import grid as grid_lib
from object_detection_patch.patch_file import source as source_lib
from object_detection_patch.patch_file.encoding import (
    COMPRESSIONS,
    VALUE_TYPES,
    Encoding,
    Numbers,
)
from object_detection_patch.patch_file.entry import Entry, check_entry

_KINDS = {
    edits_lib.Replace: layout.REPLACE,
    edits_lib.AddSigned: layout.ADD_SIGNED,
    edits_lib.AffineMask: layout.AFFINE_MASK,
    edits_lib.KeepMasked: layout.KEEP_MASKED,
    edits_lib.ScaleOffset: layout.SCALE_OFFSET,
    adapter_edits.AddAtCentre: layout.ADD_AT_CENTRE,
    adapter_edits.AddProductAtCentre: layout.ADD_PRODUCT_AT_CENTRE,
    adapter_edits.MixOutputs: layout.MIX_OUTPUTS,
    adapter_edits.MixOutputsByProduct: layout.MIX_OUTPUTS_BY_PRODUCT,
}
_ADAPTERS = {_KINDS[edit]: edit for edit in adapter_edits.ADAPTERS}
_DTYPES = {layout.FLOAT32: "<f4", layout.FLOAT16: "<f2"}
_FLOAT32_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Decoded:
    """An edit, and how far its numbers may lie from those written.

    Args:
      edit: its numbers as applying uses them.
      max_error: of numbers on a grid, as `grid.decode` returns it; None for
        all else.
    """

    edit: edits_lib.Edit
    max_error: float | None = None


@dataclasses.dataclass(frozen=True)
class _Raw:
    """A mask or values as bytes that may still be compressed."""

    shape: tuple[int, ...]
    value_type: int
    content: bytes
    codec: int
    grid: grid_lib.Grid | None = None


def encode(edit: edits_lib.Edit, encoding: Encoding) -> tuple[Entry, bytes]:
    """The directory entry of an edit and its section.

    Raises:
      PatchFileError: for numbers that the encoding cannot hold.
    """
    edit = _canonical(edit)
    if isinstance(edit, edits_lib.MASKED):
        bits = np.packbits(edit.mask.reshape(-1)).tobytes()
        wish = COMPRESSIONS[encoding.masks]
        raw = _Raw(edit.mask.shape, layout.BITS, bits, wish)
    else:
        raw = _raw_values(edit, encoding.numbers_of(edit))
    raw, codec, stored = _smallest(raw)
    entry = Entry(
        _KINDS[type(edit)],
        raw.value_type,
        codec,
        raw.shape,
        edit.target,
        len(stored),
        raw.grid,
    )
    check_entry(entry, entry.version)
    single = edits_lib.scalars(edit)
    return entry, struct.pack(f"<{len(single)}f", *single) + stored


def decode(entry: Entry, source: source_lib.Source) -> Decoded:
    """The edit of a checked entry, from its section, which comes next.

    What is allocated: the edit's own tensor; for bits and float16 the section
    before they become bools and float32; for a grid its codes as well.

    Raises:
      PatchFileError: for a broken zlib stream, set padding bits, NaN, Inf,
        a step below zero, or a scale that is not above zero.
    """
    single = _scalars(entry, source.take(entry.scalar_bytes))
    raw = _raw(entry, source.pieces(entry.stored_bytes))
    if entry.value_type == layout.BITS:
        return Decoded(_masked_edit(entry, _unpacked(entry, raw), single))
    if entry.grid is None:
        return Decoded(_valued_edit(entry, _floats(entry, raw)))
    values, max_error = grid_lib.decode(
        entry.target, raw, entry.grid, entry.elements
    )
    return Decoded(_valued_edit(entry, values), max_error)


def _canonical(edit: edits_lib.Edit) -> edits_lib.Edit:
    # W + s (1 - 2 M) = W + (-s) (1 - 2 (1 - M)), to the last bit.
    if isinstance(edit, edits_lib.AddSigned) and edit.scale < 0:
        return edits_lib.AddSigned(edit.target, ~edit.mask, -edit.scale)
    return edit


def _values_of(edit: edits_lib.NumberEdit) -> np.ndarray:
    if isinstance(edit, edits_lib.ScaleOffset):
        return np.stack([edit.scale, edit.offset])
    return edit.values


def _raw_values(edit: edits_lib.NumberEdit, numbers: Numbers) -> _Raw:
    values = _values_of(edit)
    wish = COMPRESSIONS[numbers.compression]
    value_type = VALUE_TYPES[numbers.value_type]
    if value_type in (layout.GRID, layout.HALF_GRID):
        grid = numbers.grid_of(edit)
        if grid.raw_bits(values.size) < 8 * _FLOAT32_BYTES * values.size:
            if value_type == layout.HALF_GRID:
                grid = grid_lib.halved(values, grid)
            grid = grid_lib.narrowest(values, grid)
            value_type = layout.HALF_GRID if grid.half else layout.GRID
            content = grid_lib.encode(edit.target, values, grid)
            # Codes are no numbers whose bytes could be sorted.
            wish = layout.STORED if wish == layout.STORED else layout.ZLIB
            return _Raw(values.shape, value_type, content, wish, grid)
        value_type = layout.FLOAT32
    content = _float_bytes(edit.target, values, value_type)
    return _Raw(values.shape, value_type, content, wish)


def _float_bytes(target: str, values: np.ndarray, value_type: int) -> bytes:
    with np.errstate(over="ignore"):
        typed: np.ndarray = values.astype(_DTYPES[value_type])
    if not edits_lib.all_finite(typed):
        raise errors.HalfRangeError(
            "float16 holds values up to 65504; write this patch as float32. "
            f"Received: {float(np.abs(values).max()):g} in "
            f"{errors.shown(target)}."
        )
    return typed.tobytes()


def _smallest(raw: _Raw) -> tuple[_Raw, int, bytes]:
    """Codes of a grid as wide as they need, or a byte each: what is smaller.

    zlib sees how often each code is there if it has a byte of its own.
    """
    found = (raw, *_compressed(raw))
    if raw.grid is None or raw.codec != layout.ZLIB:
        return found
    content, grid = grid_lib.with_bytes(raw.content, raw.grid, raw.shape)
    wide = dataclasses.replace(raw, content=content, grid=grid)
    return min(found, (wide, *_compressed(wide)), key=lambda way: len(way[2]))


def _compressed(raw: _Raw) -> tuple[int, bytes]:
    """The codec in use, and the bytes; what does not shrink is stored."""
    if raw.codec != layout.STORED:
        stored = _stream(raw)
        if len(stored) < len(raw.content):
            return raw.codec, stored
    return layout.STORED, raw.content


def _stream(raw: _Raw) -> bytes:
    if raw.codec == layout.PLANES:
        width = np.dtype(_DTYPES[raw.value_type]).itemsize
        return deflation.smallest(planes.split(raw.content, width))
    if raw.grid is not None:
        codes_at = raw.grid.numbers_bytes
        parts = raw.content[:codes_at], raw.content[codes_at:]
        return deflation.smallest(parts)
    # As version 1 always did: the same patch gives the same bytes.
    return zlib.compress(raw.content, deflation.LEVEL)


def _raw(entry: Entry, stored: Iterable[bytes]) -> np.ndarray:
    name = f"The section of {errors.shown(entry.target)}"
    size = entry.raw_bytes
    if entry.codec == layout.STORED:
        return inflation.joined(name, stored, size)
    if entry.codec == layout.ZLIB:
        return inflation.inflate(name, stored, size)
    parts = inflation.inflated(name, stored, size)
    return inflation.joined(
        name, planes.merged(parts, entry.number_bytes), size
    )


def _scalars(entry: Entry, stored: bytes) -> tuple[float, ...]:
    single = struct.unpack(f"<{len(stored) // 4}f", stored)
    if not all(map(math.isfinite, single)):
        raise errors.NotFiniteError(
            "Scalars of a patch must be finite. Received: "
            f"{errors.shown(single)} for {errors.shown(entry.target)}."
        )
    if entry.kind == layout.ADD_SIGNED and single[0] <= 0:
        raise errors.ScaleError(
            "A residual scale is stored as a number above 0 (its sign moves "
            f"into the mask). Received: {single[0]:g} for "
            f"{errors.shown(entry.target)}."
        )
    return single


def _unpacked(entry: Entry, raw: np.ndarray) -> np.ndarray:
    unused = 8 * entry.raw_bytes - entry.elements
    last = int(raw[-1])
    if last & ((1 << unused) - 1):
        raise errors.PaddingError(
            f"The {unused} unused bits behind a mask must be 0. Received: "
            f"{last:#04x} as the last byte of {errors.shown(entry.target)}."
        )
    bits = np.unpackbits(raw, count=entry.elements)
    # So that the edit keeps it, instead of a copy.
    bits.flags.writeable = False
    return bits.view(np.bool_).reshape(entry.shape)


def _floats(entry: Entry, raw: np.ndarray) -> np.ndarray:
    stored = raw.view(_DTYPES[entry.value_type])
    if not edits_lib.all_finite(stored):
        raise errors.NotFiniteError(
            "Values of a patch must be finite. Received: NaN or Inf in the "
            f"values of {errors.shown(entry.target)}."
        )
    values = stored.astype(np.float32, copy=False)
    values.flags.writeable = False
    return values


def _valued_edit(entry: Entry, values: np.ndarray) -> edits_lib.Edit:
    shaped = values.reshape(entry.shape)
    if entry.kind == layout.REPLACE:
        return edits_lib.Replace(entry.target, shaped)
    if entry.kind == layout.SCALE_OFFSET:
        return edits_lib.ScaleOffset(entry.target, shaped[0], shaped[1])
    return _ADAPTERS[entry.kind](entry.target, shaped)


def _masked_edit(
    entry: Entry, mask: np.ndarray, single: tuple[float, ...]
) -> edits_lib.Edit:
    if entry.kind == layout.ADD_SIGNED:
        return edits_lib.AddSigned(entry.target, mask, *single)
    if entry.kind == layout.AFFINE_MASK:
        return edits_lib.AffineMask(entry.target, mask, *single)
    return edits_lib.KeepMasked(entry.target, mask)

"""Edits to sections and back: bits, floats, single numbers."""

from __future__ import annotations

import dataclasses
import math
import struct
import zlib
from collections.abc import Iterable
from typing import Literal, TypeAlias

import numpy as np

from object_detection_patch.patch_file import edits as edits_lib
from object_detection_patch.patch_file import errors, inflation, layout
from object_detection_patch.patch_file import source as source_lib

ValueType: TypeAlias = Literal["float32", "float16"]
Compression: TypeAlias = Literal["none", "zlib"]
VALUE_TYPES = {"float32": layout.FLOAT32, "float16": layout.FLOAT16}
CODECS = {"none": layout.STORED, "zlib": layout.ZLIB}

_SCALARS = {
    layout.REPLACE: 0,
    layout.ADD_SIGNED: 1,
    layout.AFFINE_MASK: 3,
    layout.KEEP_MASKED: 0,
    layout.SCALE_OFFSET: 0,
}
_KINDS = {
    edits_lib.Replace: layout.REPLACE,
    edits_lib.AddSigned: layout.ADD_SIGNED,
    edits_lib.AffineMask: layout.AFFINE_MASK,
    edits_lib.KeepMasked: layout.KEEP_MASKED,
    edits_lib.ScaleOffset: layout.SCALE_OFFSET,
}
_MASKED_KINDS = (layout.ADD_SIGNED, layout.AFFINE_MASK, layout.KEEP_MASKED)
_DTYPES = {layout.FLOAT32: "<f4", layout.FLOAT16: "<f2"}
_ZLIB_LEVEL = 9


@dataclasses.dataclass(frozen=True)
class Entry:
    """One edit as the directory describes it.

    Args:
      kind, value_type, codec: numbers of layout.py.
      shape: of the mask or of the values; (2, channels) of a BatchNorm.
      target: stable name.
      stored_bytes: length of the mask or the values in the file, the
        scalars before them left out.
    """

    kind: int
    value_type: int
    codec: int
    shape: tuple[int, ...]
    target: str
    stored_bytes: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def scalar_bytes(self) -> int:
        return 4 * _SCALARS[self.kind]

    @property
    def section_bytes(self) -> int:
        return self.scalar_bytes + self.stored_bytes

    @property
    def raw_bits(self) -> int:
        """Bits of the mask or the values before padding and compression."""
        return (
            self.elements
            * {
                layout.BITS: 1,
                layout.FLOAT32: 32,
                layout.FLOAT16: 16,
            }[self.value_type]
        )

    @property
    def raw_bytes(self) -> int:
        return (self.raw_bits + 7) // 8


def check_entry(entry: Entry) -> None:
    """Raises PatchFileError unless kind, types, shape and sizes agree.

    Nothing is allocated before this has passed.
    """
    _check_numbers(entry)
    _check_shape(entry)
    _check_size(entry)


def encode(
    edit: edits_lib.Edit, *, value_type: int, codec: int
) -> tuple[Entry, bytes]:
    """The directory entry of an edit and its section.

    `codec` is a wish: what zlib does not shrink is stored as it is.
    """
    edit = _canonical(edit)
    kind = _KINDS[type(edit)]
    if isinstance(edit, edits_lib.MASKED):
        value_type, shape = layout.BITS, edit.mask.shape
        raw = np.packbits(edit.mask.reshape(-1)).tobytes()
    else:
        values = _values_of(edit)
        shape = values.shape
        raw = _float_bytes(edit.target, values, value_type)
    codec, stored = _compressed(raw, codec)
    entry = Entry(kind, value_type, codec, shape, edit.target, len(stored))
    check_entry(entry)
    single = edits_lib.scalars(edit)
    return entry, struct.pack(f"<{len(single)}f", *single) + stored


def decode(entry: Entry, source: source_lib.Source) -> edits_lib.Edit:
    """The edit of a checked entry, from its section, which comes next.

    What is allocated: the edit's own tensor, and for bits and float16 the
    section before they become bools and float32.

    Raises:
      PatchFileError: for a broken zlib stream, set padding bits, NaN, Inf,
        or a scale that is not above zero.
    """
    single = _scalars(entry, source.take(entry.scalar_bytes))
    raw = _raw(entry, source.pieces(entry.stored_bytes))
    if entry.value_type == layout.BITS:
        return _masked_edit(entry, _unpacked(entry, raw), single)
    values = _floats(entry, raw)
    if entry.kind == layout.REPLACE:
        return edits_lib.Replace(entry.target, values)
    return edits_lib.ScaleOffset(entry.target, values[0], values[1])


def _check_numbers(entry: Entry) -> None:
    if entry.kind not in _SCALARS:
        raise errors.UnknownEditError(
            "An edit's kind must be one of 1 to 5. Received: "
            f"{entry.kind} for {errors.shown(entry.target)}; a newer version "
            "of this program may know it."
        )
    masked = entry.kind in _MASKED_KINDS
    allowed = (layout.BITS,) if masked else (layout.FLOAT32, layout.FLOAT16)
    if entry.value_type not in allowed:
        raise errors.UnknownValueTypeError(
            f"The value type of edit kind {entry.kind} must be one of "
            f"{allowed}. Received: {entry.value_type} for "
            f"{errors.shown(entry.target)}."
        )
    if entry.codec not in CODECS.values():
        raise errors.UnknownCodecError(
            "A section's codec must be 0 (stored) or 1 (zlib). Received: "
            f"{entry.codec} for {errors.shown(entry.target)}."
        )


def _check_shape(entry: Entry) -> None:
    if len(entry.shape) > layout.MAX_RANK:
        raise errors.ShapeError(
            f"A tensor may have {layout.MAX_RANK} dimensions. Received: "
            f"{len(entry.shape)} for {errors.shown(entry.target)}."
        )
    if entry.kind == layout.SCALE_OFFSET and (
        len(entry.shape) != 2 or entry.shape[0] != 2
    ):
        raise errors.ShapeError(
            "A BatchNorm's shape must be (2, channels). Received: "
            f"{errors.shown(entry.shape)} for {errors.shown(entry.target)}."
        )
    product = 1
    for size in entry.shape:
        # Both factors are within the limit here: no overflow in 64 bits.
        product *= size if size <= layout.MAX_ELEMENTS else 0
        if not 1 <= product <= layout.MAX_ELEMENTS:
            raise errors.ShapeError(
                "Dimensions must be at least 1, and their product at most "
                f"{layout.MAX_ELEMENTS}. Received: "
                f"{errors.shown(entry.shape)} for "
                f"{errors.shown(entry.target)}."
            )


def _check_size(entry: Entry) -> None:
    if entry.codec == layout.ZLIB:
        inflation.check_inflation(
            f"The section of {errors.shown(entry.target)}",
            stored=entry.stored_bytes,
            raw=entry.raw_bytes,
        )
    elif entry.stored_bytes != entry.raw_bytes:
        raise errors.SectionSizeError(
            f"The section of {errors.shown(entry.target)}, shape "
            f"{errors.shown(entry.shape)}, must have {entry.raw_bytes} bytes. "
            f"Received: {entry.stored_bytes}."
        )


def _canonical(edit: edits_lib.Edit) -> edits_lib.Edit:
    # W + s (1 - 2 M) = W + (-s) (1 - 2 (1 - M)), to the last bit.
    if isinstance(edit, edits_lib.AddSigned) and edit.scale < 0:
        return edits_lib.AddSigned(edit.target, ~edit.mask, -edit.scale)
    return edit


def _values_of(
    edit: edits_lib.Replace | edits_lib.ScaleOffset,
) -> np.ndarray:
    if isinstance(edit, edits_lib.Replace):
        return edit.values
    return np.stack([edit.scale, edit.offset])


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


def _compressed(raw: bytes, codec: int) -> tuple[int, bytes]:
    if codec == layout.ZLIB:
        stored = zlib.compress(raw, _ZLIB_LEVEL)
        if len(stored) < len(raw):
            return layout.ZLIB, stored
    return layout.STORED, raw


def _raw(entry: Entry, stored: Iterable[bytes]) -> np.ndarray:
    name = f"The section of {errors.shown(entry.target)}"
    if entry.codec == layout.STORED:
        return inflation.joined(name, stored, entry.raw_bytes)
    return inflation.inflate(name, stored, entry.raw_bytes)


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
    return values.reshape(entry.shape)


def _masked_edit(
    entry: Entry, mask: np.ndarray, single: tuple[float, ...]
) -> edits_lib.Edit:
    if entry.kind == layout.ADD_SIGNED:
        return edits_lib.AddSigned(entry.target, mask, *single)
    if entry.kind == layout.AFFINE_MASK:
        return edits_lib.AffineMask(entry.target, mask, *single)
    return edits_lib.KeepMasked(entry.target, mask)

"""One edit as the directory describes it, checked before its section."""

from __future__ import annotations

import dataclasses
import math

from object_detection_patch.patch_file import errors, inflation, layout
from object_detection_patch.patch_file.grid import Grid, check_grid

_SCALARS = {
    layout.REPLACE: 0,
    layout.ADD_SIGNED: 1,
    layout.AFFINE_MASK: 3,
    layout.KEEP_MASKED: 0,
    layout.SCALE_OFFSET: 0,
    layout.ADD_AT_CENTRE: 0,
    layout.ADD_PRODUCT_AT_CENTRE: 0,
    layout.MIX_OUTPUTS: 0,
    layout.MIX_OUTPUTS_BY_PRODUCT: 0,
}
_MASKED_KINDS = (layout.ADD_SIGNED, layout.AFFINE_MASK, layout.KEEP_MASKED)
_ADAPTER_KINDS = range(layout.ADD_AT_CENTRE, layout.MIX_OUTPUTS_BY_PRODUCT + 1)
_FLOATS = (layout.FLOAT32, layout.FLOAT16)
_WIDTHS = {layout.BITS: 1, layout.FLOAT32: 32, layout.FLOAT16: 16}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One edit as the directory describes it.

    Args:
      kind, value_type, codec: numbers of layout.py.
      shape: of the mask or of the values; (2, channels) of a BatchNorm.
      target: stable name.
      stored_bytes: length of the mask or the values in the file, the
        scalars before them left out.
      grid: of value types GRID and HALF_GRID, and of no other.
    """

    kind: int
    value_type: int
    codec: int
    shape: tuple[int, ...]
    target: str
    stored_bytes: int
    grid: Grid | None = None

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
        if self.grid is not None:
            return self.grid.raw_bits(self.elements)
        return self.elements * _WIDTHS[self.value_type]

    @property
    def raw_bytes(self) -> int:
        return (self.raw_bits + 7) // 8

    @property
    def number_bytes(self) -> int:
        """Bytes of one number, for what is stored as floats."""
        return _WIDTHS[self.value_type] // 8

    @property
    def version(self) -> int:
        """The first version of the format that has such an entry."""
        if self.value_type == layout.HALF_GRID:
            return 4
        if self.kind in _ADAPTER_KINDS:
            return 3
        is_new = self.value_type == layout.GRID or self.codec == layout.PLANES
        return 2 if is_new else 1


def check_entry(entry: Entry, version: int) -> None:
    """Raises PatchFileError unless kind, types, shape and sizes agree.

    Nothing is allocated before this has passed.

    Args:
      entry: as it was read or will be written.
      version: of the file.
    """
    _check_numbers(entry, version)
    _check_shape(entry)
    if entry.grid is not None:
        check_grid(entry.target, entry.grid, entry.elements)
    _check_size(entry)


def grid_types(version: int) -> tuple[int, ...]:
    """The value types of grids that a version of the format has."""
    first = {layout.GRID: 2, layout.HALF_GRID: 4}
    return tuple(found for found in first if first[found] <= version)


def _check_numbers(entry: Entry, version: int) -> None:
    last = layout.SCALE_OFFSET
    if version > 2:
        last = layout.MIX_OUTPUTS_BY_PRODUCT
    if not layout.REPLACE <= entry.kind <= last:
        raise errors.UnknownEditError(
            f"An edit's kind must be one of 1 to {last}. Received: "
            f"{entry.kind} for {errors.shown(entry.target)}; a newer version "
            "of this program may know it."
        )
    value_types = _value_types(entry, version)
    if entry.value_type not in value_types:
        raise errors.UnknownValueTypeError(
            f"The value type of edit kind {entry.kind} must be one of "
            f"{value_types}. Received: {entry.value_type} for "
            f"{errors.shown(entry.target)}."
        )
    codecs = _codecs(entry, version)
    if entry.codec not in codecs:
        raise errors.UnknownCodecError(
            f"The codec of value type {entry.value_type} must be one of "
            f"{codecs} in version {version}. Received: {entry.codec} for "
            f"{errors.shown(entry.target)}."
        )


def _value_types(entry: Entry, version: int) -> tuple[int, ...]:
    if entry.kind in _MASKED_KINDS:
        return (layout.BITS,)
    return (*_FLOATS, *grid_types(version))


def _codecs(entry: Entry, version: int) -> tuple[int, ...]:
    old = (layout.STORED, layout.ZLIB)
    if version == 1 or entry.value_type not in _FLOATS:
        return old
    return (*old, layout.PLANES)


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
    if entry.kind in _ADAPTER_KINDS:
        _check_matrix(entry)
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


def _check_matrix(entry: Entry) -> None:
    rule = _broken_matrix_rule(entry)
    if rule is not None:
        raise errors.ShapeError(
            f"The matrix of edit kind {entry.kind} must have {rule}. "
            f"Received: {errors.shown(entry.shape)} for "
            f"{errors.shown(entry.target)}."
        )


def _broken_matrix_rule(entry: Entry) -> str | None:
    if len(entry.shape) != 2:
        return "2 dimensions"
    rows, columns = entry.shape
    most = layout.MAX_MIXED_OUTPUTS
    if entry.kind == layout.MIX_OUTPUTS:
        if rows != columns or columns > most:
            return f"as many rows as columns, at most {most}"
    elif entry.kind != layout.ADD_AT_CENTRE and 2 * rows > columns:
        return "a rank of at most half of its columns"
    elif entry.kind == layout.MIX_OUTPUTS_BY_PRODUCT and (
        columns % 2 or columns > 2 * most
    ):
        return f"an even number of columns, at most {2 * most}"
    return None


def _check_size(entry: Entry) -> None:
    if entry.codec != layout.STORED:
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

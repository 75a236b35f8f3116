"""Whether bytes are a well-formed MATLAB 5 file, before scipy reads them.

scipy 1.17 trusts the types and counts it finds: one wrong byte in them ends
the whole process with a segmentation fault, or asks for all of its memory.
Here every element must lie inside the one around it and hold as much as its
dimensions promise. Only values remain for scipy to refuse.
"""

import math
import struct
import zlib

_HEADER_SIZE = 128
_ORDERS = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED, _UTF8 = 1, 5, 6, 14, 15, 16
_NUMBER_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_LETTER_SIZES = {1: 1, 2: 1, 4: 2, 17: 2, 18: 4}
_CELL, _STRUCT, _CHARACTERS = 1, 2, 4
_NUMBERS = range(6, 16)
_COMPLEX = 0x800
_MAX_DIMENSIONS = 32
_MAX_NAME = 64
_MAX_DEPTH = 16
_MAX_INFLATED = 2**30


class StructureError(ValueError):
    """A broken rule; the message names it and the byte's offset."""


def check_structure(data: bytes) -> None:
    """Walks over all variables of a file: cells, structs, text, numbers.

    Raises: StructureError for anything else or anything amiss.
    """
    order = _ORDERS.get(data[124:_HEADER_SIZE])
    if order is None or 0 in data[:4]:
        raise StructureError("no header of a MATLAB 5 file")
    walk = _Walk(data, order)
    position = _HEADER_SIZE
    while position < len(data):
        kind, start, end = walk.full_tag(position, len(data))
        if kind == _COMPRESSED:
            _check_compressed(data[start:end], order, position)
        else:
            walk.matrix(position, len(data), 0)
        position = end


def _check_compressed(data: bytes, order: str, position: int) -> None:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, _MAX_INFLATED)
    except zlib.error as error:
        raise StructureError(f"{error} at byte {position}") from error
    if not inflater.eof:
        raise StructureError(f"unfinished zlib stream at byte {position}")
    end = _Walk(inflated, order).matrix(0, len(inflated), 0)
    if end != len(inflated):
        raise StructureError(f"bytes after the matrix at byte {position}")


class _Walk:
    """Checks elements of one stream; each method returns where it ends.

    Args:
        order: of bytes, as the `struct` module writes it.
    """

    def __init__(self, data: bytes, order: str):
        self._data = data
        self._tag = struct.Struct(f"{order}II")
        self._int32 = struct.Struct(f"{order}i")
        self._order = order

    def full_tag(self, position: int, limit: int) -> tuple[int, int, int]:
        """(type, start, end) of the element whose tag takes 8 bytes."""
        if position + 8 > limit:
            raise StructureError(f"end of data at byte {position}")
        kind, size = self._tag.unpack_from(self._data, position)
        start = position + 8
        if start + size > limit:
            raise StructureError(f"{size} bytes announced at byte {position}")
        return kind, start, start + size

    def matrix(self, position: int, limit: int, depth: int) -> int:
        """A matrix of any class with all that it holds."""
        kind, start, end = self.full_tag(position, limit)
        if kind != _MATRIX:
            raise StructureError(f"type {kind}, no matrix, at byte {position}")
        if depth > _MAX_DEPTH:
            raise StructureError(f"too deep nesting at byte {position}")
        if start == end and depth:
            return end
        flags, at = self._flags(start, end)
        count, at = self._dimensions(at, end)
        _, _, _, at = self._element(at, end, (_INT8, _UTF8))
        at = self._content(at, end, flags, count, depth)
        if at != end:
            raise StructureError(f"matrix of a wrong size at byte {position}")
        return end

    def _content(
        self, at: int, limit: int, flags: int, count: int, depth: int
    ) -> int:
        kind = flags & 0xFF
        if kind == _CELL:
            return self._matrices(at, limit, count, depth)
        if kind == _STRUCT:
            num_fields, at = self._field_names(at, limit)
            return self._matrices(at, limit, count * num_fields, depth)
        if kind == _CHARACTERS:
            return self._characters(at, limit, count)
        if kind not in _NUMBERS:
            raise StructureError(f"matrix of class {kind} before byte {at}")
        for _ in range(2 if flags & _COMPLEX else 1):
            at = self._numbers(at, limit, count)
        return at

    def _matrices(self, at: int, limit: int, count: int, depth: int) -> int:
        for _ in range(count):
            at = self.matrix(at, limit, depth + 1)
        return at

    def _flags(self, at: int, limit: int) -> tuple[int, int]:
        _, start, size, end = self._element(at, limit, (_UINT32,))
        if size != 8:
            raise StructureError(f"flags of {size} bytes at byte {at}")
        return self._tag.unpack_from(self._data, start)[0], end

    def _dimensions(self, at: int, limit: int) -> tuple[int, int]:
        """(number of elements, end)."""
        _, start, size, end = self._element(at, limit, (_INT32,))
        number, rest = divmod(size, 4)
        if rest or not 2 <= number <= _MAX_DIMENSIONS:
            raise StructureError(f"dimensions of {size} bytes at byte {at}")
        sides = struct.unpack_from(f"{self._order}{number}i", self._data, start)
        if min(sides) < 0:
            raise StructureError(f"negative dimension at byte {at}")
        return math.prod(sides), end

    def _field_names(self, at: int, limit: int) -> tuple[int, int]:
        """(number of fields, end); no fields could mean endless structs."""
        _, start, size, end = self._element(at, limit, (_INT32,))
        length = self._int32.unpack_from(self._data, start)[0]
        if size != 4 or not 1 <= length <= _MAX_NAME:
            raise StructureError(f"length of field names at byte {at}")
        _, start, size, end = self._element(end, limit, (_INT8,))
        fields = [
            self._data[i : i + length].split(b"\x00")[0]
            for i in range(start, start + size, length)
        ]
        is_clear = fields and all(fields) and len(set(fields)) == len(fields)
        if size % length or not is_clear:
            raise StructureError(f"unclear field names before byte {end}")
        return len(fields), end

    def _characters(self, at: int, limit: int, count: int) -> int:
        kinds = (*_LETTER_SIZES, _UTF8)
        kind, start, size, end = self._element(at, limit, kinds)
        if kind == _UTF8:
            letters = self._data[start : start + size].decode(
                "utf-8", "replace"
            )
            fits = len(letters) == count
        else:
            fits = size == count * _LETTER_SIZES[kind]
        if not fits:
            raise StructureError(f"{size} bytes for {count} letters at {at}")
        return end

    def _numbers(self, at: int, limit: int, count: int) -> int:
        kind, _, size, end = self._element(at, limit, tuple(_NUMBER_SIZES))
        if size != count * _NUMBER_SIZES[kind]:
            raise StructureError(f"{size} bytes for {count} numbers at {at}")
        return end

    def _element(
        self, at: int, limit: int, kinds: tuple[int, ...]
    ) -> tuple[int, int, int, int]:
        """(type, start, size, end with padding) of one of these types."""
        if at + 8 > limit:
            raise StructureError(f"end of data at byte {at}")
        kind, size = self._tag.unpack_from(self._data, at)
        if kind > 0xFFFF:
            # Up to four bytes of data share the eight with their tag.
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            end = at + 8
        else:
            start = at + 8
            end = start + size + -size % 8
        if kind not in kinds:
            raise StructureError(f"type {kind} at byte {at}")
        if start + size > end or end > limit:
            raise StructureError(f"{size} bytes announced at byte {at}")
        return kind, start, size, end

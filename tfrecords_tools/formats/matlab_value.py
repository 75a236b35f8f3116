"""A MATLAB value as plain Python, with its place for messages.

Numbers in MATLAB files have the smallest type that fits, so `uint8` and
`uint16` are mixed within one file and arithmetic on them wraps around. What
leaves this module is `int` and `str`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfrecords_tools.errors import ParseError


class MatValue:
    """A value of a MATLAB file; each method refuses what it does not name.

    Args:
        value: as scipy returns it; single elements may be squeezed.
        path: the file.
        place: where in it, in MATLAB's words, as `annotations(1,17).class`.
    """

    def __init__(self, value: object, path: Path, place: str):
        self._array = np.asarray(value)
        self._path = path
        self._place = place

    def error(self, problem: str) -> ParseError:
        """What to raise if the value breaks a rule of the dataset."""
        return ParseError(self._path, self._place, problem)

    def integer(self) -> int:
        """A single whole number of any numeric type."""
        if self._array.size != 1:
            raise self._expected("a single number")
        return self.integers()[0]

    def integers(self) -> list[int]:
        """Whole numbers of a vector of any numeric type."""
        if self._array.dtype.kind not in "buif":
            raise self._expected("a vector of numbers")
        numbers = [_whole(number) for _, number in self._vector()]
        if None in numbers:
            raise self._expected("whole numbers")
        return [number for number in numbers if number is not None]

    def text(self) -> str:
        """One row of printable characters, at least one."""
        is_row = self._array.dtype.kind == "U" and self._array.size == 1
        text = str(self._array.item()) if is_row else ""
        if not text or not text.isprintable():
            raise self._expected("text of printable characters")
        return text

    def texts(self) -> list[str]:
        """Texts of a vector cell."""
        return [value.text() for value in self.cells()]

    def cells(self) -> Iterator["MatValue"]:
        """Elements of a vector cell."""
        if self._array.dtype.kind != "O":
            raise self._expected("a cell")
        for index, value in self._vector():
            yield MatValue(value, self._path, f"{self._place}{{{index}}}")

    def structs(self) -> Iterator["MatValue"]:
        """Elements of a vector of structs, each a 1x1 struct."""
        if self._array.dtype.names is None:
            raise self._expected("a struct array")
        for index, value in self._vector():
            yield MatValue(value, self._path, f"{self._place}({index})")

    def field(self, name: str) -> "MatValue":
        """A field of a 1x1 struct."""
        names = self._array.dtype.names
        if names is None or self._array.size != 1:
            raise self._expected("a 1x1 struct")
        place = f"{self._place}.{name}"
        if name not in names:
            raise ParseError(
                self._path,
                place,
                f"A struct must have this field. Received: {', '.join(names)}",
            )
        return MatValue(self._array.reshape(())[name].item(), self._path, place)

    def shape(self) -> tuple[int, int]:
        """(rows, columns) of a numeric matrix that has both."""
        is_matrix = self._array.ndim == 2 and self._array.size > 0
        if not is_matrix or self._array.dtype.kind not in "buif":
            raise self._expected("a matrix of numbers")
        rows, columns = self._array.shape
        return rows, columns

    def _vector(self) -> Iterator[tuple[str, object]]:
        """(index as MATLAB counts, element) of a vector, row or column."""
        shape = self._array.shape
        if sum(side != 1 for side in shape) > 1 and self._array.size:
            raise self._expected("a single row or column")
        is_column = len(shape) > 1 and shape[0] != 1
        for number, element in enumerate(self._array.ravel(), 1):
            yield f"{number},1" if is_column else f"1,{number}", element

    def _expected(self, rule: str) -> ParseError:
        return self.error(f"The value must be {rule}. Received: {self._kind()}")

    def _kind(self) -> str:
        """What the value is, in a few words."""
        array = self._array
        if array.size == 1 and array.dtype.kind in "buifcU":
            return repr(array.item())[:80]
        kind = "struct" if array.dtype.names is not None else array.dtype.name
        sides = "x".join(map(str, array.shape))
        return f"{kind} of {sides}" if sides else kind


def _whole(number: object) -> int | None:
    """The number as an integer; None if it is none."""
    value = float(number) if isinstance(number, np.floating) else number
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value)  # type: ignore[call-overload]

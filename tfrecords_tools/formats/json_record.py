"""One object of a JSON file, whose values are checked when taken."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from tfrecords_tools.errors import ParseError

MAX_INTEGER = 2**63 - 1


@dataclasses.dataclass(frozen=True, slots=True)
class JsonRecord:
    """The values asked for in one object of a section.

    Args:
        path: the file.
        section: key of the array that holds the object.
        index: place in the array, from 0.
        values: scalars and flat lists by key; what is nested deeper is None.
    """

    path: Path
    section: str
    index: int
    values: Mapping[str, Any]

    def integer(self, key: str, *, minimum: int, maximum: int) -> int:
        """A number written without a fraction, within the limits."""
        value = self._get(key)
        if type(value) is not int or not minimum <= value <= maximum:
            self.fail(
                f"`{key}` must be an integer from {minimum} to {maximum}. "
                f"Received: {shown(value)}"
            )
        return value

    def numbers(self, key: str, count: int, limit: float) -> list[float]:
        """A list of `count` numbers of which none exceeds +-limit."""
        values = self._get(key)
        is_list = isinstance(values, list) and len(values) == count
        if not is_list or not all(_is_number(v, limit) for v in values):
            self.fail(
                f"`{key}` must be {count} numbers between -{limit:g} and "
                f"{limit:g}. Received: {shown(values)}"
            )
        return [float(value) for value in values]

    def number(self, key: str, limit: float) -> float:
        """A number from 0 to the limit."""
        value = self._get(key)
        if not _is_number(value, limit) or value < 0:
            self.fail(
                f"`{key}` must be a number from 0 to {limit:g}. Received: "
                f"{shown(value)}"
            )
        return float(value)

    def text(self, key: str) -> str:
        """A string that is not empty and has no control characters."""
        value = self._get(key)
        if not isinstance(value, str) or not value or not value.isprintable():
            self.fail(
                f"`{key}` must be a printable string. Received: {shown(value)}"
            )
        return value

    def fail(self, problem: str) -> NoReturn:
        """Raises ParseError that names this record."""
        raise ParseError(self.path, f"{self.section}[{self.index}]", problem)

    def _get(self, key: str) -> Any:
        if key not in self.values:
            self.fail(
                f"Each record of `{self.section}` must have `{key}`. "
                f"Received keys: {', '.join(sorted(self.values)) or 'none'}"
            )
        return self.values[key]


def _is_number(value: Any, limit: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and abs(value) <= limit


def shown(value: Any) -> str:
    """The value as a message can carry it."""
    return repr(value)[:80]

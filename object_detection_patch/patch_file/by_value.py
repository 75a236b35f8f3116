"""What every edit is: its fields, equal by value, in arrays nobody changes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from object_detection_patch.patch_file import errors


class ByValue:
    """Equality of dataclasses that hold arrays."""

    target: str

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(mine, its)
            for mine, its in zip(_values(self), _values(other), strict=True)
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.target))


def set_field(edit: Any, name: str, value: Any) -> None:
    """Sets a field of a frozen dataclass while it is being built."""
    object.__setattr__(edit, name, value)


def constant_floats(values: Any) -> np.ndarray:
    """The values as read-only float32, copied unless nobody can change them."""
    if _is_constant(values, np.float32):
        return values
    with np.errstate(over="ignore"):
        copied = np.array(values, dtype=np.float32, order="C")
    copied.flags.writeable = False
    return copied


def constant_mask(target: str, mask: Any) -> np.ndarray:
    """The mask, read-only, copied unless nobody can change it.

    Raises:
      TypeError: for anything but an array of bool.
    """
    if _is_constant(mask, np.bool_):
        return mask
    copied = np.array(mask, order="C")
    if copied.dtype != np.bool_:
        raise TypeError(
            "A mask must be an array of bool. Received: "
            f"{copied.dtype} for {errors.shown(target)}."
        )
    copied.flags.writeable = False
    return copied


def single(value: float) -> float:
    """The value rounded to float32."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _values(edit: Any) -> list[Any]:
    return [getattr(edit, field.name) for field in dataclasses.fields(edit)]


def _is_constant(values: Any, dtype: type[np.generic]) -> bool:
    """Whether it can be kept as it is, nobody holding a way to change it."""
    if type(values) is not np.ndarray or values.dtype != dtype:
        return False
    if not values.flags.c_contiguous:
        return False
    owner: Any = values
    while isinstance(owner, np.ndarray) and not owner.flags.writeable:
        owner = owner.base
    return owner is None

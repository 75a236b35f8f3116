"""Values on a grid: value = lo + step * code, `lo` and `step` a group.

Arithmetic is float32, every operation rounded on its own; `lo` and `step` are
float32, or float16 in a half grid. FORMAT.md, Grid, says how the bytes lie and
bounds the error.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from object_detection_patch.patch_file import edits as edits_lib
from object_detection_patch.patch_file import errors, layout

# Codes unpacked at once: a multiple of 8, so that each block is whole bytes.
_BLOCK = 2**14
# Units in the last place of a group's greatest number: what computing a value
# of a grid in another order may move it.
_SLACK = 4
# Of a number: what float16 may move it.
_HALF_ROUNDING = np.float32(2.0**-11)


@dataclasses.dataclass(frozen=True)
class Grid:
    """How the numbers of a tensor are grouped, and the width of their codes.

    Number i belongs to group (i // inner) % groups. In a half grid `lo` and
    `step` are float16.
    """

    bits: int
    inner: int
    groups: int
    half: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Of `lo` and `step` in a file."""
        return np.dtype("<f2" if self.half else "<f4")

    @property
    def numbers_bytes(self) -> int:
        """Bytes of `lo` and `step`, which come before the codes."""
        return 2 * self.dtype.itemsize * self.groups

    def raw_bits(self, elements: int) -> int:
        """Bits of `lo`, `step` and the codes, before padding."""
        return 8 * self.numbers_bytes + self.bits * elements


def check_grid(target: str, grid: Grid, elements: int) -> None:
    """Raises GridError for a grid that no tensor of `elements` can have."""
    if not layout.MIN_GRID_BITS <= grid.bits <= layout.MAX_GRID_BITS:
        raise errors.GridError(
            f"Codes of a grid have {layout.MIN_GRID_BITS} to "
            f"{layout.MAX_GRID_BITS} bits. Received: {grid.bits} for "
            f"{errors.shown(target)}."
        )
    if not 1 <= grid.groups <= layout.MAX_GRID_GROUPS:
        raise errors.GridError(
            f"A grid has 1 to {layout.MAX_GRID_GROUPS} groups. Received: "
            f"{grid.groups} for {errors.shown(target)}."
        )
    if grid.inner < 1 or elements % (grid.inner * grid.groups):
        raise errors.GridError(
            "A grid's `inner` times its `groups` must divide its tensor's "
            f"{elements} numbers. Received: {grid.inner} times {grid.groups} "
            f"for {errors.shown(target)}."
        )


def encode(target: str, values: np.ndarray, grid: Grid) -> bytes:
    """The raw section of values: `lo`, `step`, codes.

    Every group spans its own values: `lo` is the least, and the greatest has
    the highest code. A group of one value has step 0.

    Raises:
      GridRangeError: if a group's values lie so far apart that the numbers
        of the grid overflow.
    """
    grouped = values.reshape(-1, grid.groups, grid.inner)
    fit = _fit(grouped, grid)
    if not edits_lib.all_finite(fit.values):
        with np.errstate(over="ignore"):
            span = float((grouped.max(axis=(0, 2)) - fit.lo).max())
        raise errors.GridRangeError(
            "The values of a group must lie closer together than "
            f"{'float16' if grid.half else 'float32'} reaches; write this "
            f"patch as float32. Received: a span of {span:g} in "
            f"{errors.shown(target)}."
        )
    head = np.concatenate([fit.lo, fit.step]).astype(grid.dtype).tobytes()
    return head + _packed(fit.codes.reshape(-1), grid.bits)


def with_bytes(
    content: bytes, grid: Grid, shape: tuple[int, ...]
) -> tuple[bytes, Grid]:
    """A raw section of the same values whose codes take a byte each."""
    packed = np.frombuffer(content, np.uint8)[grid.numbers_bytes :]
    codes = _unpacked(packed, grid.bits, math.prod(shape))
    wide = dataclasses.replace(grid, bits=layout.MAX_GRID_BITS)
    return content[: grid.numbers_bytes] + codes.tobytes(), wide


def narrowest(values: np.ndarray, grid: Grid) -> Grid:
    """The grid with the fewest bits that hold the values.

    That is for values trained on a grid; for others it is `grid` itself. A
    half grid may round as float16 does where no fewer bits are exact: nearly
    equal values, trained so, would need more bits than they were trained on.

    Args:
      values: finite float32.
      grid: how they are grouped, and the most bits.
    """
    grouped = values.reshape(-1, grid.groups, grid.inner)
    greatest = np.abs(grouped).max(axis=(0, 2))
    slack = _SLACK * np.spacing(greatest)
    found = _narrowest(grouped, grid, slack)
    if found == grid and grid.half:
        # Two numbers are rounded, each to half a unit in its last place.
        slack += 2 * _HALF_ROUNDING * greatest
        found = _narrowest(grouped, grid, slack)
    return found


def halved(values: np.ndarray, grid: Grid) -> Grid:
    """The half grid of the same codes; `grid` itself where that rounds more
    than FORMAT.md allows: beyond float16's range, or near its least numbers.

    Args:
      values: finite float32.
      grid: how they are grouped, and the bits.
    """
    grouped = values.reshape(-1, grid.groups, grid.inner)
    half = dataclasses.replace(grid, half=True)
    fit = _fit(grouped, half)
    if not edits_lib.all_finite(fit.values):
        return grid
    slack = _SLACK * np.spacing(np.abs(grouped).max(axis=(0, 2)))
    bound = _max_errors(fit.values, fit.step, half) + slack
    return half if (fit.error(grouped) <= bound).all() else grid


def decode(
    target: str, raw: np.ndarray, grid: Grid, elements: int
) -> tuple[np.ndarray, float]:
    """The values of a raw section, and the bound on their error.

    Args:
      target: for messages.
      raw: uint8, of the length that `grid` and `elements` require.

    Returns:
      float32 values of shape (elements,), read-only; how far a value may be
      from the one that was written, rounding in float32 apart: half of the
      greatest step, in a half grid and 2^-11 of its group's greatest number.

    Raises:
      PatchFileError: for a number that is not finite, a step below 0, or set
        padding bits.
    """
    numbers = raw[: grid.numbers_bytes].view(grid.dtype)
    lo, step = numbers.astype(np.float32, copy=False).reshape(2, grid.groups)
    _check_numbers(target, lo, step)
    packed = raw[grid.numbers_bytes :]
    _check_padding(target, packed, grid.bits * elements)
    codes = _unpacked(packed, grid.bits, elements)
    with np.errstate(over="ignore"):
        values = _values(
            codes.reshape(-1, grid.groups, grid.inner), lo, step, grid
        )
    if not edits_lib.all_finite(values):
        raise errors.NotFiniteError(
            "Values of a patch must be finite. Received: a grid that reaches "
            f"beyond float32 in the values of {errors.shown(target)}."
        )
    return values, float(_max_errors(values, step, grid).max())


def _narrowest(grouped: np.ndarray, grid: Grid, slack: np.ndarray) -> Grid:
    for bits in range(layout.MIN_GRID_BITS, grid.bits):
        fewer = dataclasses.replace(grid, bits=bits)
        if (_fit(grouped, fewer).error(grouped) <= slack).all():
            return fewer
    return grid


@dataclasses.dataclass(frozen=True)
class _Fit:
    """Values of shape (outer, groups, inner) on a grid.

    Args:
      lo, step: float32, (groups,).
      codes: uint8.
      values: float32, what the codes stand for, one row.
    """

    lo: np.ndarray
    step: np.ndarray
    codes: np.ndarray
    values: np.ndarray

    def error(self, grouped: np.ndarray) -> np.ndarray:
        """The greatest distance of each group from what was given."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.values.reshape(grouped.shape)
            worst: np.ndarray = np.abs(found - grouped).max(axis=(0, 2))
        return worst


def _fit(grouped: np.ndarray, grid: Grid) -> _Fit:
    levels = np.float32(2**grid.bits - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        lo = _stored(grouped.min(axis=(0, 2)), grid)
        step = _step(grouped.max(axis=(0, 2)) - lo, levels)
        step = _stored(step, grid)
        codes = _codes(grouped, lo, step, levels)
        return _Fit(lo, step, codes, _values(codes, lo, step, grid))


def _stored(numbers: np.ndarray, grid: Grid) -> np.ndarray:
    """As a reader finds them, in float32."""
    return numbers.astype(grid.dtype).astype(np.float32, copy=False)


def _max_errors(values: np.ndarray, step: np.ndarray, grid: Grid) -> np.ndarray:
    """Of each group of values as they are read, rounding in float32 apart."""
    if not grid.half:
        return step / 2
    grouped = values.reshape(-1, grid.groups, grid.inner)
    # Without a second tensor, which the absolute values would be.
    least, greatest = grouped.min(axis=(0, 2)), grouped.max(axis=(0, 2))
    return step / 2 + np.maximum(-least, greatest) * _HALF_ROUNDING


def _step(span: np.ndarray, levels: np.float32) -> np.ndarray:
    # A span of a few of the least numbers would give 0, which is for none.
    least = np.finfo(np.float32).smallest_subnormal
    return np.where(span > 0, np.maximum(span / levels, least), np.float32(0))


def _codes(
    grouped: np.ndarray, lo: np.ndarray, step: np.ndarray, levels: np.float32
) -> np.ndarray:
    divisor = np.where(step > 0, step, np.float32(1))
    steps = np.rint((grouped - lo[:, None]) / divisor[:, None])
    # What overflowed becomes a number here and is found by its value.
    finite = np.nan_to_num(steps, nan=0.0)
    return np.clip(finite, 0, levels).astype(np.uint8)


def _values(
    codes: np.ndarray, lo: np.ndarray, step: np.ndarray, grid: Grid
) -> np.ndarray:
    """lo + step * code of codes (outer, groups, inner), one read-only row."""
    values = np.empty(codes.shape, np.float32)
    np.multiply(codes, step[:, None], out=values, dtype=np.float32)
    np.add(values, lo[:, None], out=values)
    # Before there is a view of it, so that an edit keeps it: no copy.
    values.flags.writeable = False
    return values.reshape(-1)


def _packed(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits each, the most significant first."""
    unpacked = np.unpackbits(codes[:, None], axis=1)[:, 8 - bits :]
    return np.packbits(unpacked).tobytes()


def _unpacked(packed: np.ndarray, bits: int, count: int) -> np.ndarray:
    """What `_packed` packed, as uint8, in little memory beside it."""
    if bits == 8:
        return packed
    codes = np.empty(count, np.uint8)
    for at in range(0, count, _BLOCK):
        size = min(_BLOCK, count - at)
        block = packed[at * bits // 8 :]
        wide = np.zeros((size, 8), np.uint8)
        wide[:, 8 - bits :] = np.unpackbits(
            block[: (size * bits + 7) // 8], count=size * bits
        ).reshape(size, bits)
        codes[at : at + size] = np.packbits(wide)
    return codes


def _check_numbers(target: str, lo: np.ndarray, step: np.ndarray) -> None:
    if not (edits_lib.all_finite(lo) and edits_lib.all_finite(step)):
        raise errors.NotFiniteError(
            "The numbers of a grid must be finite. Received: NaN or Inf for "
            f"{errors.shown(target)}."
        )
    if float(step.min()) < 0:
        raise errors.GridStepError(
            "The steps of a grid must be 0 or above. Received: "
            f"{float(step.min()):g} for {errors.shown(target)}."
        )


def _check_padding(target: str, packed: np.ndarray, bits: int) -> None:
    unused = 8 * packed.size - bits
    last = int(packed[-1])
    if last & ((1 << unused) - 1):
        raise errors.PaddingError(
            f"The {unused} unused bits behind a grid's codes must be 0. "
            f"Received: {last:#04x} as the last byte of "
            f"{errors.shown(target)}."
        )

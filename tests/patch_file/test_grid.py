"""Grids beside a slow oracle in plain Python, and the bound on their error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from object_detection_patch.patch_file import errors
from object_detection_patch.patch_file.grid import (
    Grid,
    check_grid,
    decode,
    encode,
    halved,
    narrowest,
)

_BITS = st.integers(2, 8)
_FLOATS = st.floats(-(2.0**126), 2.0**126, width=32)


@st.composite
def _cases(draw):
    """A grid, and values of groups that it can have."""
    grid = Grid(
        draw(_BITS), draw(st.integers(1, 5)), groups=draw(st.integers(1, 5))
    )
    outer = draw(st.integers(1, 5))
    shape = (outer, grid.groups, grid.inner)
    return grid, draw(hnp.arrays(np.float32, shape, elements=_FLOATS))


def _decoded(raw: bytes, grid: Grid, elements: int):
    return decode("k", np.frombuffer(raw, np.uint8), grid, elements)


def _by_hand(raw: bytes, grid: Grid, elements: int) -> list[np.float32]:
    numbers = np.frombuffer(raw[: 8 * grid.groups], "<f4")
    packed = raw[8 * grid.groups :]
    bits = "".join(f"{byte:08b}" for byte in packed)
    assert set(bits[grid.bits * elements :]) <= {"0"}
    values = []
    for i in range(elements):
        group = i // grid.inner % grid.groups
        code = int(bits[grid.bits * i : grid.bits * (i + 1)], 2)
        product = np.float32(numbers[grid.groups + group] * np.float32(code))
        values.append(np.float32(numbers[group] + product))
    return values


@settings(deadline=None)
@given(_cases())
def test_decode_is_the_formula_of_the_specification(case):
    grid, values = case
    raw = encode("k", values, grid)
    found, _ = _decoded(raw, grid, values.size)

    assert len(raw) == (grid.raw_bits(values.size) + 7) // 8
    assert found.tolist() == _by_hand(raw, grid, values.size)


@settings(deadline=None)
@given(_cases())
def test_fewer_bits_are_taken_only_where_they_hold_the_values(case):
    grid, values = case
    found = narrowest(values, grid)
    held, _ = _decoded(encode("k", values, found), found, values.size)
    greatest = np.abs(values).max(axis=(0, 2), keepdims=True)

    assert 2 <= found.bits <= grid.bits
    if found.bits < grid.bits:
        error = np.abs(held.reshape(values.shape) - values)
        assert (error <= 4 * np.spacing(greatest)).all()


@settings(deadline=None)
@given(_cases(), st.integers(2, 8))
def test_values_of_a_grid_are_written_with_its_bits(case, more):
    grid, values = case
    values = values / np.float32(2.0**100)
    raw = encode("k", values, grid)
    held, _ = _decoded(raw, grid, values.size)
    wide = Grid(max(grid.bits, more), grid.inner, grid.groups)

    assert narrowest(held.reshape(values.shape), wide).bits <= grid.bits


@settings(deadline=None)
@given(_cases())
@example((Grid(8, 2, 1), np.array([0, 382 * 2.0**-149], np.float32)))
@example((Grid(8, 2, 1), np.array([0, 2.0**-149], np.float32)))
@example((Grid(2, 3, 1), np.array([-1e38, 0, 1e38], np.float32)))
def test_error_stays_within_its_bound(case):
    grid, values = case
    values = values.reshape(-1, grid.groups, grid.inner)
    raw = encode("k", values, grid)
    found, max_error = _decoded(raw, grid, values.size)
    numbers = np.frombuffer(raw, "<f4", count=2 * grid.groups)
    steps = numbers[grid.groups :]

    assert max_error == steps.max() / 2
    exact = values.astype(np.float64)
    error = np.abs(found.reshape(values.shape) - exact)
    greatest = np.abs(exact).max(axis=(0, 2))
    bound = steps.astype(np.float64) / 2 + 2.0**-20 * greatest + 2.0**-140
    assert (error <= bound[:, None]).all()


@given(_BITS, st.floats(-(2.0**99), 2.0**99, width=32), st.integers(1, 20))
def test_a_constant_group_is_exact(bits, value, count):
    values = np.full((count, 1), value, np.float32)
    raw = encode("k", values, Grid(bits, 1, 1))
    found, max_error = _decoded(raw, Grid(bits, 1, 1), count)

    assert max_error == 0
    assert (found == np.float32(value)).all()
    assert np.frombuffer(raw, "<f4", count=2)[1] == 0


@pytest.mark.parametrize("bits", range(2, 9))
def test_every_code_comes_back(bits):
    values = np.arange(2**bits, dtype=np.float32)
    raw = encode("k", values, Grid(bits, 1, 1))

    assert raw[:8] == np.array([0, 1], "<f4").tobytes()
    found, max_error = _decoded(raw, Grid(bits, 1, 1), values.size)
    assert found.tolist() == values.tolist()
    assert max_error == 0.5


@settings(deadline=None)
@given(_cases(), st.integers(-60, 30))
@example((Grid(8, 2, 1), np.array([1, 1 + 2.0**-20], np.float32)), 0)
@example((Grid(5, 3, 1), np.array([-65000, 0, 65504], np.float32)), 0)
def test_a_half_grid_stays_within_its_bound_or_is_not_taken(case, exponent):
    grid, values = case
    values = np.ldexp(values / np.float32(2.0**126), exponent)
    values = values.reshape(-1, grid.groups, grid.inner).astype(np.float32)
    found = narrowest(values, halved(values, grid))
    if not found.half:
        greatest = np.abs(values).max(axis=(0, 2))
        assert (greatest > 60000).any() or (greatest < 2.0**-5).any()
        return
    raw = encode("k", values, found)
    held, max_error = _decoded(raw, found, values.size)

    assert len(raw) == (found.raw_bits(values.size) + 7) // 8
    numbers = np.frombuffer(raw, "<f2", count=2 * grid.groups)
    steps = numbers[grid.groups :].astype(np.float64)
    held = held.reshape(values.shape).astype(np.float64)
    greatest = np.abs(held).max(axis=(0, 2))
    bound = steps / 2 + 2.0**-11 * greatest
    assert max_error == pytest.approx(bound.max(), rel=1e-6)
    slack = 2.0**-20 * np.abs(values).max(axis=(0, 2))
    assert (np.abs(held - values) <= (bound + slack)[:, None]).all()


def test_a_half_grid_takes_half_of_the_bytes_for_its_numbers():
    values = np.arange(64, dtype=np.float32).reshape(8, 8, 1)
    grid = Grid(6, 1, 8)
    half = halved(values, grid)

    assert half == Grid(6, 1, 8, half=True)
    saved = len(encode("k", values, grid)) - len(encode("k", values, half))
    assert saved == 32


@pytest.mark.parametrize("values", [[1e5, 2e5], [-7e4, -7e4], [0, 1e-6]])
def test_numbers_that_float16_cannot_hold_stay_float32(values):
    grid = Grid(8, 2, 1)

    assert halved(np.array(values, np.float32), grid) == grid


def test_nearly_equal_values_take_few_bits_of_a_half_grid():
    values = 1 + np.arange(40, dtype=np.float32) / 2**17
    half = halved(values, Grid(6, 1, 1))

    assert narrowest(values, half) == Grid(2, 1, 1, half=True)
    assert narrowest(values, Grid(6, 1, 1)) == Grid(6, 1, 1)


def test_bytes_of_a_half_grid_by_hand():
    values = np.array([0, 0.5, 1.5, 2.5, 3], np.float32)
    raw = encode("k", values, Grid(2, 5, 1, half=True))

    # float16: 0 and 1.
    assert raw == b"\0\0\x00\x3c" + bytes([0b00001010, 0b11000000])


def test_bytes_by_hand():
    # Halves go to the even code: 0.5 to 0, 1.5 and 2.5 to 2.
    values = np.array([0, 0.5, 1.5, 2.5, 3], np.float32)
    raw = encode("k", values, Grid(2, 5, 1))

    assert raw[8:] == bytes([0b00001010, 0b11000000])


@pytest.mark.parametrize("bits", [3, 5, 7])
@pytest.mark.parametrize("count", [2**14 - 1, 2**14, 2**14 + 1, 2**15 + 9])
def test_blocks_of_codes(bits, count):
    values = np.random.default_rng(count).integers(0, 2**bits, count)
    values[:2] = 0, 2**bits - 1
    raw = encode("k", values.astype(np.float32), Grid(bits, 1, 1))
    found, _ = _decoded(raw, Grid(bits, 1, 1), count)

    assert np.array_equal(found, values)


def test_values_cannot_be_changed_and_are_kept_by_edits():
    raw = encode("k", np.arange(9, dtype=np.float32), Grid(8, 1, 1))
    found, _ = _decoded(raw, Grid(8, 1, 1), 9)

    assert not found.flags.writeable
    assert not found.base.flags.writeable


@pytest.mark.parametrize(
    "values", [[-3e38, 3e38], [-2e38, 0, 2e38], [-3.4e38, 3.4e38]]
)
@pytest.mark.parametrize("bits", [2, 8])
def test_values_too_far_apart(values, bits):
    with pytest.raises(errors.GridRangeError, match="float32.*inf in 'k'"):
        encode("k", np.array(values, np.float32), Grid(bits, 1, 1))


def test_a_wide_span():
    top = np.finfo(np.float32).max
    for bits in range(2, 9):
        values = np.array([-top / 4, top / 4], np.float32)
        raw = encode("k", values, Grid(bits, 1, 1))
        found, _ = _decoded(raw, Grid(bits, 1, 1), 2)
        assert np.allclose(found, values)


def test_a_grid_fits_its_tensor():
    check_grid("k", Grid(2, 1, 1), 1)
    check_grid("k", Grid(8, 2**10, 2**16), 2**26)
    with pytest.raises(errors.GridError, match="Received: 2 times 3 for 'k'"):
        check_grid("k", Grid(8, 2, 3), 9)

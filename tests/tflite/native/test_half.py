"""float16 against numpy."""

import ctypes

import numpy as np
import pytest

FASTEST, PORTABLE = 0, 1


@pytest.fixture(params=[FASTEST, PORTABLE])
def kind(request):
    return request.param


@pytest.fixture
def widened(library, kind):
    def of(halves):
        out = np.empty(halves.size, np.float32)
        library.odp_test_floats_of_halves(
            kind,
            halves.ctypes.data_as(ctypes.c_void_p),
            out.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(halves.size),
        )
        return out

    return of


@pytest.fixture
def narrowed(library, kind):
    def of(floats):
        out = np.empty(floats.size, np.uint16)
        are_finite = library.odp_test_halves_of_floats(
            kind,
            floats.ctypes.data_as(ctypes.c_void_p),
            out.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(floats.size),
        )
        return out, bool(are_finite)

    return of


def _bits(values):
    return values.view(np.uint32 if values.itemsize == 4 else np.uint16)


def test_every_half_widens_as_in_numpy(widened):
    halves = np.arange(2**16, dtype=np.uint16)
    halves = halves[~np.isnan(halves.view(np.float16))]
    expected = halves.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(_bits(widened(halves)), _bits(expected))


def test_nan_stays_nan(widened):
    halves = np.arange(2**16, dtype=np.uint16)
    halves = halves[np.isnan(halves.view(np.float16))]
    assert np.isnan(widened(halves)).all()


def _check(narrowed, kind, floats):
    found, are_finite = narrowed(floats)
    with np.errstate(over="ignore"):
        expected = floats.astype(np.float16)
    np.testing.assert_array_equal(found, _bits(expected))
    if kind == FASTEST:
        assert are_finite == np.isfinite(expected).all()


def test_every_half_comes_back(narrowed, kind):
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    _check(narrowed, kind, halves[np.isfinite(halves)].astype(np.float32))


def test_floats_next_to_halfway_round_as_in_numpy(narrowed, kind):
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16)
    floats = halves.astype(np.float32)
    halfway = (floats[:-1] + floats[1:]) / np.float32(2)
    for sign in (1, -1):
        for nudge in (-1, 0, 1):
            bits = _bits(halfway).astype(np.int64) + nudge
            moved = bits.astype(np.uint32).view(np.float32)
            _check(narrowed, kind, np.float32(sign) * moved)


@pytest.mark.parametrize("seed", range(4))
def test_random_floats_round_as_in_numpy(narrowed, kind, seed):
    bits = np.random.default_rng(seed).integers(0, 2**32, 200_000, np.uint32)
    floats = bits.view(np.float32)
    _check(narrowed, kind, floats[~np.isnan(floats)])


@pytest.mark.parametrize("value", [65519.996, 65520, 1e38, np.inf])
@pytest.mark.parametrize("count", [1, 9, 100])
def test_what_is_too_large_is_told(narrowed, kind, value, count):
    floats = np.ones(count, np.float32)
    floats[-1] = value
    _check(narrowed, kind, floats)

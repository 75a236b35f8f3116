"""The order of mask bits, against numpy."""

import ctypes

import numpy as np
import pytest


def _drawn(rows, columns):
    rng = np.random.default_rng(rows * 1000 + columns)
    return rng.integers(0, 2, (rows, columns)).astype(np.uint8)


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 27, 64, 100])
@pytest.mark.parametrize("columns", [1, 3, 8, 15, 16, 17, 40])
def test_transposes_blocks_of_columns(library, rows, columns):
    matrix = _drawn(rows, columns)
    bits = np.packbits(matrix)
    stride = (rows + 7) // 8
    for first in range(0, columns, 8):
        last = min(first + 16, columns)
        out = ctypes.create_string_buffer((last - first) * stride)
        sizes = map(ctypes.c_size_t, (rows, columns, first, last))
        library.odp_test_transpose(bits.tobytes(), *sizes, out)
        expected = np.packbits(matrix[:, first:last].T, axis=1)
        assert out.raw == expected.tobytes()


@pytest.mark.parametrize("first", range(17))
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 31, 64])
def test_bits_become_bytes(library, first, count):
    bits = _drawn(1, 100)[0]
    out = ctypes.create_string_buffer(count + 1)
    library.odp_test_bytes_of_bits(
        np.packbits(bits).tobytes(),
        ctypes.c_uint64(first),
        ctypes.c_size_t(count),
        out,
    )
    assert out.raw[:count] == bits[first : first + count].tobytes()
    assert out.raw[count:] == b"\0"

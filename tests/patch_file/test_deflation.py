"""Smaller streams that any zlib reads."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file.deflation import smallest


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_zlib_reads_it(parts):
    whole = b"".join(parts)
    stream = smallest(parts)

    assert zlib.decompress(stream) == whole
    assert len(stream) <= len(zlib.compress(whole, 9))


@pytest.mark.parametrize("size", [1000, 100_000])
def test_parts_that_differ_get_codes_of_their_own(size):
    random = np.random.default_rng(0)
    low = random.integers(0, 256, size, np.uint8).tobytes()
    high = random.integers(60, 68, size, np.uint8).tobytes()
    # 8 bits and 3 bits each, and a little for the tables.
    floor = size + 3 * size // 8

    assert len(smallest([low, high])) < 1.02 * floor + 60
    assert len(zlib.compress(low + high, 9)) > 1.02 * floor + 60


def test_what_repeats_is_still_found():
    assert len(smallest([b"once upon a time " * 100, bytes(1000)])) < 60

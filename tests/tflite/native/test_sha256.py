"""SHA-256 against hashlib, each implementation that this machine has."""

import ctypes
import hashlib

import numpy as np
import pytest

FASTEST, PORTABLE, X86, ARM = range(4)


@pytest.fixture
def digest(library):
    def of(kind, data, piece):
        out = ctypes.create_string_buffer(32)
        sizes = ctypes.c_size_t(len(data)), ctypes.c_size_t(piece)
        if not library.odp_test_sha256(kind, data, *sizes, out):
            pytest.skip("this machine has no such instructions")
        return out.raw

    return of


@pytest.mark.parametrize("kind", [FASTEST, PORTABLE, X86, ARM])
def test_is_hashlibs_for_every_length(digest, kind):
    data = np.random.default_rng(kind).bytes(700)
    for size in range(len(data)):
        expected = hashlib.sha256(data[:size]).digest()
        assert digest(kind, data[:size], 1000) == expected


@pytest.mark.parametrize("kind", [FASTEST, PORTABLE, X86, ARM])
@pytest.mark.parametrize("piece", [1, 7, 55, 56, 63, 64, 65, 128, 1000])
def test_pieces_make_no_difference(digest, kind, piece):
    data = np.random.default_rng(piece).bytes(5000)
    assert digest(kind, data, piece) == hashlib.sha256(data).digest()

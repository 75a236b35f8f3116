"""Byte planes beside Python's slices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file import planes


def _oracle(raw: bytes, width: int) -> bytes:
    size = 8192 * width
    blocks = [raw[at : at + size] for at in range(0, len(raw), size)]
    return b"".join(
        block[place::width] for block in blocks for place in range(width)
    )


def test_bytes_by_hand():
    assert planes.split(b"aAbBcC", 2) == [b"abc", b"ABC"]
    assert b"".join(planes.merged([b"abcABC"], 2)) == b"aAbBcC"
    assert planes.split(b"", 4) == []
    assert b"".join(planes.merged([], 4)) == b""


@given(
    st.binary(max_size=300),
    st.sampled_from([2, 4]),
    st.integers(1, 400),
    st.integers(0, 17_000),
)
def test_round_trip(some, width, piece, zeros):
    raw = bytes(zeros * width) + some[: len(some) - len(some) % width]
    split = b"".join(planes.split(raw, width))
    parts = [split[at : at + piece] for at in range(0, len(split), piece)]

    assert split == _oracle(raw, width)
    assert b"".join(planes.merged(parts, width)) == raw


@pytest.mark.parametrize("size", [3, 8192 * 4 + 1, 2 * 8192 * 4 - 1])
def test_what_is_no_whole_number_keeps_its_length(size):
    merged = b"".join(planes.merged([bytes(size)], 4))

    assert len(merged) == size


def test_one_block_at_a_time():
    def parts():
        for _ in range(4):
            yield bytes(4 * 8192 - 1)

    blocks = list(planes.merged(parts(), 4))

    assert [len(block) for block in blocks] == [4 * 8192] * 3 + [4 * 8192 - 4]

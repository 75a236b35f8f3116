"""The bytes that FORMAT.md prints are a file, and mean what it says."""

from __future__ import annotations

import hashlib
import pathlib
import re
import struct
import zlib

import numpy as np
import pytest

from object_detection_patch import patch_file
from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Replace,
    ScaleOffset,
)


@pytest.fixture(scope="module")
def example() -> bytes:
    folder = pathlib.Path(patch_file.__file__).parent
    page = (folder / "FORMAT.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```hex\n(.*?)```", page, re.DOTALL)
    lines = [line.split("#")[0] for line in block.splitlines()]
    return bytes.fromhex("".join(lines))


def test_reads_as_the_comments_say(example):
    patch = patch_file.from_bytes(example)

    assert patch.method == "SPOTPATCH"
    assert patch.base_fingerprint == bytes(range(32)).hex()
    bits = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1], bool).reshape(1, 3, 3, 1)
    assert patch.edits == (
        AddSigned("fpn/c/kernel", bits, 0.5),
        ScaleOffset("fpn/bn", np.array([1.5, -2]), np.array([0, 0.25])),
        Replace("class_head/c/bias", np.array([-1.0])),
    )
    assert patch.label_map == (LabelMapItem(1, "cat", "Cat"),)
    assert patch.metadata == {"steps": 60}


def test_applied_to_a_kernel(example):
    base = {
        "fpn/c/kernel": np.full((1, 3, 3, 1), 2, np.float32),
        "fpn/bn/gamma": np.zeros(2, np.float32),
        "fpn/bn/beta": np.zeros(2, np.float32),
    }
    applied = patch_file.apply_edits(base, patch_file.from_bytes(example).edits)

    assert applied["fpn/c/kernel"].ravel().tolist() == [
        1.5, 2.5, 1.5, 2.5, 1.5, 2.5, 1.5, 2.5, 1.5,
    ]  # fmt: skip
    assert applied["fpn/bn/gamma"].tolist() == [1.5, -2.0]
    assert applied["fpn/bn/beta"].tolist() == [0.0, 0.25]


def test_lengths_and_checksum_by_hand(example):
    magic, version, stored, raw, zero, size = struct.unpack_from(
        "<8sIIIIQ", example
    )

    assert magic == bytes.fromhex("894f44500d0a1a0a")
    assert (version, zero, size) == (1, 0, len(example))
    assert len(zlib.decompress(example[32 : 32 + stored])) == raw
    assert hashlib.sha256(example[:-32]).digest() == example[-32:]
    # The sections: a scale, 9 bits, 2 x 2 floats, one half float.
    assert len(example) - 32 - stored - 32 == 4 + 2 + 16 + 2

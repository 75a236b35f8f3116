"""The bytes that FORMAT.md prints are a file, and mean what it says."""

from __future__ import annotations

import hashlib
import io
import pathlib
import re
import struct
import zlib

import numpy as np
import pytest

from object_detection_patch import patch_file
from object_detection_patch.patch_file import (
    AddProductAtCentre,
    AddSigned,
    LabelMapItem,
    MixOutputs,
    Release,
    Replace,
    ScaleOffset,
    reader,
)


def _examples() -> list[bytes]:
    folder = pathlib.Path(patch_file.__file__).parent
    page = (folder / "FORMAT.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```hex\n(.*?)```", page, re.DOTALL)
    return [bytes.fromhex(re.sub(r"#.*", "", block)) for block in blocks]


@pytest.fixture(scope="module")
def example() -> bytes:
    return _examples()[0]


@pytest.fixture(scope="module")
def example_2() -> bytes:
    return _examples()[1]


@pytest.fixture(scope="module")
def example_3() -> bytes:
    return _examples()[2]


@pytest.fixture(scope="module")
def example_4() -> bytes:
    (_, _, _, example) = _examples()
    return example


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


def test_version_2_reads_as_the_comments_say(example_2):
    parsed = reader.parse(io.BytesIO(example_2), len(example_2))

    assert parsed.version == 2
    assert parsed.patch.edits == (
        Replace("fpn/c/kernel", [[0.5, 1, -0.5], [1.5, 1, -1]]),
        Replace("fpn/c/bias", [1, -2]),
    )
    assert parsed.max_errors == (0.25, None)
    digests = bytes(range(0x20, 0x60)).hex()
    assert parsed.patch.releases == (
        Release(digests[:64], digests[64:], ((0.5, -3),)),
    )
    assert parsed.patch.model_metadata == b"TFMD"
    assert (parsed.patch.label_map, parsed.patch.metadata) == ((), {})


def test_version_2_signature_by_hand(example_2):
    parsed = reader.parse(io.BytesIO(example_2), len(example_2))

    assert parsed.signature.public_key == bytes(range(0x60, 0x80))
    assert parsed.signature.signature == bytes(range(0x80, 0xC0))
    message = example_2[: parsed.signed_bytes]
    assert message.endswith(parsed.signature.public_key)
    rest = example_2[parsed.signed_bytes :]
    assert rest[:-32] == parsed.signature.signature
    assert rest[-32:] == hashlib.sha256(example_2[:-32]).digest()


def test_version_2_sections_by_hand(example_2):
    _, version, stored, raw, flags, size = struct.unpack_from(
        "<8sIIIIQ", example_2
    )

    assert (version, flags, size) == (2, 1, len(example_2))
    assert len(zlib.decompress(example_2[32 : 32 + stored])) == raw
    sections = example_2[32 + stored : -128]
    lo, step = struct.unpack("<3f", sections[:12]), sections[12:24]
    bits = f"{int.from_bytes(sections[24:27], 'big'):024b}"
    codes = [int(bits[at : at + 3], 2) for at in range(0, 18, 3)]
    step = struct.unpack("<3f", step)
    values = [lo[i % 3] + step[i % 3] * codes[i] for i in range(6)]
    assert values == [0.5, 1, -0.5, 1.5, 1, -1]
    planes = zlib.decompress(sections[27:])
    assert struct.unpack("<2f", planes[0::2] + planes[1::2]) == (1, -2)


def test_version_3_reads_as_the_comments_say(example_3):
    parsed = reader.parse(io.BytesIO(example_3), len(example_3))

    assert parsed.version == 3
    assert parsed.patch.method == "ADAPTERS"
    assert parsed.patch.edits == (
        AddProductAtCentre("fpn/c/kernel", [[0.5, 2, 1, -1]]),
        MixOutputs("fpn/d/kernel", [[0, 0.5], [0.25, -1]]),
    )
    assert hashlib.sha256(example_3[:-32]).digest() == example_3[-32:]


def test_version_3_applied_to_kernels(example_3):
    base = {
        "fpn/c/kernel": np.full((1, 1, 2, 2), 10, np.float32),
        "fpn/d/kernel": np.float32([8, 100]).reshape(1, 1, 1, 2),
    }
    edits = patch_file.from_bytes(example_3).edits
    applied = patch_file.apply_edits(base, edits)

    assert applied["fpn/c/kernel"].ravel().tolist() == [10.5, 9.5, 12, 8]
    assert applied["fpn/d/kernel"].ravel().tolist() == [33, 4]


def test_version_4_reads_as_the_comments_say(example_4):
    parsed = reader.parse(io.BytesIO(example_4), len(example_4))

    assert parsed.version == 4
    assert parsed.patch.edits == (
        ScaleOffset("fpn/bn", [0.5, 0.75, 1, 1.25], [5, 3, 1, -1]),
    )
    assert hashlib.sha256(example_4[:-32]).digest() == example_4[-32:]

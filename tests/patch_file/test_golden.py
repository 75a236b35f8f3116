"""Files that were written once. They must load for ever; never rewrite."""

from __future__ import annotations

import hashlib
import pathlib
import struct
import zlib

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    AffineMask,
    KeepMasked,
    LabelMapItem,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    Release,
    Replace,
    ScaleOffset,
    Signature,
    read_patch,
    reader,
    to_bytes,
)

GOLDEN = pathlib.Path(__file__).parent / "golden"


def test_every_edit():
    bits = np.array([1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1], bool)
    affine = np.array([[1, 0], [0, 0], [1, 1]], bool)
    keep = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)

    assert read_patch(GOLDEN / "v1_every_edit.patch") == Patch(
        method="EVERY_EDIT",
        base_fingerprint="c0ffee00" * 8,
        edits=(
            AddSigned(
                "backbone/Conv1/kernel", bits.reshape(1, 1, 11, 1), 0.0625
            ),
            AffineMask(
                "backbone/block_1_expand/kernel", affine, 1.5, -0.25, 2.0
            ),
            KeepMasked("fpn/smoothing_1/depthwise_kernel", keep),
            ScaleOffset(
                "tower/conv2d_0/BatchNorm",
                [0.5, -1.0, 8.0],
                [0.0, 100.0, -0.125],
            ),
            Replace("box_head/b/kernel", [[1.0, -2.0], [3.5, 0.001]]),
            Replace("class_head/c/bias", -4.625),
        ),
        label_map=(
            LabelMapItem(1, "cat", "Cat"),
            LabelMapItem(2, "Hündin", "雌犬"),
        ),
        metadata={
            "training": {"steps": 60, "lr": 0.008},
            "note": 'a "quoted" word',
            "none": None,
        },
    )


def test_float16_zlib():
    patch = read_patch(GOLDEN / "v1_float16_zlib.patch")
    mask_edit, norm_edit = patch.edits

    assert patch.method == "SPOTPATCH"
    assert patch.base_fingerprint == "0123456789abcdef" * 4
    assert patch.label_map == (LabelMapItem(7, "n", "d"),)
    assert patch.metadata == {}
    assert mask_edit.target == "backbone/Conv_1/kernel"
    assert mask_edit.mask.tolist() == [False] * 3000 + [True] * 1000
    # float32's nearest to 1/3, float16's nearest to 0.1.
    assert mask_edit.scale == 0.3333333432674408
    assert norm_edit.target == "backbone/Conv_1_bn"
    assert norm_edit.scale.tolist() == [1.0] * 100 + [2.0] * 100
    assert norm_edit.offset.tolist() == [0.0999755859375] * 200


def test_empty():
    assert read_patch(GOLDEN / "v1_empty.patch") == Patch(
        "FROZEN", "00" * 32, ()
    )


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """What zlib releases may not change: start, header, sections."""
    stored = struct.unpack_from("<I", data, 12)[0]
    header = zlib.decompress(data[32 : 32 + stored])
    return data[:12] + data[16:24], header, data[32 + stored : -32]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("v1_every_edit", {}),
        ("v1_empty", {}),
        (
            "v1_float16_zlib",
            {"value_type": "float16", "compression": "zlib"},
        ),
    ],
)
def test_version_1_is_still_written_as_it_was(name, options):
    path = GOLDEN / f"{name}.patch"
    data = to_bytes(read_patch(path), **options)

    assert _parts(data) == _parts(path.read_bytes())


def test_grid():
    parsed = reader.read_file(GOLDEN / "v2_grid.patch")
    norm, kernel, depthwise, box, classes = parsed.patch.edits

    steps = np.arange(256)
    assert norm == ScaleOffset(
        "backbone/Conv1_bn", steps * 0.25 - 8, 100 - steps * 0.5
    )
    weights = np.arange(96).reshape(2, 2, 8, 3) // 3 % 4
    channels = [weights[..., 0] * 0.5 - 1, weights[..., 1] * 8 + 3]
    channels.append(np.full_like(channels[0], 7))
    assert kernel == Replace("backbone/a/kernel", np.stack(channels, -1))
    numbers = np.arange(1600)
    assert depthwise == Replace(
        "backbone/b/depthwise_kernel",
        (numbers // 4 % 16 / 2 ** (numbers % 4)).reshape(40, 10, 2, 2),
    )
    # 2/31 is no float32: what the phone computes is rounded twice.
    lo, step = np.float32(-1), np.float32(2) / np.float32(31)
    codes = np.rint(np.linspace(0, 31, 100)).astype(np.float32)
    assert box == Replace("box_head/b/bias", step * codes + lo)
    assert classes == Replace("class_head/c/bias", [1.5, -2.5])
    assert parsed.max_errors == (
        0.25,
        pytest.approx(0.8),
        0.5,
        pytest.approx(1 / 31),
        None,
    )


def test_planes():
    parsed = reader.read_file(GOLDEN / "v2_planes.patch")
    numbers = np.arange(9000)

    assert {entry.codec for entry in parsed.entries} == {2}
    assert [entry.value_type for entry in parsed.entries] == [1, 2, 2]
    assert parsed.patch == Patch(
        "PLANES",
        "0123456789abcdef" * 4,
        (
            Replace("fpn/a/kernel", (numbers * 0.375 - 1000).reshape(90, 100)),
            Replace("class_head/a/kernel", numbers % 2048 / 4),
            ScaleOffset("fpn/bn", np.arange(25) / 2, -np.arange(25)),
        ),
        (LabelMapItem(7, "n", "d"),),
    )


def test_release():
    assert read_patch(GOLDEN / "v2_release.patch") == Patch(
        "RELEASE",
        "ab" * 32,
        (Replace("fpn/b/bias", [1, 2]),),
        (LabelMapItem(1, "cat", "Cat"),),
        {"steps": 60},
        (
            Release("11" * 32, "22" * 32),
            Release(
                "33" * 32, "44" * 32, ((0.5, -128), (0.0078125, 0), (3, 127))
            ),
        ),
        b"\x1c\0\0\0TFL3 stands for it\0\xff",
    )


def test_signed():
    path = GOLDEN / "v2_signed.patch"
    parsed = reader.read_file(path)

    assert parsed.patch == Patch(
        "SIGNED",
        "ab" * 32,
        (KeepMasked("fpn/k", np.arange(20) % 3 == 0),),
    )
    # Not a signature that would verify.
    assert parsed.signature == Signature(
        bytes(range(32)), bytes(range(64, 128))
    )
    assert parsed.signed_bytes == path.stat().st_size - 96


def test_adapters():
    assert read_patch(GOLDEN / "v3_adapters.patch") == Patch(
        "ADAPTERS",
        "c0ffee00" * 8,
        (
            AddAtCentre(
                "backbone/a/kernel",
                (np.arange(12) * 0.25 - 1).reshape(3, 4),
            ),
            AddProductAtCentre(
                "backbone/b/kernel", (np.arange(20) / 64).reshape(2, 10)
            ),
            MixOutputs("fpn/c/kernel", np.eye(5) * 0.375),
            MixOutputsByProduct(
                "tower/d/pointwise_kernel",
                (100 - np.arange(24)).reshape(3, 8),
            ),
            Replace("class_head/a/bias", [1.5, -2.5]),
        ),
        (LabelMapItem(1, "cat", "Cat"),),
        {"steps": 60},
    )


def test_adapters_on_a_grid():
    parsed = reader.read_file(GOLDEN / "v3_grid.patch")
    row, column = np.indices((16, 48))
    term, channel = np.indices((6, 320))

    assert parsed.version == 3
    assert parsed.max_errors == (0.25, 0.0625)
    assert parsed.patch.edits == (
        AddAtCentre("backbone/a/kernel", row * 0.5 - column),
        MixOutputsByProduct("tower/d/pointwise_kernel", term * 0.375 + channel),
    )


def test_half_grid():
    parsed = reader.read_file(GOLDEN / "v4_half_grid.patch")
    steps = np.arange(256) % 32
    codes = np.arange(32).reshape(1, 1, 32) % 16
    channels = [codes * 0.5 - 1, codes * 8.0 + 3, np.full_like(codes, 7.0)]
    tenth = np.float32(np.float16(0.1))
    multiples = np.rint(np.linspace(0, 63, 90)).astype(np.float32)

    assert parsed.version == 4
    assert [entry.value_type for entry in parsed.entries] == [4, 4, 4, 4, 3, 0]
    assert parsed.patch == Patch(
        "HALF_GRID",
        "c0ffee00" * 8,
        (
            ScaleOffset("backbone/Conv1_bn", steps / 4 - 8, 100 - steps / 2),
            Replace("box_head/a/kernel", np.stack(channels, -1)),
            Replace(
                "box_head/b/depthwise_kernel",
                (np.arange(1600) % 64 / 8 - 2).reshape(40, 10, 2, 2),
            ),
            Replace("class_head/c/bias", tenth * multiples + tenth),
            # Beyond float16, so `lo` and `step` are float32.
            Replace("class_head/d/bias", np.arange(64) * 2000 - 70000),
            AddSigned(
                "fpn/k", (np.arange(40) % 3 == 0).reshape(1, 1, 4, 10), 0.25
            ),
        ),
        (LabelMapItem(1, "cat", "Cat"),),
        {"steps": 60},
    )
    assert parsed.max_errors == (
        pytest.approx(0.25 + 100 / 2048),
        pytest.approx(4 + 123 / 2048),
        pytest.approx(1 / 16 + 5.875 / 2048),
        pytest.approx(0.05 + 6.4 / 2048, rel=1e-3),
        1000,
        None,
    )


def test_the_files_are_those_that_were_written():
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in GOLDEN.glob("*")
    }

    assert digests == {
        "v1_empty.patch": (
            "becbdae2526cb44ef14f25af8a9f103bb3a2ba8170d330b66c398cc78bfa2719"
        ),
        "v1_every_edit.patch": (
            "5e50fadd504998a8b09e33d7969f6c8170d0886e0fe236953e22c843702dc9ac"
        ),
        "v1_float16_zlib.patch": (
            "d655f7bbb606b5530bb25636253693ad7da0a7f9886492d6b907e7d8e6b6cfab"
        ),
        "v2_grid.patch": (
            "8f8a16fc8191834c0bd4cfdecc7936d85aea4aedcf7e3333ae088c0c1171eb5d"
        ),
        "v2_planes.patch": (
            "0ef9d2e481fd34b802d039fd35ac2e792fa35bc9ddbb0aebdc3286820184d9e6"
        ),
        "v2_release.patch": (
            "c537324a71d1db6cbc1f8cca90abe1f447d37d850b42bc7118a304bc4cc71797"
        ),
        "v2_signed.patch": (
            "7a64e5c2c09272ae7ed67a831d80a7aac0c429e4487f071da76b6aae83bffd35"
        ),
        "v3_adapters.patch": (
            "6f1cf85d7f2ad202ef3ba2523a48ccaeabfbe649d9cf3d4b261d2871566c70ed"
        ),
        "v3_grid.patch": (
            "51c9e56b6df1f0c39834e1172d082726ba455f2f8432326099eba3497de5cb70"
        ),
        "v4_half_grid.patch": (
            "23f182d0c24599f826b724d97354f678f650d8efe87a9bedd86254ca9bd64108"
        ),
    }

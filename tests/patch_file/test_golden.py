"""Files that version 1 wrote once. They must load for ever; never rewrite."""

from __future__ import annotations

import hashlib
import pathlib

import numpy as np

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
    read_patch,
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


def test_the_files_are_those_of_version_1():
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in GOLDEN.glob("v1_*")
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
    }

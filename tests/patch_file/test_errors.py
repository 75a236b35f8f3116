"""No file can make an error flood a terminal or a log."""

from __future__ import annotations

import re

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    Patch,
    Replace,
    ScaleOffset,
    apply_edits,
    errors,
    to_bytes,
)
from object_detection_patch.patch_file.edits import check_edits

LONG = "fpn/" + "x" * 1000
MASK = np.ones(3, bool)
BASE = {LONG: np.full(3, 3e38, np.float32)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 78, "'" + "x" * 78 + "'"),
        ("x" * 79, "'" + "x" * 76 + "..."),
        (b"\0" * 100, "b'" + r"\x00" * 18 + r"\x0" + "..."),
        ((1, 2), "(1, 2)"),
        ("\x1b[2J\u202e", r"'\x1b[2J\u202e'"),
    ],
)
def test_shown(value, expected):
    assert errors.shown(value) == expected
    assert len(errors.shown(value)) <= 80


def short(error: BaseException) -> None:
    message = str(error)
    assert "x" * 81 not in message
    assert len(message) < 450
    # Each quotation begins with a quotation mark, and is cut within 80.
    for quoted in re.findall(r"'fpn/x*(?:\.\.\.|')", message):
        assert len(quoted) <= 80


@pytest.mark.parametrize(
    "edit",
    [
        Replace(LONG + "y", MASK),
        Replace(LONG, [1, 2]),
        Replace(LONG, np.ones((1,) * 60)),
        AffineMask(LONG, MASK, 2.0, 0.0, 0.0),
        AddSigned(LONG, MASK, 0.0),
        AddSigned(LONG, MASK, float("nan")),
        ScaleOffset(LONG, np.ones((1,) * 60), [1]),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_edits_of_long_names(edit):
    with pytest.raises(errors.PatchFileError, match="Received") as caught:
        apply_edits(BASE, [edit])
    short(caught.value)


def test_two_edits_of_a_long_name():
    with pytest.raises(errors.DuplicateTargetError) as caught:
        check_edits([KeepMasked(LONG, MASK)] * 2)
    short(caught.value)


def test_mask_of_another_type_and_a_long_name():
    with pytest.raises(TypeError, match="array of bool") as caught:
        KeepMasked(LONG, [1.0])
    short(caught.value)


@pytest.mark.parametrize(
    "patch",
    [
        Patch("X", "x" * 10**6, ()),
        Patch("x" * 900 + "\n", "ab" * 32, ()),
        Patch("x" * 10**6 + "\ud800", "ab" * 32, ()),
        Patch("X", "ab" * 32, (), (), {"a": type("x" * 10**4, (), {})()}),
    ],
    ids=["fingerprint", "control", "surrogate", "metadata"],
)
def test_patch_with_long_texts(patch):
    with pytest.raises(errors.PatchFileError, match="Received") as caught:
        to_bytes(patch)
    assert len(str(caught.value)) < 450


def test_float16_of_a_long_name():
    patch = Patch("X", "ab" * 32, (Replace(LONG, [1e5]),))
    with pytest.raises(errors.HalfRangeError) as caught:
        to_bytes(patch, value_type="float16")
    short(caught.value)


def test_unknown_option_that_is_long():
    with pytest.raises(ValueError, match="`compression` must be") as caught:
        to_bytes(Patch("X", "ab" * 32, ()), compression="x" * 1000)
    short(caught.value)

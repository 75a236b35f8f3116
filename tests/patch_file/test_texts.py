"""Names and texts beside Unicode's own tables, and FORMAT.md's list."""

from __future__ import annotations

import pathlib
import re
import sys
import unicodedata

import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Patch,
    errors,
    from_bytes,
    texts,
    to_bytes,
)

PRINT = "ab" * 32
# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, Unicode 15, as
# far as the category is another than Cf: fillers, selectors, reserved places.
IGNORABLE = [
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F,
    0x2065, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9),
    *range(0xE0100, 0xE01F0),
]  # fmt: skip


def refused(check, text: str) -> bool:
    try:
        check("target", text)
    except errors.TextError:
        return True
    return False


def test_names_hold_nothing_that_unicode_calls_format_or_control():
    allowed = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and not refused(texts.check_name, f"fpn/{chr(code)}/k")
    ]

    assert allowed == []


@pytest.mark.parametrize("code", IGNORABLE)
def test_names_hold_nothing_ignorable(code):
    assert refused(texts.check_name, f"fpn/{chr(code)}/k")


def test_names_may_hold_whatever_can_be_seen():
    seen = ("L", "M", "N", "P", "S")
    wrong = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code))[0] in seen
        and code not in IGNORABLE
        and refused(texts.check_name, chr(code))
    ]

    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian needs the zero-width non-joiner,
        "👩\u200d🚀",  # and many pictures the joiner
        "❤\ufe0f",  # or a selector.
        "abc\u200e",
    ],
)
def test_labels_may_hold_what_scripts_need(text):
    patch = Patch("X", PRINT, (), (LabelMapItem(1, text, text),))
    assert from_bytes(to_bytes(patch)) == patch
    with pytest.raises(errors.TextError, match="`method` .* invisible"):
        to_bytes(Patch(text, PRINT, ()))


@pytest.mark.parametrize("code", [0x202A, 0x202E, 0x2066, 0x2069, 0x2028])
def test_nothing_may_reorder_or_break_what_is_shown(code):
    for item in (
        LabelMapItem(1, f"a{chr(code)}b", ""),
        LabelMapItem(1, "", f"a{chr(code)}b"),
    ):
        with pytest.raises(errors.TextError, match="control characters"):
            to_bytes(Patch("X", PRINT, (), (item,)))


def test_error_tells_the_character_that_nobody_sees():
    edit = AddSigned("fpn/k\u200bernel", [True], 1.0)
    with pytest.raises(errors.TextError) as caught:
        to_bytes(Patch("X", PRINT, (edit,)))

    assert str(caught.value) == (
        "`target` must not hold invisible characters. Received: U+200B in "
        r"'fpn/k\u200bernel'."
    )


def test_the_specification_lists_the_same_characters():
    page = pathlib.Path(texts.__file__).with_name("FORMAT.md")
    words = " ".join(page.read_text(encoding="utf-8").split())
    (found,) = re.findall(r"that reason: U\+(.*?) \(in Unicode 15", words)
    listed = set()
    for item in re.split(r", | and ", found):
        first, _, last = item.partition("-")
        listed |= set(range(int(first, 16), int(last or first, 16) + 1))
    invisible = {
        code
        for code in range(sys.maxunicode + 1)
        if refused(texts.check_name, chr(code))
        and not refused(texts.check_text, chr(code))
    }

    # What every text refuses need not be listed again.
    assert {c for c in listed if not refused(texts.check_text, chr(c))} == (
        invisible
    )

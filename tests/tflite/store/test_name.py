"""Which names patches may have."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.tflite.store import StoreError
from object_detection_patch.tflite.store.name import alike, checked_name


@pytest.mark.parametrize(
    "name",
    [
        "pets",
        "Haustiere 2",
        "pets.v2",
        "v\u00f6gel",
        "\u732b",
        "a",
        "x" * 100,
        "bases",
        "console",
        "com",
        "com10",
        "#1 (new)",
    ],
)
def test_good_names(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "have 1 to 100 bytes"),
        ("x" * 101, "have 1 to 100 bytes"),
        ("\u732b" * 34, "have 1 to 100 bytes"),
        *((f"a{c}b", "hold none of") for c in '/\\:*?"<>|'),
        ("..", "not begin with a dot"),
        (".hidden", "not begin with a dot"),
        ("-option", "not begin with a dot, hyphen"),
        (" pets", "not begin with a dot, hyphen or space"),
        ("pets.", "nor end with dot"),
        ("pets ", "nor end with dot or space"),
        ("base", "not be `base`"),
        ("BASE", "not be `base`"),
        *((n, "a device") for n in ("con", "NUL", "nul.patch", "Com1", "lpt9")),
        *(
            (f"a{c}b", "without control or invisible")
            for c in "\n\0\x7f\u200b\u202e\ufeff\ud800"
        ),
    ],
)
def test_bad_names(name, rule):
    with pytest.raises(StoreError, match=f"patch must .*{rule}.*Received: '"):
        checked_name(name)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_a_name_is_refused_or_stays_what_it_became(name):
    try:
        kept = checked_name(name)
    except StoreError as error:
        assert str(error).isprintable()
        return
    assert checked_name(kept) == kept
    kinds = {unicodedata.category(letter) for letter in kept}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set(kept) & set('/\\:*?"<>|')


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("pets", "Pets", True),
        ("stra\u00dfe", "STRASSE", True),
        ("pets", "pets", True),
        ("pets", "pet", False),
    ],
)
def test_alike(first, second, expected):
    assert alike(first, second) is expected

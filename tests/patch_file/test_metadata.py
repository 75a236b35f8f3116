"""Metadata beside Python's own JSON reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file import errors
from object_detection_patch.patch_file.metadata import from_json, to_json


def test_canonical_bytes():
    metadata = {"b": [1, 2.5, None], "a": {"ü": True}}

    assert to_json(metadata) == '{"a":{"ü":true},"b":[1,2.5,null]}'.encode()


def test_brackets_in_strings_are_no_levels():
    nested = {"a": "[{" * 100 + '\\"[' * 50}

    assert from_json(to_json(nested)) == nested


def test_32_levels_and_no_more():
    nested = {"a": json.loads("[" * 31 + "]" * 31)}
    assert from_json(to_json(nested)) == nested
    with pytest.raises(errors.MetadataError, match="32 levels"):
        to_json({"a": [nested["a"]]})


def test_a_dictionary_that_holds_itself():
    metadata = {}
    metadata["a"] = metadata
    with pytest.raises(errors.MetadataError, match="plain JSON"):
        to_json(metadata)


@pytest.mark.parametrize("number", [-(2**63), 2**64 - 1, 5e-324, -0.0])
def test_extreme_numbers(number):
    assert from_json(to_json({"a": number})) == {"a": number}


@given(st.text(st.sampled_from('{}[]",:\\u0ad8x1-.eNI '), max_size=40))
def test_accepts_only_what_python_reads_alike(text):
    try:
        parsed = from_json(text.encode())
    except errors.MetadataError:
        return
    assert json.loads(text) == parsed

"""The index: what comes back, what is refused, whose a model is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.tflite.store import StoreError
from object_detection_patch.tflite.store import index as index_lib
from object_detection_patch.tflite.store.index import (
    Active,
    Index,
    Record,
    read_index,
    write_index,
)

_BASE, _A, _B, _C = (digit * 64 for digit in "0abc")


def _record(model, sha256="1" * 64):
    return Record(sha256, 300, "SPOTPATCH", 2, ("K\u00e4tzchen", "b"), model)


_INDEX = Index(
    _BASE, Active("cats", _A), {"dogs": _record(_B), "cats": _record(_A)}
)


def _write(folder, content):
    (folder / "index.json").write_text(json.dumps(content), "ascii")


def _content():
    return {
        "version": 1,
        "base_sha256": _BASE,
        "active": {"name": "cats", "model_sha256": _A},
        "patches": {
            "cats": {
                "sha256": "1" * 64,
                "file_bytes": 300,
                "method": "SPOTPATCH",
                "classes": 2,
                "labels": ["K\u00e4tzchen", "b"],
                "model_sha256": _A,
            }
        },
    }


def test_round_trip(tmp_path):
    write_index(str(tmp_path), _INDEX)

    assert read_index(str(tmp_path)) == _INDEX


def test_file_as_people_read_it(tmp_path):
    index = Index(_BASE, Active("cats", _A), {"cats": _record(_A)})
    write_index(str(tmp_path), index)

    text = (tmp_path / "index.json").read_text("ascii")
    assert json.loads(text) == _content()
    assert len(text.splitlines()) > 10


@pytest.mark.parametrize(
    ("sha256", "expected"),
    [
        (_BASE, "base"),
        (_A, "cats"),
        (_B, "dogs"),
        (_C, None),
        (None, None),
    ],
)
def test_whose_a_model_is(sha256, expected):
    assert _INDEX.name_of(sha256) == expected


def test_the_recorded_name_decides_between_equal_models():
    index = _INDEX.with_patch("ants", _record(_A)).with_patch(
        "same", _record(_BASE)
    )
    assert index.name_of(_A) == "cats"
    assert index.with_active("ants", _A).name_of(_A) == "ants"
    assert index.name_of(_BASE) == "base"
    assert index.with_active("same", _BASE).name_of(_BASE) == "same"
    # A model of old stays its name's after the patch was replaced.
    assert index.with_patch("cats", _record(_C)).name_of(_A) == "cats"


def test_unknown_names_are_told_the_known_ones():
    assert _INDEX.model_sha256("base") == _BASE
    with pytest.raises(StoreError, match="store: cats, dogs. Rec.*'birds'"):
        _INDEX.model_sha256("birds")


def test_changes_leave_the_old_index():
    without = _INDEX.without_patch("dogs")

    assert set(without.patches) == {"cats"}
    assert set(_INDEX.patches) == {"cats", "dogs"}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[" * 100_000, b"nothing", b'{"version":1}']
)
def test_index_that_is_none(tmp_path, raw):
    (tmp_path / "index.json").write_bytes(raw)
    with pytest.raises(StoreError, match="as the store wrote it.*make the"):
        read_index(str(tmp_path))


@pytest.mark.parametrize("content", [{}, [], 1, None, {"version": 2}])
def test_index_of_another_version(tmp_path, content):
    _write(tmp_path, content)
    with pytest.raises(StoreError, match="stores of version 1. Received"):
        read_index(str(tmp_path))


def _paths(node, path=()):
    """The way to each value of nested objects and lists."""
    if path:
        yield path
    if isinstance(node, dict | list):
        keys = node if isinstance(node, dict) else range(len(node))
        for key in keys:
            yield from _paths(node[key], (*path, key))


_CHANGED = [
    (path, value)
    for path in _paths(_content())
    for value in (None, 1.5, "x", {"a": 1}, [[]])
    # What is a text already, and what has its own test.
    if (path[-1], value) not in (("method", "x"), (0, "x"), (1, "x"))
    and path != ("version",)
]


@pytest.mark.parametrize(("path", "value"), _CHANGED, ids=str)
def test_value_of_another_kind(tmp_path, path, value):
    content = _content()
    *way, last = path
    node = content
    for key in way:
        node = node[key]
    node[last] = value
    _write(tmp_path, content)
    with pytest.raises(StoreError, match="as the store wrote it"):
        read_index(str(tmp_path))


@pytest.mark.parametrize("name", ["../x", "base", "", "V\u006f\u0308gel"])
def test_name_that_no_patch_may_have(tmp_path, name):
    content = _content()
    content["patches"][name] = content["patches"].pop("cats")
    content["active"]["name"] = "base"
    _write(tmp_path, content)
    with pytest.raises(StoreError, match="as the store wrote it"):
        read_index(str(tmp_path))


def test_digest_that_leads_out_of_the_store(tmp_path):
    content = _content()
    content["patches"]["cats"]["sha256"] = "../" * 20 + "abcd"
    _write(tmp_path, content)
    with pytest.raises(StoreError, match="as the store wrote it"):
        read_index(str(tmp_path))


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("index")
    (folder / index_lib.INDEX_FILE).write_bytes(raw)
    with pytest.raises(StoreError):
        read_index(str(folder))

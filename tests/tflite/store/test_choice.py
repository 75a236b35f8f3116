"""Tasks that become active, and tasks that have to go."""

from __future__ import annotations

import errno
import hashlib
import os

import pytest

from object_detection_patch.tflite import patcher, store
from object_detection_patch.tflite.errors import (
    BaseMismatchError,
    OutputError,
)


def test_tasks_by_name(filled):
    path = store.activate(filled.store, "dogs")

    assert path == str(filled.store / "active.tflite")
    assert filled.weight() == 4
    assert store.active_name(filled.store) == "dogs"
    store.activate(filled.store, "cats")
    assert filled.weight() == 3


def test_active_model_is_what_apply_writes(filled):
    output = filled.folder / "applied.tflite"
    patcher.apply(filled.base, filled.folder / "cats.patch", output)

    active = filled.store / "active.tflite"
    assert active.read_bytes() == output.read_bytes()


@pytest.mark.parametrize("name", [None, "base"])
def test_back_to_the_base(filled, name):
    store.activate(filled.store, name)

    active = filled.store / "active.tflite"
    assert active.read_bytes() == filled.base.read_bytes()
    assert store.active_name(filled.store) == "base"


@pytest.mark.parametrize("name", ["cats", "base"])
def test_what_is_active_is_not_computed_again(filled, name, monkeypatch):
    store.activate(filled.store, name)

    def fail(*_, **__):
        raise AssertionError

    monkeypatch.setattr(patcher, "apply_bytes", fail)
    monkeypatch.setattr(os, "replace", fail)
    store.activate(filled.store, name)


@pytest.mark.parametrize("name", ["cats", "base"])
@pytest.mark.parametrize("damage", [None, b"", b"rotten"])
def test_damaged_model_is_computed_again(filled, name, damage):
    active = filled.store / "active.tflite"
    active.unlink()
    if damage is not None:
        active.write_bytes(damage)
    assert store.active_name(filled.store) is None
    assert not any(e.active for e in store.list_patches(filled.store))
    store.activate(filled.store, name)

    assert filled.weight() == {"cats": 3, "base": 1}[name]
    assert store.active_name(filled.store) == name


def test_unknown_name(filled):
    for call in (store.activate, store.remove):
        with pytest.raises(
            store.StoreError, match="cats, dogs. Received: 'birds'"
        ):
            call(filled.store, "birds")
        with pytest.raises(store.StoreError, match="not begin with"):
            call(filled.store, ".cats")

    assert filled.weight() == 3


def test_unknown_name_in_an_empty_store(begun):
    with pytest.raises(store.StoreError, match="there is none yet"):
        store.activate(begun.store, "cats")


def test_model_for_somewhere_else(filled, monkeypatch):
    output = filled.folder / "task.tflite"
    assert store.activate(filled.store, "dogs", output=output) == str(output)
    assert filled.weight(output) == 4
    assert store.active_name(filled.store) == "cats"
    assert filled.weight() == 3

    monkeypatch.setattr(patcher, "apply_bytes", None)
    store.activate(filled.store, "dogs", output=output)
    store.activate(filled.store, output=output)
    assert filled.weight(output) == 1


@pytest.mark.parametrize(
    "name", ["base.tflite", "index.json", "patches/new", "new.tflite", "."]
)
def test_output_within_the_store(filled, name):
    before = filled.files()
    with pytest.raises(OutputError, match="outside of the store"):
        store.activate(filled.store, "dogs", output=filled.store / name)

    assert filled.files() == before


def test_output_within_the_store_through_a_link(filled):
    link = filled.folder / "link.tflite"
    link.symlink_to(filled.store / "base.tflite")
    with pytest.raises(OutputError, match="outside of the store"):
        store.activate(filled.store, "dogs", output=link)


def test_output_beside_the_store_that_begins_with_its_name(filled):
    output = filled.folder / "store.tflite"
    store.activate(filled.store, "dogs", output=output)

    assert filled.weight(output) == 4


def test_removed_patch(filled):
    store.remove(filled.store, "dogs")

    assert [e.name for e in store.list_patches(filled.store)] == ["cats"]
    assert sum(name.startswith("patches/") for name in filled.files()) == 1
    assert filled.weight() == 3


def test_removing_the_active_patch_goes_back_to_the_base(filled):
    store.remove(filled.store, "cats")

    assert filled.weight() == 1
    assert store.active_name(filled.store) == "base"


def test_removing_the_active_patch_while_its_model_is_missing(filled):
    (filled.store / "active.tflite").unlink()
    store.remove(filled.store, "cats")

    assert store.active_name(filled.store) == "base"


def test_removing_another_patch_while_the_model_is_missing(filled):
    (filled.store / "active.tflite").unlink()
    store.remove(filled.store, "dogs")

    assert store.active_name(filled.store) is None
    store.activate(filled.store, "cats")
    assert filled.weight() == 3


@pytest.mark.parametrize(
    ("name", "active"), [("dogs", "base"), ("cats", "dogs")]
)
def test_removing_after_a_crash_between_model_and_index(filled, name, active):
    index = (filled.store / "index.json").read_bytes()
    store.activate(filled.store, "dogs")
    (filled.store / "index.json").write_bytes(index)
    store.remove(filled.store, name)

    assert store.active_name(filled.store) == active
    assert filled.weight() == {"base": 1, "dogs": 4}[active]


def test_base_cannot_be_removed(filled):
    with pytest.raises(store.StoreError, match="base stays as long"):
        store.remove(filled.store, "base")


def test_damaged_base_does_not_become_active(filled):
    (filled.store / "base.tflite").write_bytes(b"rotten")
    for call in (
        lambda: store.activate(filled.store),
        lambda: store.activate(filled.store, "dogs"),
        lambda: store.remove(filled.store, "cats"),
    ):
        with pytest.raises(BaseMismatchError, match=r"base\.tflite|sidecar"):
            call()

    assert filled.weight() == 3
    assert len(store.list_patches(filled.store)) == 2


def test_missing_patch_file(filled):
    for path in (filled.store / "patches").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError):
        store.activate(filled.store, "dogs")

    assert filled.weight() == 3


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_leaves_everything_as_it_was(filled, monkeypatch, call):
    new = filled.patch("new", 5)
    before = {
        name: (filled.store / name).read_bytes() for name in filled.files()
    }

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    for change in (
        lambda: store.activate(filled.store, "dogs"),
        lambda: store.remove(filled.store, "cats"),
        lambda: store.add(filled.store, new),
        lambda: store.add(filled.store, new, "cats", replace=True),
    ):
        with pytest.raises(OSError, match="No space left"):
            change()
        assert before == {
            name: (filled.store / name).read_bytes() for name in filled.files()
        }


def test_later_release_that_computes_another_model(filled, monkeypatch):
    found = patcher.apply_bytes

    def mended(base, sidecar, patch):
        return found(base, sidecar, patch) + b"mended"

    monkeypatch.setattr(patcher, "apply_bytes", mended)
    store.activate(filled.store, "dogs")
    active = filled.store / "active.tflite"

    assert active.read_bytes().endswith(b"mended")
    assert store.active_name(filled.store) == "dogs"
    digest = hashlib.sha256(active.read_bytes()).hexdigest()
    assert digest in (filled.store / "index.json").read_text("ascii")


def test_equal_models_of_two_names(filled):
    store.add(filled.store, filled.folder / "cats.patch", "ants")
    assert store.active_name(filled.store) == "cats"
    store.activate(filled.store, "ants")

    assert store.active_name(filled.store) == "ants"
    assert [e.active for e in store.list_patches(filled.store)] == [
        True,
        False,
        False,
    ]

"""Stores that begin, and folders that are none."""

from __future__ import annotations

import os

import pytest

from object_detection_patch.tflite import store
from object_detection_patch.tflite.errors import (
    BaseMismatchError,
    SidecarError,
)

_FILES = [
    "active.tflite",
    "base.odpatch",
    "base.tflite",
    "index.json",
    "store.lock",
]


def test_new_store_runs_its_base(world):
    store.init(world.store, world.base)

    assert world.files() == _FILES
    base = world.base.read_bytes()
    assert (world.store / "base.tflite").read_bytes() == base
    assert (world.store / "active.tflite").read_bytes() == base
    sidecar = world.base.with_suffix(".odpatch").read_bytes()
    assert (world.store / "base.odpatch").read_bytes() == sidecar
    assert store.list_patches(world.store) == []
    assert store.active_name(world.store) == "base"


def test_copies_and_no_links(begun):
    for path in begun.store.iterdir():
        assert not path.is_symlink()
        assert path.is_dir() or path.stat().st_nlink == 1


def test_empty_folder_folders_in_between_and_sidecar_elsewhere(world):
    sidecar = world.folder / "elsewhere"
    world.base.with_suffix(".odpatch").rename(sidecar)
    world.store.mkdir()
    store.init(str(world.store), str(world.base), str(sidecar))
    deep = world.folder / "a" / "b"
    store.init(deep, world.base, sidecar)

    assert store.active_name(world.store) == store.active_name(deep) == "base"


def test_relative_path(world, monkeypatch):
    monkeypatch.chdir(world.folder)
    store.init("store", "base.tflite")

    assert world.files() == _FILES


def test_same_base_again_changes_nothing(filled):
    before = {p: p.stat().st_mtime_ns for p in filled.store.rglob("*")}
    store.init(filled.store, filled.base)

    after = {p: p.stat().st_mtime_ns for p in filled.store.rglob("*")}
    assert after == before
    assert store.active_name(filled.store) == "cats"


def test_another_base_is_refused(filled):
    other = filled.folder / "other.tflite"
    filled.write_base(other, 5.0)
    with pytest.raises(store.StoreError, match="keeps one base.*another"):
        store.init(filled.store, other)

    assert store.active_name(filled.store) == "cats"


def test_sidecar_of_another_base(world):
    world.write_base(world.folder / "other.tflite", 5.0)
    with pytest.raises(BaseMismatchError, match="its sidecar describes"):
        store.init(world.store, world.base, world.folder / "other.odpatch")

    assert not world.store.exists()


@pytest.mark.parametrize("missing", ["base.tflite", "base.odpatch"])
def test_missing_file(world, missing):
    (world.folder / missing).unlink()
    with pytest.raises(FileNotFoundError, match=missing):
        store.init(world.store, world.base)

    assert not world.store.exists()


def test_damaged_sidecar(world):
    path = world.base.with_suffix(".odpatch")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SidecarError, match="says that it has"):
        store.init(world.store, world.base)

    assert not world.store.exists()


def test_folder_with_other_things(world):
    before = sorted(os.listdir(world.folder))
    with pytest.raises(store.StoreError, match="new or empty.*'base.odpatch'"):
        store.init(world.folder, world.base)

    assert sorted(os.listdir(world.folder)) == before


def test_file_in_the_place_of_the_folder(world):
    world.store.write_bytes(b"mine")
    with pytest.raises(OSError):
        store.init(world.store, world.base)

    assert world.store.read_bytes() == b"mine"


def test_half_made_store_is_none_until_it_is_finished(begun):
    (begun.store / "index.json").unlink()
    (begun.store / "base.odpatch").unlink()
    with pytest.raises(store.StoreError, match="that `store.init` has finish"):
        store.list_patches(begun.store)
    store.init(begun.store, begun.base)

    assert begun.files() == _FILES
    assert store.active_name(begun.store) == "base"


def test_store_reached_through_a_link(filled):
    link = filled.folder / "link"
    link.symlink_to(filled.store)
    store.activate(link, "dogs")

    assert store.active_name(filled.store) == "dogs"


def test_store_that_was_moved(filled):
    moved = filled.folder / "moved"
    filled.store.rename(moved)
    store.activate(moved, "dogs")

    assert filled.weight(moved / "active.tflite") == 4

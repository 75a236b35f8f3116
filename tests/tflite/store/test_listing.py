"""What a store shows."""

from __future__ import annotations

import dataclasses
import os
import struct

import pytest

from object_detection_patch.tflite import store
from object_detection_patch.tflite.store import index as index_lib
from object_detection_patch.tflite.store import listing
from object_detection_patch.tflite.store import lock as lock_lib


def test_patches_by_name(filled):
    store.add(filled.store, filled.patch("ants", 5))
    entries = store.list_patches(filled.store)

    assert [(e.name, e.active) for e in entries] == [
        ("ants", False),
        ("cats", True),
        ("dogs", False),
    ]


def test_entry_as_a_line(filled):
    cats, dogs = store.list_patches(filled.store)

    assert str(cats) == (
        "cats (active): FINE_TUNING, classes: 2 (Class 1, class_2), "
        f"{cats.file_bytes} bytes, SHA-256 {cats.sha256[:12]}..."
    )
    assert "dogs: " in str(dogs)
    assert "classes: 7 (Class 1, class_2, Class 3, class_4, Class 5, ...)" in (
        str(dogs)
    )


def test_reading_needs_no_lock_and_no_right_to_write(filled):
    with lock_lib.locked(str(filled.store)):
        for path in (filled.store, filled.store / "patches"):
            path.chmod(0o555)
        try:
            assert store.active_name(filled.store) == "cats"
            assert len(store.list_patches(filled.store)) == 2
        finally:
            for path in (filled.store, filled.store / "patches"):
                path.chmod(0o755)


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_no_store(world, kind):
    if kind == "empty":
        world.store.mkdir()
    if kind == "file":
        world.store.touch()
    for call in (store.list_patches, store.active_name):
        with pytest.raises(store.StoreError, match="without index.json"):
            call(world.store)


def test_model_that_is_newer_than_the_index_just_read(filled, monkeypatch):
    """Between the two readings another process adds and activates."""
    path = filled.patch("ants", 5)
    found = listing.file_sha256
    calls = []

    def slow(active):
        if not calls:
            calls.append(1)
            store.add(filled.store, path)
            store.activate(filled.store, "ants")
        return found(active)

    monkeypatch.setattr(listing, "file_sha256", slow)
    assert store.active_name(filled.store) == "ants"


def test_crash_between_model_and_index(filled):
    """The model tells what is active, whichever name the index has."""
    model = filled.store / "active.tflite"
    old = index_lib.read_index(str(filled.store))
    for name in ("dogs", "base", "cats"):
        store.activate(filled.store, name)
        index_lib.write_index(str(filled.store), old)

        assert store.active_name(filled.store) == name
        # And the next change settles it.
        store.add(filled.store, filled.folder / "dogs.patch")
        data = model.read_bytes()
        store.activate(filled.store, name)
        assert model.read_bytes() == data
        index = index_lib.read_index(str(filled.store))
        assert index.active.name == name
    assert dataclasses.asdict(index) == dataclasses.asdict(old)


def test_model_of_nobody(filled):
    model = bytearray((filled.store / "active.tflite").read_bytes())
    struct.pack_into("<f", model, 32, 9.0)
    (filled.store / "active.tflite").write_bytes(model)

    assert store.active_name(filled.store) is None
    assert os.path.exists(filled.store / "active.tflite")

"""What is cleared away from a store, and what is not."""

from __future__ import annotations

import os

import pytest

from object_detection_patch.tflite import store
from object_detection_patch.tflite.store.folder import file_sha256, read

_HIDDEN = ".od-patch-0123456789abcdef-0011223344556677.partial"


def _touch(world, names):
    for name in names:
        (world.store / name).write_bytes(b"left")


@pytest.mark.parametrize(
    "change",
    [
        lambda world: store.activate(world.store, "cats"),
        lambda world: store.activate(world.store, "dogs"),
        lambda world: store.add(world.store, world.folder / "cats.patch"),
    ],
)
def test_the_next_change_clears_away_what_a_kill_has_left(filled, change):
    before = filled.files()
    _touch(
        filled,
        [
            _HIDDEN,
            f"patches/{_HIDDEN}",
            f"patches/{'0' * 64}.patch",
        ],
    )
    change(filled)

    assert filled.files() == before


def test_what_the_store_has_not_written_stays(filled):
    names = [
        "notes.txt",
        f"{'0' * 64}.patch",
        "patches/notes.txt",
        f"patches/{'0' * 63}.patch",
        f"patches/{'0' * 64}.patch.old",
        "patches/.hidden",
    ]
    _touch(filled, names)
    before = filled.files()
    store.activate(filled.store, "dogs")

    assert filled.files() == before
    assert set(names) < set(before)


def test_what_cannot_be_removed_stops_nothing(filled, monkeypatch):
    names = [_HIDDEN, f"patches/{'0' * 64}.patch"]
    _touch(filled, names)
    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", _refuse)
        store.activate(filled.store, "dogs")
    assert set(names) < set(filled.files())
    assert filled.weight() == 4
    store.activate(filled.store, "dogs")

    assert not set(names) & set(filled.files())


def _refuse(path):
    raise PermissionError(path)


def test_failed_change_leaves_no_garbage(filled):
    before = filled.files()
    _touch(filled, [f"patches/{'0' * 64}.patch"])
    with pytest.raises(store.StoreError, match="must be that of"):
        store.remove(filled.store, "birds")

    assert filled.files() == before


def test_digest_of_a_file(tmp_path):
    path = tmp_path / "a"
    assert file_sha256(path) is None
    # NIST's example of one block.
    path.write_bytes(b"abc")
    assert file_sha256(path) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_so_much_of_a_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")

    assert read(path) == b"abc"
    # One more, so that whoever checks sees that it is too long.
    assert read(path, most=1) == b"ab"

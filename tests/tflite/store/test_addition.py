"""Patches that get into a store, and patches that do not."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from object_detection_patch.patch_file import FingerprintError, PatchFileError
from object_detection_patch.tflite import patcher, store, trust
from object_detection_patch.tflite.errors import (
    BaseMismatchError,
    CapacityError,
    UnfitEditError,
)


def _names(world):
    return [entry.name for entry in store.list_patches(world.store)]


def test_entry_of_an_added_patch(begun):
    path = begun.patch("cats", 3, labels=7, method="SPOTPATCH")
    entry = store.add(begun.store, path)

    data = path.read_bytes()
    assert entry == store.Entry(
        name="cats",
        method="SPOTPATCH",
        classes=7,
        labels=("Class 1", "class_2", "Class 3", "class_4", "Class 5"),
        file_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        active=False,
    )
    assert store.list_patches(begun.store) == [entry]
    kept = begun.store / "patches" / f"{entry.sha256}.patch"
    assert kept.read_bytes() == data
    assert begun.weight() == 1


def test_two_names_of_one_content_share_its_file(begun):
    path = begun.patch("cats", 3)
    first = store.add(begun.store, path)
    second = store.add(begun.store, path, "pets")

    assert first.sha256 == second.sha256
    assert _names(begun) == ["cats", "pets"]
    assert sum(name.startswith("patches/") for name in begun.files()) == 1
    store.remove(begun.store, "cats")
    store.activate(begun.store, "pets")
    assert begun.weight() == 3
    store.remove(begun.store, "pets")
    assert not any(name.startswith("patches/") for name in begun.files())


def test_the_same_again_changes_nothing(filled):
    before = (filled.store / "index.json").stat().st_mtime_ns
    entry = store.add(filled.store, filled.folder / "cats.patch")

    assert entry.active
    assert (filled.store / "index.json").stat().st_mtime_ns == before


def test_taken_name(filled):
    path = filled.patch("new", 5)
    before = filled.files()
    with pytest.raises(store.StoreError, match="one patch.*'cats', .*taken"):
        store.add(filled.store, path, "cats")

    assert filled.files() == before
    assert filled.weight() == 3


def test_replaced_patch(filled):
    path = filled.patch("new", 5)
    entry = store.add(filled.store, path, "dogs", replace=True)

    assert not entry.active
    assert sum(name.startswith("patches/") for name in filled.files()) == 2
    assert filled.weight() == 3
    store.activate(filled.store, "dogs")
    assert filled.weight() == 5


def test_replaced_patch_that_is_active(filled):
    path = filled.patch("new", 5)
    entry = store.add(filled.store, path, "cats", replace=True)

    assert entry.active
    assert filled.weight() == 5
    assert store.active_name(filled.store) == "cats"


def test_names_that_differ_in_capital_letters_only(filled):
    path = filled.patch("new", 5)
    for replace in (False, True):
        with pytest.raises(store.StoreError, match="capital.*'Cats' beside"):
            store.add(filled.store, path, "Cats", replace=replace)


def test_name_of_letters_taken_apart(begun):
    path = begun.patch("cats", 3)
    whole = "V\u00f6gel"
    store.add(begun.store, path, unicodedata.normalize("NFD", whole))

    assert _names(begun) == [whole]
    store.activate(begun.store, unicodedata.normalize("NFD", whole))
    assert store.active_name(begun.store) == whole


@pytest.mark.parametrize("name", ["", "../cats", ".cats", "base", "a\nb"])
def test_bad_name(begun, name):
    path = begun.patch("cats", 3)
    before = begun.files()
    with pytest.raises(store.StoreError, match="The name of a patch must"):
        store.add(begun.store, path, name)

    assert begun.files() == before


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"fingerprint": "00" * 32}, FingerprintError, "and no other"),
        ({"target": "unknown"}, UnfitEditError, "must name a tensor"),
        ({"labels": 10}, CapacityError, "at most 9 classes"),
        ({"labels": 0}, CapacityError, "must have a label map"),
    ],
)
def test_patch_that_cannot_be_applied(begun, fields, error, message):
    path = begun.patch("bad", 3, **fields)
    before = begun.files()
    with pytest.raises(error, match=f"(?s){message}.*bad.patch"):
        store.add(begun.store, path)

    assert begun.files() == before
    assert _names(begun) == []


@pytest.mark.parametrize("size", [0, 40, 100, -1])
def test_patch_that_is_cut_short(begun, size):
    path = begun.patch("cats", 3)
    path.write_bytes(path.read_bytes()[:size])
    before = begun.files()
    with pytest.raises(PatchFileError, match="cats.patch"):
        store.add(begun.store, path)

    assert begun.files() == before


def test_patch_is_computed_before_it_is_accepted(begun, monkeypatch):
    def fail(*_, **__):
        raise UnfitEditError("no")

    path = begun.patch("cats", 3)
    monkeypatch.setattr(patcher, "apply_bytes", fail)
    with pytest.raises(UnfitEditError, match="no .*cats.patch"):
        store.add(begun.store, path)

    assert _names(begun) == []


def test_missing_patch(begun):
    with pytest.raises(FileNotFoundError):
        store.add(begun.store, begun.folder / "none.patch")


def test_folder_that_is_no_store(world):
    path = world.patch("cats", 3)
    world.store.mkdir()
    with pytest.raises(store.StoreError, match="without index.json"):
        store.add(world.store, path)

    assert world.files() == []


def test_damaged_base(begun):
    (begun.store / "base.tflite").write_bytes(b"rotten")
    with pytest.raises(BaseMismatchError):
        store.add(begun.store, begun.patch("cats", 3))


def test_adding_again_mends_a_damaged_patch(filled):
    (entry,) = (e for e in store.list_patches(filled.store) if e.name == "dogs")
    kept = filled.store / "patches" / f"{entry.sha256}.patch"
    kept.write_bytes(b"rotten")
    with pytest.raises(store.StoreError, match="stay as it was.*'dogs' again"):
        store.activate(filled.store, "dogs")
    assert filled.weight() == 3
    store.add(filled.store, filled.folder / "dogs.patch")
    store.activate(filled.store, "dogs")

    assert filled.weight() == 4


def test_signature_can_be_required(begun):
    pytest.importorskip("cryptography")
    private, public = begun.folder / "private.pem", begun.folder / "public.pem"
    trust.generate(private, public)
    unsigned = begun.patch("unsigned", 3)
    signed = begun.patch("signed", 4, sign=trust.load_signer(private))
    with pytest.raises(trust.SignatureError, match="must be signed"):
        store.add(begun.store, unsigned, require_signature=public)
    store.add(begun.store, signed, require_signature=public)

    assert _names(begun) == ["signed"]

"""Sidecars of a store's base with other input sizes."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

import pytest

from object_detection_patch.patch_file import Release
from object_detection_patch.tflite import patcher, sidecar_file, store
from object_detection_patch.tflite.errors import (
    CapacityError,
    MissingReleaseError,
    SidecarError,
)
from object_detection_patch.tflite.sidecar import InputSize

# At this size the skeleton's first byte is 7, and 0 at the base's own.
_SMALL = InputSize(64, 64, "6" * 64, {0: 7}, {})
_OTHER = InputSize(32, 48, "3" * 64, {0: 9}, {})


def _give_sizes(world, *sizes, **fields):
    """Writes the sidecar of the world's base anew; returns its bytes."""
    path = world.base.with_suffix(".odpatch")
    known = sidecar_file.from_bytes(path.read_bytes())
    own = (96, 96) if sizes else None
    sidecar = dataclasses.replace(known, image_size=own, sizes=sizes, **fields)
    path.write_bytes(sidecar_file.to_bytes(sidecar))
    return path.read_bytes()


def _released(world, name, weight, size=None, **options):
    """A patch that was published for this size alone, or for the own one."""
    plain = world.patch(name, weight, **options).read_bytes()
    sidecar = world.base.with_suffix(".odpatch").read_bytes()
    model = patcher.apply_bytes(world.base.read_bytes(), sidecar, plain)
    base_sha256 = sidecar_file.from_bytes(sidecar).base_sha256
    if size is not None:
        base_sha256 = size.base_sha256
        model = bytes([size.words[0]]) + model[1:]
    digest = hashlib.sha256(model).hexdigest()
    release = Release(base_sha256, digest, ())
    return world.patch(name, weight, releases=(release,), **options)


def _first_byte(path):
    return pathlib.Path(path).read_bytes()[0]


@pytest.fixture
def released(begun):
    """`cats` (weight 3) is active, `dogs` has 7 classes; both of own size."""
    store.add(begun.store, _released(begun, "cats", 3))
    store.add(begun.store, _released(begun, "dogs", 4, labels=7))
    store.activate(begun.store, "cats")
    return begun


def test_more_sizes_are_taken(released):
    before = {p: p.stat().st_mtime_ns for p in released.store.rglob("*")}
    more = _give_sizes(released, _SMALL)
    store.init(released.store, released.base)
    kept = released.store / "base.odpatch"
    assert kept.read_bytes() == more
    assert store.active_name(released.store) == "cats"

    # Nothing else changes: no patch of the store is for this size.
    after = {p: p.stat().st_mtime_ns for p in released.store.rglob("*")}
    changed = {p for p in after if after[p] != before.get(p)}
    assert changed <= {kept, released.store}


def test_fewer_sizes_change_nothing(world):
    both = _give_sizes(world, _SMALL, _OTHER)
    store.init(world.store, world.base)
    for sizes in ((_OTHER, _SMALL), (_OTHER,), ()):
        _give_sizes(world, *sizes)
        store.init(world.store, world.base)
        assert (world.store / "base.odpatch").read_bytes() == both


def test_a_store_s_sizes_are_not_given_up_for_others(begun):
    held = _give_sizes(begun, _SMALL)
    store.init(begun.store, begun.base)
    _give_sizes(begun, _OTHER)
    with pytest.raises(store.StoreError, match="but without 64 x 64; give all"):
        store.init(begun.store, begun.base)

    assert (begun.store / "base.odpatch").read_bytes() == held


def test_a_patch_for_a_size_that_the_base_lacks_waits(begun):
    early = _released(begun, "cats", 3, _SMALL)
    with pytest.raises(MissingReleaseError, match="for 1 other bases"):
        store.add(begun.store, early)
    _give_sizes(begun, _SMALL)
    store.init(begun.store, begun.base)
    store.add(begun.store, early)
    assert _first_byte(store.activate(begun.store, "cats")) == 7
    assert begun.weight() == 3


def test_patches_of_the_store_must_fit(released):
    held = (released.store / "base.odpatch").read_bytes()
    _give_sizes(released, _SMALL, capacity=6)
    with pytest.raises(CapacityError, match="at most 6 .*'dogs' of the store"):
        store.init(released.store, released.base)

    assert (released.store / "base.odpatch").read_bytes() == held
    store.activate(released.store, "dogs")
    assert released.weight() == 4


def test_unpublished_patches_are_to_be_removed_before(filled):
    held = (filled.store / "base.odpatch").read_bytes()
    _give_sizes(filled, _SMALL)
    with pytest.raises(MissingReleaseError, match="'cats' of the store"):
        store.init(filled.store, filled.base)
    assert (filled.store / "base.odpatch").read_bytes() == held
    assert store.active_name(filled.store) == "cats"


def test_a_damaged_patch_or_sidecar_is_named(released):
    _give_sizes(released, _SMALL)
    for patch in (released.store / "patches").iterdir():
        patch.write_bytes(b"damaged")
    with pytest.raises(store.StoreError, match="another content.*add 'cats'"):
        store.init(released.store, released.base)
    held = released.store / "base.odpatch"
    held.write_bytes(b"damaged")
    with pytest.raises(SidecarError, match=str(held)):
        store.init(released.store, released.base)

"""Kills at every step of every change, and changes in any order.

A child process is stopped at its n-th step that touches the store, for every
n: before it opens a file to write, creates, renames or removes one, and when
it has written a file that did not reach the disk whole.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from object_detection_patch.tflite import store

_ROOT = pathlib.Path(__file__).parents[3]
_DRIVER = """
import os, shutil, stat, sys
from object_detection_patch.tflite import store

folder, change = sys.argv[1:]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.rename", "os.remove", "os.mkdir")
steps_left = 0

def step():
    global steps_left
    steps_left -= 1
    return steps_left == 0

def watch(event, arguments):
    if event in CHANGES or event == "open" and arguments[2] & WRITES:
        if str(arguments[0]).startswith(folder) and step():
            os._exit(9)

def torn_fsync(descriptor):
    if step():
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            os.ftruncate(descriptor, status.st_size // 2)
        os._exit(9)
    fsync(descriptor)

killed = 0
while True:
    killed += 1
    where = f"{folder}/killed{killed}"
    if os.path.isdir(f"{folder}/store"):
        shutil.copytree(f"{folder}/store", where)
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        fsync, os.fsync = os.fsync, torn_fsync
        steps_left = killed
        exec(change)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""
# Name -> weight of its model.
_BEFORE = {"cats": 3, "dogs": 4}
_CHANGES = {
    "add": (
        "store.add(where, f'{folder}/new.patch')",
        _BEFORE | {"new": 5},
        "cats",
    ),
    "replace": (
        "store.add(where, f'{folder}/new.patch', 'dogs', replace=True)",
        _BEFORE | {"dogs": 5},
        "cats",
    ),
    "replace the active one": (
        "store.add(where, f'{folder}/new.patch', 'cats', replace=True)",
        _BEFORE | {"cats": 5},
        "cats",
    ),
    "remove": ("store.remove(where, 'dogs')", {"cats": 3}, "cats"),
    "remove the active one": (
        "store.remove(where, 'cats')",
        {"dogs": 4},
        "base",
    ),
    "activate": ("store.activate(where, 'dogs')", _BEFORE, "dogs"),
    "activate the base": ("store.activate(where)", _BEFORE, "base"),
}


def _killed_everywhere(folder: pathlib.Path, change: str) -> list[pathlib.Path]:
    """The stores that kills of the change left; the last one finished."""
    subprocess.run(
        [sys.executable, "-c", _DRIVER, str(folder), change],
        check=True,
        timeout=120,
        env=os.environ
        | {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )
    found = sorted(folder.glob("killed*"), key=lambda path: int(path.name[6:]))
    assert len(found) > 4
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", _CHANGES)
def test_killed_change_leaves_a_store_as_before_or_after(filled, kind):
    filled.patch("new", 5)
    change, after, active = _CHANGES[kind]
    weights = {
        hashlib.sha256(path.read_bytes()).hexdigest(): weight
        for path, weight in (
            (filled.folder / "cats.patch", 3),
            (filled.folder / "dogs.patch", 4),
            (filled.folder / "new.patch", 5),
        )
    }
    outcomes = []
    for where in _killed_everywhere(filled.folder, change):
        held = {
            entry.name: weights[entry.sha256]
            for entry in store.list_patches(where)
        }
        outcomes.append(held == after)
        assert held in (_BEFORE, after)
        _check_active(filled, where, held)
        _check_mended(filled, where, change, after, active, weights)
    # Once there, it is there: no later kill loses it.
    assert outcomes == sorted(outcomes)
    assert outcomes[-1]


def _check_active(filled, where, held):
    """The model runs, and is that of the name which says that it is active.

    Or the one that the name had before it was replaced.
    """
    name = store.active_name(where)
    allowed = {"base": {1}, "cats": {3, held.get("cats")}}
    allowed |= {"dogs": {held.get("dogs")}}
    assert filled.weight(where / "active.tflite") in allowed[name]
    entries = store.list_patches(where)
    active = [entry.name for entry in entries if entry.active]
    assert active == [name] * (name != "base")
    for entry in entries:
        kept = (where / "patches" / f"{entry.sha256}.patch").read_bytes()
        assert hashlib.sha256(kept).hexdigest() == entry.sha256


def _check_mended(filled, where, change, after, active, weights):
    """The same change again finishes, and nothing else is left."""
    again = {"store": store, "where": where, "folder": str(filled.folder)}
    if change.startswith("store.remove"):
        name = change.split("'")[1]
        if name in {entry.name for entry in store.list_patches(where)}:
            exec(change, again)
    else:
        exec(change, again)
    assert store.active_name(where) == active
    assert (
        filled.weight(where / "active.tflite") == (after | {"base": 1})[active]
    )
    for name, weight in after.items():
        store.activate(where, name)
        assert filled.weight(where / "active.tflite") == weight
    patches = {entry.sha256 for entry in store.list_patches(where)}
    assert {path.stem for path in (where / "patches").iterdir()} == patches
    assert not any(".partial" in path.name for path in where.iterdir())
    assert {weights[digest] for digest in patches} == set(after.values())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_beginning_is_finished_by_the_next(world):
    change = "store.init(where, f'{folder}/base.tflite')"
    finished = []
    for where in _killed_everywhere(world.folder, change):
        try:
            finished.append(store.active_name(where) == "base")
        except store.StoreError:
            finished.append(False)
        store.init(where, world.base)
        store.activate(where)
        assert world.weight(where / "active.tflite") == 1
        held = {path.name for path in where.iterdir()}
        assert held == {
            "active.tflite",
            "base.odpatch",
            "base.tflite",
            "index.json",
            "patches",
            "store.lock",
        }
    assert finished == sorted(finished)
    assert finished[-1]


_NAMES = st.sampled_from(["ants", "bees", "cats", "dogs"])
_WEIGHTS = st.integers(3, 6)


class _AnyOrder(RuleBasedStateMachine):
    """A dictionary is the oracle."""

    world_type: type

    @initialize()
    def begin(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.world = self.world_type(self.folder)
        store.init(self.world.store, self.world.base)
        self.weights: dict[str, int] = {}
        self.active = "base"
        self.path = {
            weight: self.world.patch(f"weight{weight}", weight)
            for weight in range(3, 7)
        }

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(name=_NAMES, weight=_WEIGHTS, replace=st.booleans())
    def add(self, name, weight, replace):
        if self.weights.get(name, weight) != weight and not replace:
            with pytest.raises(store.StoreError, match="is taken"):
                store.add(self.world.store, self.path[weight], name)
            return
        store.add(self.world.store, self.path[weight], name, replace=replace)
        self.weights[name] = weight

    @rule(name=_NAMES)
    def remove(self, name):
        if name not in self.weights:
            with pytest.raises(store.StoreError, match="must be that of"):
                store.remove(self.world.store, name)
            return
        store.remove(self.world.store, name)
        del self.weights[name]
        if self.active == name:
            self.active = "base"

    @rule(name=_NAMES | st.none())
    def activate(self, name):
        if name is not None and name not in self.weights:
            with pytest.raises(store.StoreError, match="must be that of"):
                store.activate(self.world.store, name)
            return
        store.activate(self.world.store, name)
        self.active = name or "base"

    @invariant()
    def agrees(self):
        entries = store.list_patches(self.world.store)
        assert [entry.name for entry in entries] == sorted(self.weights)
        assert store.active_name(self.world.store) == self.active
        expected = (self.weights | {"base": 1})[self.active]
        assert self.world.weight() == expected
        kept = list((self.world.store / "patches").iterdir())
        assert len(kept) == len(set(self.weights.values()))


@pytest.fixture
def any_order(world):
    _AnyOrder.world_type = type(world)
    return _AnyOrder


def test_changes_in_any_order(any_order):
    test = any_order.TestCase
    test.settings = settings(
        max_examples=15, stateful_step_count=20, deadline=None
    )
    test().runTest()

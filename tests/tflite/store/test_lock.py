"""One process at a time."""

from __future__ import annotations

import builtins
import os
import pathlib
import subprocess
import sys
import threading

import pytest

from object_detection_patch.tflite import store
from object_detection_patch.tflite.store import lock

_ROOT = pathlib.Path(__file__).parents[3]
_CHILD = """
import sys, time
from object_detection_patch.tflite.store import lock
with lock.locked(sys.argv[1]):
    print("there", flush=True)
    time.sleep(60)
"""


def _holder(folder: pathlib.Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    assert child.stdout.readline() == "there\n"
    return child


def test_busy_store(filled, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.05)
    new = filled.patch("new", 5)
    with _holder(filled.store) as child:
        for change in (
            lambda: store.add(filled.store, new),
            lambda: store.activate(filled.store, "dogs"),
            lambda: store.remove(filled.store, "dogs"),
            lambda: store.init(filled.store, filled.base),
        ):
            with pytest.raises(
                store.StoreBusyError, match="has been changing for 0.05 sec"
            ):
                change()
        # Reading waits for nobody.
        assert store.active_name(filled.store) == "cats"
        child.kill()
    store.activate(filled.store, "dogs")

    assert filled.weight() == 4


def test_waits_for_another_thread(tmp_path):
    order = []
    with lock.locked(str(tmp_path)):
        thread = threading.Thread(
            target=lambda: _note(tmp_path, order, "second")
        )
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(10)

    assert order == ["first", "second"]


def _note(folder, order, text):
    with lock.locked(str(folder)):
        order.append(text)


def test_error_inside_unlocks(tmp_path):
    with pytest.raises(KeyError), lock.locked(str(tmp_path)):
        raise KeyError
    with lock.locked(str(tmp_path)):
        assert os.listdir(tmp_path) == ["store.lock"]


def test_system_without_locks(filled, monkeypatch):
    found = builtins.__import__

    def without(name, *rest):
        if name == "fcntl":
            raise ImportError("No module named 'fcntl'")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(store.StoreError, match="such as Linux and macOS"):
        store.activate(filled.store, "dogs")

    assert store.active_name(filled.store) == "cats"


_ADDER = """
import sys
from object_detection_patch.tflite import store
where, *paths = sys.argv[1:]
for path in paths:
    store.add(where, path)
    store.activate(where, path.rpartition("/")[2].removesuffix(".patch"))
"""


def test_no_entry_is_lost_when_processes_add_at_once(begun):
    paths = [str(begun.patch(f"task{i}", 10 + i)) for i in range(24)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _ADDER, str(begun.store), *paths[i::4]],
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
        )
        for i in range(4)
    ]
    assert [child.wait(60) for child in children] == [0] * 4

    entries = store.list_patches(begun.store)
    assert {e.name for e in entries} == {f"task{i}" for i in range(24)}
    assert [e.active for e in entries].count(True) == 1
    active = store.active_name(begun.store)
    assert begun.weight() == 10 + int(active.removeprefix("task"))
    assert len(begun.files()) == 5 + 24

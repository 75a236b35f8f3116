"""A folder with one base and many patches: an app switches tasks by name.

    store.init("models", "base.tflite")
    store.add("models", "pets.patch")
    Interpreter(model_path=store.activate("models", "pets"))
    store.activate("models")  # back to the base

`active.tflite` is the model to run. It and every other file is replaced as a
whole, so a process that is killed leaves a store that works; what it had not
finished is cleared away by the next change. Processes change a store one
after the other (on Linux and macOS; not on Windows, which lacks `fcntl`).
"""

from object_detection_patch.tflite.store.addition import add
from object_detection_patch.tflite.store.beginning import init
from object_detection_patch.tflite.store.choice import activate, remove
from object_detection_patch.tflite.store.errors import (
    StoreBusyError,
    StoreError,
)
from object_detection_patch.tflite.store.listing import (
    Entry,
    active_name,
    list_patches,
)
from object_detection_patch.tflite.store.name import BASE

__all__ = [
    "BASE",
    "Entry",
    "StoreBusyError",
    "StoreError",
    "activate",
    "active_name",
    "add",
    "init",
    "list_patches",
    "remove",
]

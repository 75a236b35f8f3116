"""One process at a time changes a store; readers never wait."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from object_detection_patch.tflite.store.errors import (
    StoreBusyError,
    StoreError,
)

LOCK_FILE = "store.lock"
# Applying a patch to the largest model takes a second or two.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.01


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Holds the store's lock, which the system drops when a process dies.

    The lock file itself stays: whoever removed it would let two processes
    in, one through the old file and one through a new one.

    Raises:
      StoreBusyError: if another process holds it all the time.
      StoreError: on Windows, which lacks this kind of lock.
      OSError: if the lock file cannot be written.
    """
    try:
        import fcntl
    except ImportError as error:
        raise StoreError(
            "A store can be changed on systems with `fcntl`, such as Linux "
            f"and macOS. Received: {os.name!r}; `od-patch apply` works there."
        ) from error
    path = os.path.join(folder, LOCK_FILE)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise _busy(folder) from error
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        # Closing unlocks.
        os.close(descriptor)


def _busy(folder: str) -> StoreBusyError:
    return StoreBusyError(
        "One process at a time may change a store. Received: "
        f"{folder!r}, which another one has been changing for "
        f"{WAIT_SECONDS:g} seconds; try again when it has finished."
    )

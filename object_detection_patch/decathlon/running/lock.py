"""One process at a time uses a directory, or does one piece of its work."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from object_detection_patch.decathlon.running.folder import Folder, FolderError


@contextlib.contextmanager
def locked(folder: Folder, piece: str = "") -> Iterator[int]:
    """Holds the directory, or a piece of its work.

    Yields the descriptor that holds it. The system lets it go when the last
    process is gone that has the descriptor, so a process that is given it
    keeps others out after this one was killed.

    Args:
      piece: a file name; empty for the directory.

    Raises:
      FolderError: if another process holds it.
    """
    work = folder.root / "work"
    path = work / "locks" / piece if piece else work / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    # The lock file stays: whoever removed it would let two processes in.
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _in_use(folder, piece) from error
        yield file.fileno()


def _in_use(folder: Folder, piece: str) -> FolderError:
    if piece:
        return FolderError(
            "One process at a time may do a piece of work. Received: "
            f"{piece} of {folder.root}, which another one is doing; wait for "
            "it."
        )
    return FolderError(
        "One `od-patch decathlon run` at a time may use a directory. "
        f"Received: {folder.root}, which another one is using, or a process "
        "that one left behind; wait for it, or take another --out_dir."
    )

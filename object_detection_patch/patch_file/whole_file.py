"""A file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat

_START = ".od-patch-"
_END = ".partial"
# A file of the largest size is written in seconds.
_STALE_SECONDS = 3600
_PIECE_BYTES = 2**20


def write_whole(
    path: str | os.PathLike[str], data: bytes | bytearray | memoryview
) -> None:
    """Writes a file, replacing an older one in a single step.

    The bytes go to a hidden file in the same folder, to the disk, and then
    take the name. Whatever fails or is killed before that, an older file
    stays as it was. A hidden file that a killed writer left is removed by
    the next write of the same file that comes an hour later or more.

    Args:
      path: the file; its folder must exist. A symbolic link is followed.
      data: all of its bytes.

    Raises:
      OSError: if it cannot be written, or something else than a file has
        its name; the error has the path.
    """
    real = os.path.realpath(path)
    is_folder = os.fspath(path).endswith((os.sep, os.altsep or os.sep))
    if is_folder or (os.path.exists(real) and not os.path.isfile(real)):
        raise FileExistsError(
            errno.EEXIST,
            "Only a file is replaced. Received: something else",
            os.fspath(path),
        )
    folder, name = os.path.split(real)
    hidden = os.path.join(
        folder, f"{_hidden_prefix(name)}{secrets.token_hex(8)}{_END}"
    )
    # "x": never another's file; made with the permissions of any new one.
    file = open(hidden, "xb")
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, real)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(hidden)
        if isinstance(error, OSError) and error.errno is not None:
            # A full disk would otherwise be named by no path, or a hidden one.
            error.filename, error.filename2 = os.fspath(path), None
        raise
    sync_folder(folder)
    _remove_leftovers(folder, name)


def read_within(path: str | os.PathLike[str], most: int) -> bytes:
    """A file, or of a larger one enough to tell that it is too large."""
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return file.read(min(status.st_size, most) + 1)
        # A pipe, say: nobody knows its length.
        data = bytearray()
        while len(data) <= most and (piece := file.read(_PIECE_BYTES)):
            data += piece
        return bytes(data)


def is_same(
    path: str | os.PathLike[str], other: str | os.PathLike[str]
) -> bool:
    """Whether two paths lead to one file, or would if it were there."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    return (
        os.path.exists(path)
        and os.path.exists(other)
        and os.path.samefile(path, other)
    )


def is_hidden(name: str) -> bool:
    """Whether a file of this name is one that `write_whole` writes to.

    For whoever knows that nobody writes: then it is what a kill has left.
    """
    return name.startswith(_START) and name.endswith(_END)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes new names outlast a power cut, where folders can be synced.

    Elsewhere (Windows, some network file systems) the files are whole all
    the same, so a refusal is no error.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _hidden_prefix(name: str) -> str:
    # A digest, because the name may already be as long as names may be.
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f"{_START}{digest[:16]}-"


def _remove_leftovers(folder: str, name: str) -> None:
    """Removes hidden files for `name` that no living writer can still need.

    Age is the sign, not the process that wrote: it may live on another
    machine or in another container that shares the folder. Age is counted
    from the file just written, so by the clock of the folder itself. What
    cannot be removed stays: the file is written all the same.
    """
    prefix = _hidden_prefix(name)
    with contextlib.suppress(OSError):
        now = os.stat(os.path.join(folder, name)).st_mtime
        with os.scandir(folder) as found:
            for entry in found:
                if (
                    entry.name.startswith(prefix)
                    and entry.name.endswith(_END)
                    and entry.is_file(follow_symlinks=False)
                    and now - entry.stat().st_mtime > _STALE_SECONDS
                ):
                    os.unlink(entry.path)

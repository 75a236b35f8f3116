"""A folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from object_detection_patch.patch_file import whole_file


def refuse_filled(output_dir: str) -> None:
    """Raises ValueError unless the directory is new or empty.

    Also for one that `whole_directory` could not put in place.
    """
    if os.path.exists(output_dir) and (
        not os.path.isdir(output_dir) or os.listdir(output_dir)
    ):
        raise ValueError(
            "`--output_dir` must be new or empty, so that nothing older is "
            f"mixed in. Received: {output_dir!r}."
        )
    if os.path.ismount(output_dir):
        raise ValueError(
            "`--output_dir` is put in place by renaming, so it must not be a "
            "mount point; a new folder in it will do. Received: "
            f"{output_dir!r}."
        )
    parent = _existing(os.path.dirname(os.path.realpath(output_dir)))
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise ValueError(
            "The folder of `--output_dir` must be writable. Received: "
            f"{output_dir!r}."
        )


@contextlib.contextmanager
def whole_directory(output_dir: str) -> Iterator[str]:
    """A folder to write into, which becomes `output_dir` when all is done.

    It lies beside the target and is renamed once all of it is on the disk, so
    no half result is found, after a power cut neither. Whatever is raised
    within, it is removed.
    """
    # Of a link to a folder, the folder: a link itself cannot be replaced.
    target = os.path.realpath(output_dir)
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    beside = tempfile.mkdtemp(prefix=".od-patch-", dir=parent)
    try:
        yield beside
        os.chmod(beside, 0o755)
        _sync(beside)
        if os.path.isdir(target):
            os.rmdir(target)
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    whole_file.sync_folder(parent)


def _sync(folder: str) -> None:
    """Brings all files in a folder, and their names, to the disk."""
    for path, _, names in os.walk(folder):
        for name in names:
            # For writing, which some systems ask of a file to be synced.
            with open(os.path.join(path, name), "rb+") as file:
                os.fsync(file.fileno())
        whole_file.sync_folder(path)


def _existing(path: str) -> str:
    """The path, or the nearest folder above it that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path

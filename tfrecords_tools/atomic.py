"""Files that appear complete or not at all."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tfrecords_tools.files import is_local, move


@contextlib.contextmanager
def replace_together(
    paths: Sequence[Path], *, durable: bool = True
) -> Iterator[Sequence[BinaryIO]]:
    """Opens a hidden file beside each path; renames all when the block ends.

    Every file is on disk before the first is renamed, so a full disk is
    noticed while the old files still stand. If the block raises, the old
    files stay and the hidden ones are removed. The folder must exist.

    Args:
        durable: whether the files must outlive a loss of power; what can be
            made again need not.
    """
    hidden = [p.with_name(f".{p.name}.{os.getpid()}.partial") for p in paths]
    try:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(p.open("wb")) for p in hidden]
            yield files
            for file, path in zip(files, paths, strict=True):
                file.flush()
                if durable and is_local(path):
                    os.fsync(file.fileno())
        for partial, path in zip(hidden, paths, strict=True):
            move(partial, path)
    finally:
        for partial in hidden:
            partial.unlink(missing_ok=True)

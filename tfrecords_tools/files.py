"""Paths on this machine, and in stores that workers far away can reach."""

import os
from pathlib import Path
from typing import cast

_SCHEME = "://"


def to_path(text: str | Path) -> Path:
    """A path of this machine, or for `gs://bucket/...` one that acts alike.

    Such paths need universal_pathlib and the file system's own package, for
    example gcsfs.

    Raises: ValueError if no installed package knows the scheme.
    """
    if not isinstance(text, str):
        return text
    if _SCHEME not in text:
        return Path(text)
    from upath import UPath

    try:
        path = UPath(text)
        _ = path.fs  # Only this asks for the store's own package.
        return cast(Path, path)
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"Paths of this kind need a package that is not here: {error}. "
            f"Received: {text}"
        ) from error


def is_local(path: Path) -> bool:
    """Whether the operating system's own calls work on it."""
    return isinstance(path, Path) and _SCHEME not in str(path)


def move(source: Path, target: Path) -> None:
    """Gives a file another name, replacing what has that name."""
    if is_local(source):
        os.replace(source, target)
    else:
        source.rename(target)

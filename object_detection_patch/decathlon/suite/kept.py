"""Bases that come with the package, so that all runs begin with the same.

One that is trained anew rounds otherwise on another processor, and results on
two bases must not be mixed.
"""

from __future__ import annotations

import pathlib

_FOLDER = pathlib.Path(__file__).parent / "kept_bases"


def fingerprints() -> list[str]:
    """Of the bases that there are."""
    return sorted(path.name for path in _FOLDER.iterdir() if path.is_dir())


def checkpoint(fingerprint: str) -> str:
    """Prefix of the checkpoint of one of them, published for phones."""
    return str(_FOLDER / fingerprint / "ckpt-0")

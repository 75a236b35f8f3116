"""Bases that come with the package, so that all runs begin with the same.

One that is trained anew rounds otherwise on another processor, and results on
two bases must not be mixed. A base's folder has its checkpoint as it was
published for phones, its label map, and the record of its making.
"""

from __future__ import annotations

import dataclasses
import pathlib

_FOLDER = pathlib.Path(__file__).parent / "kept_bases"


@dataclasses.dataclass(frozen=True)
class KeptBase:
    """Where things of one base lie.

    Args:
      folder: named by the base's fingerprint.
    """

    folder: pathlib.Path

    @property
    def checkpoint(self) -> str:
        """Prefix of the checkpoint."""
        return str(self.folder / "ckpt-0")

    @property
    def label_map(self) -> str:
        return str(self.folder / "label_map.pbtxt")

    @property
    def record(self) -> pathlib.Path:
        """What was measured when it was made."""
        return self.folder / "base.json"


def fingerprints() -> list[str]:
    """Of the bases that there are."""
    return sorted(path.name for path in _FOLDER.iterdir() if path.is_dir())


def kept_base(fingerprint: str) -> KeptBase:
    """One of them."""
    return KeptBase(_FOLDER / fingerprint)

"""Patches of which a few bytes are changed."""

from __future__ import annotations

import struct
from typing import Any

from attacks.frame import PATCH_MAGIC, changed, framed
from attacks.small_world import SmallWorld

HUGE = 2**32 - 1


def of_header(small: SmallWorld, raw: bytes) -> bytes:
    """The patch with another inflated header."""
    return framed(PATCH_MAGIC, raw, small.sections())


def edited(small: SmallWorld, target: str, **fields: Any) -> bytes:
    """The patch with other fields of one edit."""
    for name, value in fields.items():
        setattr(small.edit(target), name, value)
    return small.patch_bytes()


def counted(
    small: SmallWorld, before: bytes, old: int, new: int, behind: bytes
) -> bytes:
    """The patch with a u32 changed that stands between given bytes."""
    raw = changed(
        small.patch.header(),
        before + struct.pack("<I", old) + behind,
        before + struct.pack("<I", new) + behind,
    )
    return of_header(small, raw)

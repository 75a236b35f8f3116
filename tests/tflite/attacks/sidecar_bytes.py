"""Sidecars of which a few bytes of the body are changed."""

from __future__ import annotations

import struct

from attacks.frame import SIDECAR_MAGIC, framed
from attacks.small_world import SmallWorld

HUGE = 2**32 - 1


def of_body(raw: bytes) -> bytes:
    """A sidecar around any body."""
    return framed(SIDECAR_MAGIC, raw, version=1)


def poked(small: SmallWorld, at: int, new: bytes) -> bytes:
    """The sidecar with other bytes at a position of its body."""
    raw = small.body()
    return of_body(raw[:at] + new + raw[at + len(new) :])


def poked_u32(small: SmallWorld, at: int, value: int) -> bytes:
    return poked(small, at, struct.pack("<I", value))

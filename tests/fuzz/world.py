"""The small bases that native/fuzz/world.cc makes, read from their seeds.

`native/fuzz/write_seeds.cc` has written `corpus/*/world_0`, `_1` and `_2`:
float32, float16 and int8.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import struct

from fuzz import frame

CORPUS = pathlib.Path(__file__).parent / "corpus"
PRECISIONS = 3
LENGTH_AT = 64  # in the body: u64 bytes of base.tflite
_SKELETON = b"\x11" * 256
FILL = b"\x3c"


@dataclasses.dataclass(frozen=True)
class World:
    """A base, its sidecar, and a patch that fits it."""

    base: bytes
    sidecar: bytes
    patch: bytes


@functools.cache
def world_of(number: int) -> World:
    """The world that the first byte of an input chooses."""
    name = f"world_{number % PRECISIONS}"
    sidecar_input = (CORPUS / "apply_sidecar" / name).read_bytes()[1:]
    patch_input = (CORPUS / "apply" / name).read_bytes()[1:]
    (size,) = struct.unpack_from("<Q", sidecar_input, 1 + LENGTH_AT)
    return World(
        _SKELETON + FILL * (size - len(_SKELETON)),
        frame.sidecar_of_input(sidecar_input),
        frame.patch_of_input(patch_input),
    )

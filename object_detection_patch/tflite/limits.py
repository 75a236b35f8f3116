"""The constants of FORMAT.md: magic, version, limits."""

from __future__ import annotations

import struct

MAGIC = b"\x89ODB\r\n\x1a\n"
# What is written where there is one input size; with others, the second.
VERSION, VERSION_WITH_SIZES = 1, 2
# magic, version, stored body bytes, inflated body bytes, zero, file bytes
PRELUDE = struct.Struct("<8sIIIIQ")
CHECKSUM_BYTES = 32
DIGEST_BYTES = 32

MAX_BODY_BYTES = 2**24
MAX_SIDECAR_BYTES = PRELUDE.size + MAX_BODY_BYTES + CHECKSUM_BYTES
MAX_SKELETON_BYTES = 2**24
SKELETON_ALIGNMENT = 16
MAX_COUNT = 2**16
MAX_ITEMS = 2**28
MAX_MODEL_BYTES = 2**28 + 2**23
MAX_ELEMENTS = 2**26
MAX_CLASSES = 2**16
MAX_INFLATION = 1032
MAX_I32 = 2**31 - 1
MAX_SIDE = 2**16
MAX_SIZES = 2**6
# How often sharing may save a place: towers that are run once for each level
# of features are why it exists, and no detector has so many levels.
MAX_SHARING = 8

"""The constants of FORMAT.md: magic, version, numbers of kinds, limits."""

from __future__ import annotations

import struct

# Like PNG's: the high bit, the line ends and the end-of-file character
# reveal a transfer that took the file for text.
MAGIC = b"\x89ODP\r\n\x1a\n"
VERSION = 1
# magic, version, stored header bytes, inflated header bytes, zero, file bytes
PRELUDE = struct.Struct("<8sIIIIQ")
CHECKSUM_BYTES = 32
FINGERPRINT_BYTES = 32

REPLACE = 1
ADD_SIGNED = 2
AFFINE_MASK = 3
KEEP_MASKED = 4
SCALE_OFFSET = 5

# The value type of an edit: a mask's numbers are bits, others' are floats.
BITS = 0
FLOAT32 = 1
FLOAT16 = 2

STORED = 0
ZLIB = 1

MAX_HEADER_BYTES = 2**22
# 256 MiB of tensors, and 8 MiB for the header and single numbers.
MAX_FILE_BYTES = 2**28 + 2**23
MAX_TEXT_BYTES = 1024
MAX_EDITS = 2**16
MAX_LABELS = 2**16
MAX_LABEL_ID = 2**31 - 1
MAX_RANK = 8
# Of one tensor and of all together: 256 MiB as float32. The largest backbone
# of an SSD in the OD API's zoo, a ResNet152, has 58 million weights.
MAX_ELEMENTS = 2**26
# No deflate stream inflates to more than 1032 times its size
# (https://zlib.net/zlib_tech.html), so a larger claim is false.
MAX_INFLATION = 1032
# An array or object of JSON takes two bytes there and some 70 in memory.
MAX_METADATA_BYTES = 2**18
MAX_JSON_DEPTH = 32

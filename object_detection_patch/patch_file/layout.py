"""The constants of FORMAT.md: magic, version, numbers of kinds, limits."""

from __future__ import annotations

import struct

# Like PNG's: the high bit, the line ends and the end-of-file character
# reveal a transfer that took the file for text.
MAGIC = b"\x89ODP\r\n\x1a\n"
# Of files that adapters.frame reads; known here to say what they are.
FAMILY_MAGIC = b"\x89ODF\r\n\x1a\n"
# Writers write the first that has all that a patch needs.
VERSIONS = (1, 2, 3, 4)
# magic, version, stored header bytes, inflated header bytes, flags (version
# 1: zero), file bytes
PRELUDE = struct.Struct("<8sIIIIQ")
SIGNED = 1
CHECKSUM_BYTES = 32
FINGERPRINT_BYTES = 32
# Ed25519 (RFC 8032).
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64

REPLACE = 1
ADD_SIGNED = 2
AFFINE_MASK = 3
KEEP_MASKED = 4
SCALE_OFFSET = 5
# Since version 3: matrices between the channels of a convolution.
ADD_AT_CENTRE = 6
ADD_PRODUCT_AT_CENTRE = 7
MIX_OUTPUTS = 8
MIX_OUTPUTS_BY_PRODUCT = 9

# The value type of an edit: a mask's numbers are bits, others' are floats.
BITS = 0
FLOAT32 = 1
FLOAT16 = 2
# Since version 2: codes of a few bits, with a lowest value and a step a group.
GRID = 3
# Since version 4: the same with lowest values and steps in float16.
HALF_GRID = 4

STORED = 0
ZLIB = 1
# Since version 2: floats, byte 0 of many, then byte 1 of them, ...; zlib.
PLANES = 2
PLANE_BLOCK = 8192

MIN_GRID_BITS = 2
MAX_GRID_BITS = 8
# Two numbers each: without a limit, a tensor of groups of one number would
# take two more tensors while it is read.
MAX_GRID_GROUPS = 2**16

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
# Mixing takes a multiplication for each weight and output. The widest kernels
# of a ResNet152 have 2048 outputs.
MAX_MIXED_OUTPUTS = 2**12
# No deflate stream inflates to more than 1032 times its size
# (https://zlib.net/zlib_tech.html), so a larger claim is false.
MAX_INFLATION = 1032
# An array or object of JSON takes two bytes there and some 70 in memory.
MAX_METADATA_BYTES = 2**18
MAX_JSON_DEPTH = 32
MAX_RELEASES = 64
# Of all releases together: an activation takes 8 bytes there, 130 in memory.
MAX_ACTIVATIONS = 2**16
# -128 to 127, the numbers of an int8 tensor.
ZERO_POINTS = range(-(2**7), 2**7)
MAX_MODEL_METADATA_BYTES = 2**16

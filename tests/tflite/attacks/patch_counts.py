"""Patches whose header lies about how much it holds."""

from __future__ import annotations

import struct

from attacks.attempt import PATCH, Attempts
from attacks.frame import changed
from attacks.patch_bytes import HUGE, counted, of_header
from attacks.small_world import SmallWorld

from object_detection_patch.patch_file import errors

ATTEMPTS = Attempts(PATCH)


@ATTEMPTS.add(errors.DirectoryError, "bytes behind it")
def bytes_behind_the_header(small: SmallWorld) -> bytes:
    """Bytes hidden behind the last field of the header."""
    return of_header(small, small.patch.header() + b"hidden")


@ATTEMPTS.add(errors.DirectoryError, "ends within a field")
def header_cut(small: SmallWorld) -> bytes:
    """A header that ends within the model metadata."""
    return of_header(small, small.patch.header()[:-5])


@ATTEMPTS.add(errors.DirectoryError, "ends within a field of 32")
def empty_header(small: SmallWorld) -> bytes:
    """A header of no bytes."""
    return of_header(small, b"")


@ATTEMPTS.add(errors.LimitError, "may hold 65536 edits. Received: 4294967295")
def huge_edit_count(small: SmallWorld) -> bytes:
    """2^32 - 1 edits, for which a careless reader takes memory first."""
    return counted(small, b"TEST", 5, HUGE, b"")


@ATTEMPTS.add(errors.DirectoryError, "ends within a field")
def more_edits_than_bytes(small: SmallWorld) -> bytes:
    """65,536 edits: an allowed count, in a header that ends there."""
    before = small.patch.header()[: 32 + len(b"..TEST")]
    return of_header(small, before + struct.pack("<I", 65536))


@ATTEMPTS.add(errors.LimitError, "may hold 65536 labels. Received: 4294967295")
def huge_label_count(small: SmallWorld) -> bytes:
    """2^32 - 1 labels."""
    return counted(small, b"", 2, HUGE, b"\x01\0\0\0\x03\0cat")


@ATTEMPTS.add(errors.LimitError, "262144 bytes of metadata")
def huge_metadata(small: SmallWorld) -> bytes:
    """2^32 - 1 bytes of metadata."""
    return counted(small, b"", 2, HUGE, b"{}")


@ATTEMPTS.add(errors.LimitError, "may hold 64 releases. Received: 4294967295")
def huge_release_count(small: SmallWorld) -> bytes:
    """2^32 - 1 releases."""
    return counted(small, b"{}", 0, HUGE, b"")


@ATTEMPTS.add(errors.LimitError, "65536 activations", "int8")
def huge_activation_count(small: SmallWorld) -> bytes:
    """2^29 activations, whose bytes would be 0 in 32 bits."""
    return counted(small, b"", 2, 2**29, struct.pack("<fi", 0.5, -3))


@ATTEMPTS.add(errors.LimitError, "65536 bytes of model metadata")
def huge_model_metadata(small: SmallWorld) -> bytes:
    """2^32 - 1 bytes of model metadata."""
    return counted(small, b"", 20, HUGE, b"metadata of the task")


@ATTEMPTS.add(errors.LimitError, "may hold 1024 bytes of `target`")
def huge_target_length(small: SmallWorld) -> bytes:
    """A target of 65,535 bytes."""
    header = changed(
        small.patch.header(), b"\x0b\0body/kernel", b"\xff\xffbody/kernel"
    )
    return of_header(small, header)

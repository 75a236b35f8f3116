"""A sidecar as bytes, and back; FORMAT.md describes them."""

from __future__ import annotations

import hashlib
import os
import zlib

from object_detection_patch.patch_file import PatchFileError, inflation
from object_detection_patch.patch_file.whole_file import read_within
from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import (
    SidecarError,
    SidecarVersionError,
)
from object_detection_patch.tflite.fields import FieldReader
from object_detection_patch.tflite.sidecar import Sidecar
from object_detection_patch.tflite.sidecar_body import read_body, written_body
from object_detection_patch.tflite.sidecar_checks import check_sidecar


def read_sidecar(path: str | os.PathLike[str]) -> Sidecar:
    """Reads a sidecar file.

    Raises:
      SidecarError: if the file breaks any rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    data = read_within(path, limits.MAX_SIDECAR_BYTES)
    try:
        return from_bytes(data)
    except SidecarError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise


def from_bytes(data: bytes) -> Sidecar:
    """Reads a sidecar from memory; SidecarError as in `read_sidecar`."""
    version, body = _body(data)
    fields = FieldReader(body)
    sidecar = read_body(fields, version)
    fields.finish()
    check_sidecar(sidecar)
    _check_checksum(data)
    return sidecar


def to_bytes(sidecar: Sidecar) -> bytes:
    """The bytes of a sidecar; SidecarError for one that no file may hold."""
    body = written_body(sidecar)
    # Not compressed: most of it is floats, which would shrink by a sixth, and
    # a phone would inflate them for every patch.
    stored = zlib.compress(body, 0)
    file_bytes = limits.PRELUDE.size + len(stored) + limits.CHECKSUM_BYTES
    version = limits.VERSION_WITH_SIZES if sidecar.sizes else limits.VERSION
    prelude = limits.PRELUDE.pack(
        limits.MAGIC, version, len(stored), len(body), 0, file_bytes
    )
    data = prelude + stored
    data += hashlib.sha256(data).digest()
    # What a reader refuses is not written: its checks are the rules.
    from_bytes(data)
    return data


def _body(data: bytes) -> tuple[int, bytes]:
    """Version and inflated body."""
    smallest = limits.PRELUDE.size + limits.CHECKSUM_BYTES
    if len(data) < smallest:
        raise SidecarError(
            f"A sidecar has at least {smallest} bytes. Received: {len(data)}; "
            "it is cut short or no sidecar."
        )
    magic, version, stored, raw, reserved, file_bytes = (
        limits.PRELUDE.unpack_from(data)
    )
    _check_prelude(magic, version, reserved)
    if file_bytes != len(data):
        raise SidecarError(
            f"This sidecar says that it has {file_bytes} bytes. Received: "
            f"{len(data)}; fetch or copy it again."
        )
    if max(stored, raw) > limits.MAX_BODY_BYTES or stored != (
        file_bytes - smallest
    ):
        raise SidecarError(
            "A sidecar's body must fill the file between prelude and checksum "
            f"and have at most {limits.MAX_BODY_BYTES} bytes. Received: "
            f"{stored} stored and {raw} inflated in {file_bytes}."
        )
    body = data[limits.PRELUDE.size : -limits.CHECKSUM_BYTES]
    try:
        inflation.check_inflation("The body", stored=stored, raw=raw)
        inflated = inflation.inflate("The body", [body], raw).tobytes()
    except PatchFileError as error:
        raise SidecarError(str(error)) from error
    return version, inflated


def _check_prelude(magic: bytes, version: int, reserved: int) -> None:
    if magic != limits.MAGIC:
        raise SidecarError(
            f"A sidecar begins with {limits.MAGIC!r}. Received: {magic!r}."
        )
    if version not in (limits.VERSION, limits.VERSION_WITH_SIZES):
        raise SidecarVersionError(
            f"This program reads sidecars of the versions {limits.VERSION} "
            f"and {limits.VERSION_WITH_SIZES}. Received: version {version}; "
            "install a program that knows it."
        )
    if reserved != 0:
        raise SidecarError(
            f"Bytes 20 to 23 of a sidecar must be 0. Received: {reserved:#x}."
        )


def _check_checksum(data: bytes) -> None:
    found = hashlib.sha256(data[: -limits.CHECKSUM_BYTES]).digest()
    stated = data[-limits.CHECKSUM_BYTES :]
    if found != stated:
        raise SidecarError(
            "A sidecar ends with the SHA-256 of what stands before, "
            f"{found.hex()}. Received: {stated.hex()}; the file is damaged, "
            "fetch or copy it again."
        )

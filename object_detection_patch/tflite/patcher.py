"""Applying a patch to a published base: files in, a verified file out."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os

from object_detection_patch.patch_file import from_bytes as patch_from_bytes
from object_detection_patch.patch_file.layout import MAX_FILE_BYTES
from object_detection_patch.patch_file.whole_file import (
    is_same,
    read_within,
    write_whole,
)
from object_detection_patch.tflite import limits, sidecar_file, trust
from object_detection_patch.tflite.errors import (
    BaseMismatchError,
    OutputError,
    ResultMismatchError,
)
from object_detection_patch.tflite.fit import check_fingerprint, fit
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.sidecar import Sidecar

SIDECAR_SUFFIX = ".odpatch"


@dataclasses.dataclass(frozen=True)
class Applied:
    """What `apply` wrote.

    Args:
      file_bytes, sha256: of the task's model.
      classes: of the task.
      verified: True if the publisher stated the result's SHA-256 and it is
        this one; False if the patch was not published for this base.
      image_size: height and width of the model's input; None if the sidecar
        does not say.
    """

    file_bytes: int
    sha256: str
    classes: int
    verified: bool
    image_size: tuple[int, int] | None = None


def apply(
    base: str | os.PathLike[str],
    patch: str | os.PathLike[str],
    output: str | os.PathLike[str] | None,
    *,
    sidecar: str | os.PathLike[str] | None = None,
    require_signature: str | os.PathLike[str] | None = None,
    trust_base: bool = False,
) -> Applied:
    """Writes the task's model: base.tflite + sidecar + patch -> output.

    The output is written beside its target and renamed; whatever goes wrong,
    an older file there stays. The base is only read.

    Args:
      output: None does everything but writing.
      sidecar: default: the base's name with `.odpatch` for its ending.
      require_signature: PEM file of the public key by which the patch must
        be signed.
      trust_base: skip the SHA-256 of the base, which the caller has checked
        before.

    Raises:
      PatchFileError: if the patch breaks a rule of its format.
      FingerprintError: if it was trained on another base.
      ApplyError: for whatever else does not fit (tflite/errors.py).
      SignatureError: if it is not signed by that key.
      OSError: if a file cannot be read or written.
    """
    sidecar = sidecar_path(base) if sidecar is None else sidecar
    inputs = [base, sidecar, patch]
    if require_signature is not None:
        inputs.append(require_signature)
    if output is not None:
        _check_output(output, inputs)
    patch_bytes = read_within(patch, MAX_FILE_BYTES)
    if require_signature is not None:
        trust.verify_patch(
            patch_bytes, trust.load_public_key(require_signature)
        )
    sidecar_bytes = _read_sidecar(sidecar)
    base_bytes = read_within(base, limits.MAX_MODEL_BYTES)
    try:
        model, applied = _applied(
            base_bytes, sidecar_bytes, patch_bytes, trust_base=trust_base
        )
    except ValueError as error:
        error.args = (
            f"{error} (base {os.fspath(base)}, sidecar {os.fspath(sidecar)}, "
            f"patch {os.fspath(patch)})",
        )
        raise
    if output is not None:
        write_whole(output, model)
    return applied


def apply_bytes(
    base: bytes, sidecar: bytes, patch: bytes, *, trust_base: bool = False
) -> bytes:
    """The task's model in memory; raises as `apply` does."""
    return bytes(_applied(base, sidecar, patch, trust_base=trust_base)[0])


def read_base(base: str | os.PathLike[str], sidecar: Sidecar) -> bytes:
    """The bytes of base.tflite; BaseMismatchError if it is another file."""
    data = read_within(base, limits.MAX_MODEL_BYTES)
    _check_base(data, sidecar, trusted=False)
    return data


def sidecar_path(base: str | os.PathLike[str]) -> str:
    """Where a base's sidecar lies unless told otherwise."""
    return os.path.splitext(os.fspath(base))[0] + SIDECAR_SUFFIX


def _applied(
    base: bytes, sidecar: bytes, patch: bytes, *, trust_base: bool
) -> tuple[bytearray, Applied]:
    """Checks 1 to 8 of FORMAT.md."""
    read_patch = patch_from_bytes(patch, metadata=False)
    read_sidecar = sidecar_file.from_bytes(sidecar)
    check_fingerprint(read_sidecar, read_patch)
    _check_base(base, read_sidecar, trusted=trust_base)
    fitted = fit(read_sidecar, read_patch)
    model = patched_model(memoryview(base), read_sidecar, read_patch, fitted)
    digest = hashlib.sha256(model).hexdigest()
    release = fitted.release
    if release is not None and release.result_sha256 != digest:
        raise ResultMismatchError(
            "The result must be the model that the publisher tested, SHA-256 "
            f"{release.result_sha256}. Received: {digest}; tell the "
            "publisher, and use no part of it."
        )
    size = fitted.size
    applied = Applied(
        len(model),
        digest,
        fitted.classes,
        release is not None,
        read_sidecar.image_size if size is None else size.image_size,
    )
    return model, applied


def _check_base(base: bytes, sidecar: Sidecar, *, trusted: bool) -> None:
    if len(base) != sidecar.base_bytes:
        raise BaseMismatchError(
            "The base must be the file that its sidecar describes, "
            f"{sidecar.base_bytes} bytes. Received: {len(base)} bytes; was "
            "it converted or repacked again, or is the sidecar another's?"
        )
    if trusted:
        return
    digest = hashlib.sha256(base).hexdigest()
    if digest != sidecar.base_sha256:
        raise BaseMismatchError(
            "The base must be the file that its sidecar describes, SHA-256 "
            f"{sidecar.base_sha256}. Received: {digest}; was it converted or "
            "repacked again, or is the sidecar another's?"
        )


def _check_output(
    output: str | os.PathLike[str], inputs: list[str | os.PathLike[str]]
) -> None:
    if not os.path.exists(output):
        return
    if not os.path.isfile(output):
        raise OutputError(
            "The output must be a file. Received: "
            f"{os.fspath(output)!r}, which is something else."
        )
    for path in inputs:
        if is_same(output, path):
            raise OutputError(
                "The output must not replace a file that is read. Received: "
                f"{os.fspath(output)!r}, which is {os.fspath(path)!r}."
            )


def _read_sidecar(path: str | os.PathLike[str]) -> bytes:
    try:
        return read_within(path, limits.MAX_SIDECAR_BYTES)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            errno.ENOENT,
            "A base comes with its sidecar, beside it and of the same name "
            "unless told otherwise. Received: no such file",
            os.fspath(path),
        ) from error

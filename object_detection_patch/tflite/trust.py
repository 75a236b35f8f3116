"""Who published a patch: Ed25519 keys, and signatures of patch files.

A checksum says that a file is as it was written; a signature says by whom.
`patch_file/FORMAT.md` (Signature) says where it lies and what it covers.
The cryptography is that of the package `cryptography`; Ed25519 is RFC 8032.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file.whole_file import read_within

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ed25519

# Versions before it have no signatures.
_FIRST_VERSION = 2
_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o644
_SIGNED_END = (
    layout.PUBLIC_KEY_BYTES + layout.SIGNATURE_BYTES + layout.CHECKSUM_BYTES
)
# 128 bits: nobody can make a second key with the same.
_FINGERPRINT_DIGITS = 32


class SignatureError(ValueError):
    """A patch does not come from the owner of the required key."""


class KeySigner:
    """Signs with a private key that this process holds.

    It is a `patch_file.signature.Signer`; one that asks a vault is another.
    """

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def generate(
    private_path: str | os.PathLike[str], public_path: str | os.PathLike[str]
) -> None:
    """Writes a new pair of keys as PEM files; replaces none.

    Only the owner may read the private one (mode 0600), which is not
    encrypted. Whoever has it can sign in your name.

    Raises:
      FileExistsError: if one of the files is there.
      OSError: if one cannot be written; then neither is left.
      ImportError: without the package `cryptography`.
    """
    with _extra():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    _write_new(private_path, private, _PRIVATE_MODE)
    try:
        _write_new(public_path, public, _PUBLIC_MODE)
    except BaseException:
        os.unlink(private_path)
        raise


def load_signer(path: str | os.PathLike[str]) -> KeySigner:
    """Reads a private key from the PEM file that `generate` wrote.

    Raises:
      ValueError: if it holds no private Ed25519 key, or an encrypted one.
      OSError: if it cannot be read.
      ImportError: without the package `cryptography`.
    """
    with _extra():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    with open(path, "rb") as file:
        pem = file.read()
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ValueError(
            "A private key must not be encrypted; decrypt it, or pass a "
            f"signer of your own. Received: {os.fspath(path)!r}."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key("private", path) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _no_key("private", path)
    return KeySigner(key)


def load_public_key(path: str | os.PathLike[str]) -> bytes:
    """The 32 bytes of the public key in a PEM file of `generate`.

    Raises:
      ValueError: if it holds no public Ed25519 key.
      OSError: if it cannot be read.
      ImportError: without the package `cryptography`.
    """
    with _extra():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    with open(path, "rb") as file:
        pem = file.read()
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key("public", path) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _no_key("public", path)
    return key.public_bytes_raw()


def fingerprint(public_key: bytes) -> str:
    """What people compare: 32 hex digits of the SHA-256 of the key."""
    return hashlib.sha256(public_key).hexdigest()[:_FINGERPRINT_DIGITS]


def verify_patch(
    patch: str | os.PathLike[str] | bytes, public_key: bytes
) -> None:
    """Returns if the owner of `public_key` has signed the patch.

    Only the prelude is looked at before, so a reader meets no byte of a
    stranger. It does not check the patch itself: read it afterwards, from
    the same bytes, since a file may change in between.

    Args:
      patch: a path, or the bytes of the file.
      public_key: 32 bytes, from `load_public_key`.

    Raises:
      SignatureError: if the patch is not signed, signed with another key, or
        not what was signed.
      PatchFileError: if it is no patch file of a known version.
      OSError: if it cannot be read.
      ImportError: without the package `cryptography`.
    """
    if len(public_key) != layout.PUBLIC_KEY_BYTES:
        raise ValueError(
            f"A public key must have {layout.PUBLIC_KEY_BYTES} bytes, as "
            f"`load_public_key` gives them. Received: {len(public_key)}."
        )
    data = patch
    if not isinstance(data, bytes):
        data = read_within(data, layout.MAX_FILE_BYTES)
    _check_signed(data)
    end = len(data) - layout.CHECKSUM_BYTES
    begin = end - layout.SIGNATURE_BYTES
    _check_key(data[len(data) - _SIGNED_END : begin], public_key)
    _check_signature(memoryview(data)[:begin], data[begin:end], public_key)


def _check_signed(data: bytes) -> None:
    smallest = layout.PRELUDE.size + layout.CHECKSUM_BYTES
    if len(data) < smallest:
        raise errors.LengthError(
            f"A patch file has at least {smallest} bytes. Received: "
            f"{len(data)}; it is cut short or no patch file."
        )
    magic, version, _, _, flags, _ = layout.PRELUDE.unpack_from(data)
    if magic != layout.MAGIC:
        raise errors.MagicError(
            f"A patch file begins with {layout.MAGIC!r}. Received: {magic!r}."
        )
    if version not in layout.VERSIONS:
        raise errors.VersionError(
            "This program reads patch files of version "
            f"{layout.VERSIONS[-1]} and before. Received: version {version}; "
            "install a program that knows it."
        )
    if version < _FIRST_VERSION or not flags & layout.SIGNED:
        raise SignatureError(
            "The patch must be signed. Received: one without a signature; "
            "ask its publisher for a signed one."
        )
    smallest = layout.PRELUDE.size + _SIGNED_END
    if len(data) < smallest:
        raise errors.LengthError(
            f"A signed patch file has at least {smallest} bytes. Received: "
            f"{len(data)}; fetch or copy it again."
        )


def _check_key(received: bytes, required: bytes) -> None:
    if received != required:
        raise SignatureError(
            "The patch must be signed with the key "
            f"{fingerprint(required)}. Received: one that names the key "
            f"{fingerprint(received)}."
        )


def _check_signature(
    message: memoryview, signature: bytes, public_key: bytes
) -> None:
    with _extra():
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ed25519
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature, message)
    except InvalidSignature as error:
        raise SignatureError(
            "The patch must be what its publisher signed with the key "
            f"{fingerprint(public_key)}. Received: one whose signature does "
            "not verify; it was changed or damaged, fetch it again."
        ) from error


def _no_key(kind: str, path: str | os.PathLike[str]) -> ValueError:
    return ValueError(
        f"The file must hold a {kind} Ed25519 key as PEM, as `od-patch "
        f"keygen` writes it. Received: {os.fspath(path)!r}."
    )


def _write_new(path: str | os.PathLike[str], data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Tells whoever lacks the package how to get it."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "Signatures need the package `cryptography`: "
            "pip install 'object_detection_patch[sign]'"
        ) from error

"""Who signed a patch: the public bytes. No cryptography happens here.

A file holds an Ed25519 signature (RFC 8032) and the key that checks it; the
reader hands both out. Whoever trusts a patch for its signature compares the
key with one that came another way, and checks it with a library for that.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from object_detection_patch.patch_file import layout


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a signed file says; nothing about it has been verified.

    Args:
      public_key: 32 bytes.
      signature: 64 bytes, of all that stands before them in the file.
    """

    public_key: bytes
    signature: bytes


SIGNED_END_BYTES = layout.PUBLIC_KEY_BYTES + layout.SIGNATURE_BYTES


class Signer(Protocol):
    """What `write_patch` asks of a private key."""

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature of `message`."""
        ...


def signed_end(signer: Signer, content: bytes) -> bytes:
    """Public key and signature, to stand behind the content of a file.

    Raises:
      ValueError: if either has another length than Ed25519's have.
    """
    public_key = bytes(signer.public_key)
    _check_length("public key", public_key, layout.PUBLIC_KEY_BYTES)
    signature = bytes(signer.sign(content + public_key))
    _check_length("signature", signature, layout.SIGNATURE_BYTES)
    return public_key + signature


def _check_length(name: str, given: bytes, length: int) -> None:
    if len(given) != length:
        raise ValueError(
            f"The {name} that `sign` gives must have {length} bytes, as "
            f"Ed25519's have. Received: {len(given)}."
        )

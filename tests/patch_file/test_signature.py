"""Signed files. The signer is a stand-in: no cryptography lives here."""

from __future__ import annotations

import hashlib
import io

import pytest

from object_detection_patch.patch_file import (
    Patch,
    Replace,
    Signature,
    from_bytes,
    read_patch,
    reader,
    to_bytes,
    write_patch,
)

KEY = bytes(range(100, 132))
PATCH = Patch("X", "ab" * 32, (Replace("k", [1, 2]),))


class FakeSigner:
    """Signs with the SHA-512 of the message, which no key goes into."""

    public_key = KEY

    def sign(self, message: bytes) -> bytes:
        self.message = message
        return hashlib.sha512(message).digest()


def test_what_is_signed_and_where_it_stands():
    signer = FakeSigner()
    data = to_bytes(PATCH, sign=signer)
    signature = hashlib.sha512(data[:-96]).digest()

    assert data[:-96] == signer.message
    assert data[-128:-32] == KEY + signature
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()
    assert int.from_bytes(data[24:32], "little") == len(data)
    parsed = reader.parse(io.BytesIO(data), len(data))
    assert parsed.signature == Signature(KEY, signature)
    assert data[: parsed.signed_bytes] == signer.message


def test_signed_files_are_of_version_2_and_96_bytes_longer():
    plain, signed = to_bytes(PATCH), to_bytes(PATCH, sign=FakeSigner())

    assert (plain[8], plain[20]) == (1, 0)
    assert (signed[8], signed[20]) == (2, 1)
    # The header says so with two counts of 0, of 4 bytes each.
    raw = [int.from_bytes(data[16:20], "little") for data in (plain, signed)]
    assert raw[1] - raw[0] == 8
    assert from_bytes(signed) == PATCH


def test_unsigned_file():
    data = to_bytes(PATCH)
    parsed = reader.parse(io.BytesIO(data), len(data))

    assert parsed.signature is None
    assert parsed.signed_bytes == 0


def test_signed_on_disk(tmp_path):
    write_patch(tmp_path / "a.patch", PATCH, sign=FakeSigner())

    assert read_patch(tmp_path / "a.patch") == PATCH
    parsed = reader.read_file(tmp_path / "a.patch")
    assert parsed.signature.public_key == KEY


@pytest.mark.parametrize("size", [0, 31, 33])
def test_key_of_another_length(size):
    signer = FakeSigner()
    signer.public_key = bytes(size)
    with pytest.raises(ValueError, match=f"key .* 32 bytes.* Received: {size}"):
        to_bytes(PATCH, sign=signer)


def test_signature_of_another_length(monkeypatch):
    monkeypatch.setattr(FakeSigner, "sign", lambda *_: bytes(63))
    with pytest.raises(
        ValueError, match="signature .* 64 bytes.* Received: 63"
    ):
        to_bytes(PATCH, sign=FakeSigner())

"""Keys, signatures, and patches that do not deserve trust."""

from __future__ import annotations

import builtins
import hashlib
import os
import pathlib
import stat
import struct

import pytest

from object_detection_patch.patch_file import (
    Patch,
    Replace,
    errors,
    from_bytes,
    to_bytes,
)
from object_detection_patch.tflite import trust

cryptography = pytest.importorskip("cryptography")

# RFC 8032, section 7.1, test 3.
_SECRET = bytes.fromhex(
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
)
_PUBLIC = bytes.fromhex(
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
)
_MESSAGE = bytes.fromhex("af82")
_SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
_BODY = b"what stands between prelude and signature"


def _signer(secret=_SECRET):
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return trust.KeySigner(ed25519.Ed25519PrivateKey.from_private_bytes(secret))


def _prelude(*, version=2, flags=1, size=0):
    return struct.pack(
        "<8sIIIIQ", b"\x89ODP\r\n\x1a\n", version, 4, 4, flags, size
    )


def _signed(signer, body=_BODY):
    """A file that is a patch for whoever only verifies signatures."""
    size = 32 + len(body) + 32 + 64 + 32
    message = _prelude(size=size) + body + signer.public_key
    data = message + signer.sign(message)
    return data + hashlib.sha256(data).digest()


def test_known_signature():
    signer = _signer()

    assert signer.public_key == _PUBLIC
    assert signer.sign(_MESSAGE) == _SIGNATURE


def test_signed_patch_is_accepted(tmp_path):
    data = _signed(_signer())
    path = tmp_path / "a.patch"
    path.write_bytes(data)

    trust.verify_patch(data, _PUBLIC)
    trust.verify_patch(path, _PUBLIC)
    trust.verify_patch(str(path), _PUBLIC)


def test_generated_keys_sign_and_verify(tmp_path):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    trust.generate(private, public)
    signer = trust.load_signer(private)
    required = trust.load_public_key(public)

    assert required == signer.public_key
    assert len(required) == 32
    trust.verify_patch(_signed(signer), required)


@pytest.mark.parametrize("compression", ["none", "zlib"])
def test_patch_as_the_writer_signs_it(compression):
    signer = _signer()
    patch = Patch("X", "0f" * 32, (Replace("k", [1, 2, 3]),))
    data = to_bytes(patch, compression=compression, sign=signer)

    trust.verify_patch(data, _PUBLIC)
    assert from_bytes(data) == patch
    with pytest.raises(trust.SignatureError, match="must be signed"):
        trust.verify_patch(to_bytes(patch, compression=compression), _PUBLIC)


def test_every_pair_of_keys_is_another(tmp_path):
    made = set()
    for name in "ab":
        trust.generate(tmp_path / name, tmp_path / f"{name}.pub")
        made.add(trust.load_public_key(tmp_path / f"{name}.pub"))
    assert len(made) == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_private_key_is_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        trust.generate(tmp_path / "private.pem", tmp_path / "public.pem")
    finally:
        os.umask(before)

    mode = stat.S_IMODE((tmp_path / "private.pem").stat().st_mode)
    assert mode == 0o600


@pytest.mark.parametrize("there", ["private.pem", "public.pem"])
def test_keys_are_never_replaced(tmp_path, there):
    (tmp_path / there).write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=there):
        trust.generate(tmp_path / "private.pem", tmp_path / "public.pem")

    assert (tmp_path / there).read_bytes() == b"mine"
    assert os.listdir(tmp_path) == [there]


def test_link_that_leads_nowhere_is_not_followed(tmp_path):
    (tmp_path / "private.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        trust.generate(tmp_path / "private.pem", tmp_path / "public.pem")

    assert not (tmp_path / "elsewhere").exists()


def test_one_path_for_both_keys(tmp_path):
    with pytest.raises(FileExistsError):
        trust.generate(tmp_path / "key.pem", tmp_path / "key.pem")

    assert os.listdir(tmp_path) == []


def test_full_disk_leaves_no_key(tmp_path, monkeypatch):
    calls = []

    def full(_):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trust.generate(tmp_path / "private.pem", tmp_path / "public.pem")

    assert os.listdir(tmp_path) == []


def test_fingerprint_of_a_key():
    expected = hashlib.sha256(_PUBLIC).hexdigest()[:32]
    assert trust.fingerprint(_PUBLIC) == expected


@pytest.mark.parametrize("version", [1, 2])
def test_unsigned_patch(version):
    data = _prelude(version=version, flags=0) + _BODY + bytes(32)
    with pytest.raises(trust.SignatureError, match="must be signed. Rec.*with"):
        trust.verify_patch(data, _PUBLIC)


def test_patch_of_another_publisher():
    other = _signer(bytes(32))
    found = trust.fingerprint(other.public_key)
    required = trust.fingerprint(_PUBLIC)
    with pytest.raises(
        trust.SignatureError, match=f"key {required}. Received: .* {found}"
    ):
        trust.verify_patch(_signed(other), _PUBLIC)


def test_stranger_who_names_the_required_key():
    data = bytearray(_signed(_signer(bytes(32))))
    data[-128:-96] = _PUBLIC
    with pytest.raises(trust.SignatureError, match="does not verify"):
        trust.verify_patch(bytes(data), _PUBLIC)


def test_every_changed_bit_before_the_checksum_is_noticed():
    data = _signed(_signer())
    for position in range(8 * (len(data) - 32)):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises((trust.SignatureError, errors.PatchFileError)):
            trust.verify_patch(bytes(changed), _PUBLIC)


def test_every_other_length_is_noticed():
    data = _signed(_signer())
    for size in range(len(data)):
        with pytest.raises((trust.SignatureError, errors.PatchFileError)):
            trust.verify_patch(data[:size], _PUBLIC)
    for more in (1, 32, 96, 128):
        with pytest.raises(trust.SignatureError):
            trust.verify_patch(data + bytes(more), _PUBLIC)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", errors.LengthError, "at least 64 bytes. Received: 0"),
        (bytes(64), errors.MagicError, "begins with"),
        (_prelude(version=5) + bytes(160), errors.VersionError, "version 5"),
        (_prelude() + bytes(127), errors.LengthError, "160 bytes. Rec.*: 159"),
    ],
)
def test_what_is_no_signed_patch_file(data, error, message):
    with pytest.raises(error, match=message):
        trust.verify_patch(data, _PUBLIC)


def test_key_of_another_size():
    with pytest.raises(ValueError, match="32 bytes, .*Received: 31"):
        trust.verify_patch(_signed(_signer()), _PUBLIC[:31])


def test_missing_patch(tmp_path):
    with pytest.raises(FileNotFoundError):
        trust.verify_patch(tmp_path / "none.patch", _PUBLIC)


def _pem(folder: pathlib.Path, kind: str) -> pathlib.Path:
    """A PEM file, or what is none, that holds no private Ed25519 key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    path = folder / f"{kind}.pem"
    form = serialization.PrivateFormat.PKCS8
    secret = serialization.NoEncryption()
    key = ed25519.Ed25519PrivateKey.generate()
    if kind == "garbage":
        path.write_bytes(b"\0\xffnothing")
        return path
    if kind == "curve":
        key = ec.generate_private_key(ec.SECP256R1())
    if kind == "encrypted":
        secret = serialization.BestAvailableEncryption(b"password")
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, secret)
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    path.with_suffix(".pub").write_bytes(public)
    return path


@pytest.mark.parametrize("kind", ["garbage", "curve"])
def test_no_private_key(tmp_path, kind):
    path = _pem(tmp_path, kind)
    with pytest.raises(ValueError, match=f"private Ed25519 key.*{path.name}"):
        trust.load_signer(path)


def test_encrypted_private_key(tmp_path):
    with pytest.raises(ValueError, match="must not be encrypted"):
        trust.load_signer(_pem(tmp_path, "encrypted"))


def test_keys_that_were_mixed_up(tmp_path):
    private = _pem(tmp_path, "plain")
    with pytest.raises(ValueError, match="hold a private"):
        trust.load_signer(private.with_suffix(".pub"))
    with pytest.raises(ValueError, match="hold a public"):
        trust.load_public_key(private)


@pytest.mark.parametrize("kind", ["garbage.pem", "curve.pub"])
def test_no_public_key(tmp_path, kind):
    _pem(tmp_path, kind.partition(".")[0])
    with pytest.raises(ValueError, match=f"public Ed25519 key.*{kind}"):
        trust.load_public_key(tmp_path / kind)


def test_missing_package(tmp_path, monkeypatch):
    data = _signed(_signer())
    found = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "cryptography":
            raise ImportError("No module named 'cryptography'")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    message = r"pip install 'object_detection_patch\[sign\]'"
    with pytest.raises(ImportError, match=message):
        trust.verify_patch(data, _PUBLIC)
    for call in (trust.load_signer, trust.load_public_key):
        with pytest.raises(ImportError, match=message):
            call(tmp_path / "none.pem")
    with pytest.raises(ImportError, match=message):
        trust.generate(tmp_path / "a", tmp_path / "b")
    assert os.listdir(tmp_path) == []


def test_unsigned_patches_are_refused_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography", None)
    data = _prelude(version=1, flags=0) + _BODY + bytes(32)
    with pytest.raises(trust.SignatureError, match="must be signed"):
        trust.verify_patch(data, _PUBLIC)

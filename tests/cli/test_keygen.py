"""`od-patch keygen` with the real cryptography."""

from __future__ import annotations

import hashlib
import stat

import pytest

from object_detection_patch import cli


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "key.pem", tmp_path / "pub.pem"


def _main(private, public):
    return cli.main(["keygen", f"--private={private}", f"--public={public}"])


def test_two_files_and_a_fingerprint(keys, capsys):
    from cryptography.hazmat.primitives import serialization

    private, public = keys
    assert _main(private, public) == 0
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    shown = serialization.load_pem_public_key(public.read_bytes())
    assert key.public_key() == shown
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    digest = hashlib.sha256(shown.public_bytes_raw()).hexdigest()
    assert capsys.readouterr().out == (
        f"{private}: private key, keep it secret\n"
        f"{public}: public key for `--require_signature`, fingerprint "
        f"{digest[:32]}\n"
    )


@pytest.mark.parametrize("which", [0, 1], ids=["private", "public"])
def test_no_key_is_replaced(keys, capsys, which):
    keys[which].write_bytes(b"precious")
    assert _main(*keys) == 2
    assert keys[which].read_bytes() == b"precious"
    assert not keys[1 - which].exists()
    error = capsys.readouterr().err
    assert "File exists" in error
    assert keys[which].name in error

"""Files of families broken by bytes written by hand, in FORMAT.md's order."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.adapters import files, frame
from object_detection_patch.adapters.errors import ContentError
from object_detection_patch.patch_file import (
    AddAtCentre,
    LabelMapItem,
    Patch,
    PatchFileError,
    Release,
    Replace,
    errors,
    from_bytes,
    to_bytes,
)

MAGIC = b"\x89ODF\r\n\x1a\n"
SHA = bytes(range(32))
FACTOR = Replace("fpn/k", [[1.0, 2.0, 3.0]])
SHARED = Patch("shared factors", "ab" * 32, (FACTOR,))
TASK = Patch(
    "PARALLEL_ADAPTERS",
    "ab" * 32,
    (Replace("fpn/k", [[1.0], [2.0]]), AddAtCentre("fpn/c", [[5.0]])),
    (LabelMapItem(1, "cat", "Cat"),),
    {"note": 1},
)


def build(
    patch=SHARED, *, kind=1, version=1, magic=MAGIC, digest=None, size=None
) -> bytes:
    within = patch if isinstance(patch, bytes) else to_bytes(patch)
    if digest is None:
        digest = SHA if kind == 3 else bytes(32)
    total = 88 + len(within) if size is None else size
    content = magic + struct.pack("<IIQ", version, kind, total) + digest
    content += within
    return content + hashlib.sha256(content).digest()


def read(data: bytes):
    file = frame.parse(data)
    return (files.task_of if file.kind == 3 else files.shared_of)(file)


def refused(data: bytes, error: type[PatchFileError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        read(data)
    assert type(caught.value) is error
    assert "Received" in str(caught.value)


@pytest.mark.parametrize(("kind", "topology"), [(1, "PARALLEL"), (2, "SERIES")])
def test_a_shared_file(kind, topology):
    data = build(kind=kind)
    found = read(data)
    assert found.topology == topology
    assert found.base_fingerprint == "ab" * 32
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert {n: f.tolist() for n, f in found.factors.items()} == {
        "fpn/k": [[1.0, 2.0, 3.0]]
    }


def test_a_task_file():
    assert read(build(TASK, kind=3)) == files.Task(SHA.hex(), TASK)


def test_what_is_written_is_these_bytes():
    factors = {"fpn/k": FACTOR.values}
    written = files.shared_to_bytes("ab" * 32, "SERIES", factors)
    assert written == build(kind=2)
    task = files.Task(SHA.hex(), TASK)
    assert files.task_to_bytes(task) == build(TASK, kind=3)


@pytest.mark.parametrize("kind", [1, 3])
def test_every_truncation_is_refused(kind):
    data = build(TASK if kind == 3 else SHARED, kind=kind)
    for size in range(len(data)):
        refused(data[:size], errors.LengthError, "Received: ")


def test_bytes_behind_the_end():
    refused(build() + b"\0", errors.LengthError, "fetch or copy it again")


@pytest.mark.parametrize("kind", [1, 3])
def test_every_changed_byte_is_refused(kind):
    data = build(TASK if kind == 3 else SHARED, kind=kind)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x10
        with pytest.raises(PatchFileError):
            read(bytes(changed))


def test_a_patch_file_instead():
    data = to_bytes(TASK)
    refused(data, errors.MagicError, "Received: an ordinary patch file")


def test_another_magic():
    refused(build(magic=b"\x89ODG\r\n\x1a\n"), errors.MagicError, "x89ODG")


def test_a_family_file_where_a_patch_is_wanted():
    with pytest.raises(errors.MagicError, match="od-patch adapters expand"):
        from_bytes(build())


@pytest.mark.parametrize("version", [0, 2])
def test_other_versions(version):
    refused(build(version=version), errors.VersionError, f"version {version};")


@pytest.mark.parametrize("kind", [0, 4, 2**32 - 1])
def test_other_kinds(kind):
    refused(build(kind=kind), errors.ReservedError, f"Received: {kind}")


@pytest.mark.parametrize("size", [0, 2**63])
def test_the_stated_length(size):
    refused(build(size=size), errors.LengthError, f"has {size} bytes")


def test_a_file_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(frame, "MAX_FILE_BYTES", 200)
    refused(build(), errors.LimitError, "may have 200 bytes")


def test_a_shared_file_names_none():
    refused(build(digest=SHA), errors.ReservedError, "must be 0")


def test_the_patch_within_fills_the_file():
    within = to_bytes(SHARED)
    refused(build(within + b"\0"), errors.LengthError, f"{len(within)} bytes")
    refused(build(within[:-1]), errors.LengthError, f"{len(within)} bytes")
    # By its own checks, of which the checksum is the last.
    changed = within[:-1] + bytes([within[-1] ^ 1])
    refused(build(changed), errors.ChecksumError, "A patch file ends")


def test_the_checksum():
    data = build()
    refused(data[:-1] + b"?", errors.ChecksumError, "A family's file ends")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edits": ()}, "must hold factors"),
        ({"label_map": TASK.label_map}, "no labels"),
        ({"metadata": {"a": 1}}, "no metadata"),
        ({"model_metadata": b"x"}, "no model metadata"),
        ({"releases": (Release("00" * 32, "11" * 32),)}, "no releases"),
        ({"edits": (AddAtCentre("k", [[1.0]]),)}, "AddAtCentre of 'k'"),
        ({"edits": (Replace("k", [1.0]),)}, "matrices alone"),
        ({"edits": (Replace("k", [[1.0], [2.0]]),)}, r"\(2, 1\) for 'k'"),
    ],
)
def test_what_a_shared_file_must_not_hold(changes, message):
    patch = Patch(**{**vars(SHARED), **changes})
    refused(build(patch), ContentError, message)


def test_more_outputs_than_can_be_mixed():
    patch = Patch("x", "ab" * 32, (Replace("k", [[0.0] * 4097]),))
    assert read(build(patch)).factors["k"].shape == (1, 4097)
    refused(build(patch, kind=2), ContentError, "4096 outputs. Received: 4097")


def test_a_task_file_must_have_no_releases():
    patch = Patch(
        **{**vars(TASK), "releases": (Release("00" * 32, "11" * 32),)}
    )
    refused(build(patch, kind=3), ContentError, "no releases")


class Signer:
    public_key = bytes(32)

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


@pytest.mark.parametrize("kind", [1, 3])
def test_no_patch_within_is_signed(kind):
    patch = TASK if kind == 3 else SHARED
    data = build(to_bytes(patch, sign=Signer()), kind=kind)
    refused(data, ContentError, "must not be signed")


def test_one_kind_is_not_the_other():
    with pytest.raises(ContentError, match="Received: a shared file"):
        files.task_of(frame.parse(build()))
    with pytest.raises(ContentError, match=f"has SHA-256 {SHA.hex()}"):
        files.shared_of(frame.parse(build(TASK, kind=3)))


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "x.odps"
    path.write_bytes(build(TASK, kind=3))
    with pytest.raises(ContentError, match=r"x\.odps\)$"):
        files.read_shared(path)
    assert files.read_task(path).patch == TASK
    assert frame.is_family_file(path)
    path.write_bytes(to_bytes(TASK))
    assert not frame.is_family_file(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    with pytest.raises(PatchFileError):
        read(data)


@given(
    kind=st.integers(0, 4),
    digest=st.sampled_from([SHA, bytes(32)]),
    at=st.integers(0, 400),
    change=st.binary(max_size=8),
)
def test_right_checksums_around_anything_give_a_file_or_a_refusal(
    kind, digest, at, change
):
    within = bytearray(to_bytes(TASK))
    within[at : at + len(change)] = change
    within[-32:] = hashlib.sha256(within[:-32]).digest()
    data = build(bytes(within), kind=kind, digest=digest)
    try:
        found = read(data)
    except PatchFileError:
        return
    assert isinstance(found, (files.Task, files.Shared))

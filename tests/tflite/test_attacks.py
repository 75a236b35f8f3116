"""Each attempt of attacks/ is refused for its own reason, or does no harm."""

from __future__ import annotations

import collections
import hashlib
import io
import pathlib
import tracemalloc
import zipfile
import zlib

import pytest
from attacks import write_files
from attacks.attempt import BASE, FILES, PATCH, PRECISIONS, SIDECAR, Attempt
from attacks.frame import bomb, repeated

from object_detection_patch import patch_file
from object_detection_patch.patch_file import errors
from object_detection_patch.tflite import apply, apply_bytes
from object_detection_patch.tflite.labels import read_labels

_REFUSED = [a for a in write_files.ATTEMPTS if a.error is not None]
_ACCEPTED = [a for a in write_files.ATTEMPTS if a.error is None]


def _name(attempt: Attempt) -> str:
    return attempt.path.name


def _apply(attempt: Attempt) -> bytes:
    read = {s: path.read_bytes() for s, path in attempt.paths().items()}
    return apply_bytes(read[BASE], read[SIDECAR], read[PATCH])


@pytest.mark.parametrize("attempt", _REFUSED, ids=_name)
def test_attempt_is_refused(attempt, tmp_path):
    paths = attempt.paths()
    before = {path: path.read_bytes() for path in paths.values()}
    with pytest.raises(attempt.error, match=attempt.message) as caught:
        apply(
            paths[BASE],
            paths[PATCH],
            tmp_path / "model.tflite",
            sidecar=paths[SIDECAR],
        )
    # The rule's own class and not one that it derives from.
    assert caught.type is attempt.error
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in paths.values()} == before


@pytest.mark.parametrize("attempt", _REFUSED, ids=_name)
def test_message_can_be_printed(attempt):
    with pytest.raises(attempt.error) as caught:
        _apply(attempt)
    message = str(caught.value)
    assert message.isprintable()
    assert "must" in message or "Received" in message
    assert len(message) < 500


def test_refusing_takes_little_memory():
    for attempt in _REFUSED:
        read = {s: path.read_bytes() for s, path in attempt.paths().items()}
        tracemalloc.start()
        with pytest.raises(attempt.error):
            apply_bytes(read[BASE], read[SIDECAR], read[PATCH])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < attempt.memory, attempt.name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sound_files_are_accepted(precision):
    model = apply_bytes(
        *(
            (FILES / f"sound_{precision}{suffix}").read_bytes()
            for suffix in (BASE, SIDECAR, PATCH)
        )
    )
    assert read_labels(model) == ["Cat", "???", "dog"]


@pytest.mark.parametrize("attempt", _ACCEPTED, ids=_name)
def test_accepted_attempt_changes_one_member(attempt):
    with zipfile.ZipFile(io.BytesIO(_apply(attempt))) as archive:
        assert archive.namelist() == ["labelmap.txt"]


def test_label_with_a_path_is_a_line():
    attempt = next(a for a in _ACCEPTED if a.name == "label_with_a_path")
    labels = ["../../../etc/passwd", "???", "C:\\cat"]
    assert read_labels(_apply(attempt)) == labels


@pytest.mark.parametrize(
    "name, error",
    [
        ("metadata_key_twice", errors.DuplicateKeyError),
        ("metadata_nested_deeply", errors.MetadataError),
    ],
)
def test_metadata_are_checked_by_who_reads_them(name, error):
    with pytest.raises(error):
        patch_file.read_patch(FILES / f"{name}{PATCH}")


def test_bomb_is_what_it_says():
    raw = zlib.decompress(bomb(4065))
    assert raw == bytes(1 + 258 * 4065)
    assert len(raw) > 2**20


def test_repeated_is_what_it_says():
    raw = bytes(range(100))
    for period in (5, 20, 40, 100):
        times = -(-258 * 3 // period)
        ends = (times * raw[-period:])[: 258 * 3]
        assert zlib.decompress(repeated(raw, period, 3)) == raw + ends


def test_functions_and_files_agree():
    committed = {path.name: path.read_bytes() for path in FILES.iterdir()}
    assert write_files.files() == committed
    assert sum(map(len, committed.values())) < 250_000


def test_functions_and_table_agree():
    text = write_files.README.read_text(encoding="utf-8")
    assert text.endswith(write_files.MARK + write_files.tables())


def test_attempts_have_names_and_files_of_their_own():
    attempts = write_files.ATTEMPTS
    assert len({attempt.path for attempt in attempts}) == len(attempts)
    assert all(attempt.what.endswith((".", "?")) for attempt in attempts)
    digests = collections.Counter(
        (a.precision, a.suffix, hashlib.sha256(a.made()).digest())
        for a in attempts
        if a.made()
    )
    assert [d for d, count in digests.items() if count > 1] == []


def test_every_error_of_applying_has_an_attempt():
    tried = {attempt.error.__name__ for attempt in _REFUSED}
    modules = ("patch_file/errors.py", "tflite/errors.py")
    package = pathlib.Path(patch_file.__file__).parents[1]
    defined = {
        line.split("(")[0].removeprefix("class ")
        for module in modules
        for line in (package / module).read_text("utf-8").splitlines()
        if line.startswith("class ")
    }
    assert defined - tried == _NOT_RAISED_BY_APPLYING


# Families, what only writers and readers of metadata raise, and what applying
# to a checkpoint does; OutputError concerns paths, not bytes.
_NOT_RAISED_BY_APPLYING = {
    *("PatchFileError", "ApplyError", "OutputError"),
    *("MetadataError", "DuplicateKeyError", "FingerprintFormatError"),
    *("HalfRangeError", "GridRangeError"),
    *("MissingTargetError", "TargetShapeError"),
}

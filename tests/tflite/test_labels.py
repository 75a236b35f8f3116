"""The labels: lines, every byte of the archive, foreign and bad archives."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file import LabelMapItem, PatchFileError
from object_detection_patch.tflite import labels

_MAP = (
    LabelMapItem(1, "cat", "Cat"),
    LabelMapItem(3, "dög", ""),
    LabelMapItem(4, "", ""),
)
_TEXT = "Cat\n???\ndög\n???\n".encode()
_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]),
    max_size=20,
)


def _model(text=_TEXT, **fields):
    """Bytes that are no model, and an archive of Python's own behind them."""
    file = io.BytesIO(b"TFL3" * 10)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a", **fields) as archive:
        archive.writestr("other.txt", "other")
        archive.writestr("labelmap.txt", text)
    return file.getvalue()


def test_a_line_for_each_id_up_to_the_greatest():
    assert labels.labels_text(_MAP) == _TEXT
    assert labels.labels_text(_MAP[::-1]) == _TEXT
    assert labels.labels_text([LabelMapItem(2, "b", "B")]) == b"???\nB\n"


def test_every_byte_of_the_archive():
    archive = labels.labels_archive(_MAP, start=0x01020304)
    size = len(_TEXT).to_bytes(4, "little")
    common = (
        b"\x0a\0" + b"\0\0" + b"\0\0"  # version needed, flags, stored
        + b"\0\0" + b"\x21\0"  # time, date
        + zlib.crc32(_TEXT).to_bytes(4, "little") + size + size
        + b"\x0c\0" + b"\0\0"  # bytes of the name and of extra fields
    )  # fmt: skip
    member = b"PK\3\4" + common + b"labelmap.txt" + _TEXT
    directory = (
        b"PK\1\2" + b"\x14\0" + common
        + b"\0\0" + b"\0\0" + b"\0\0" + b"\0\0\0\0"  # comment, disk, attributes
        + b"\4\3\2\1" + b"labelmap.txt"
    )  # fmt: skip
    end = b"PK\5\6" + struct.pack(
        "<4H2IH", 0, 0, 1, 1, len(directory), 0x01020304 + len(member), 0
    )
    assert archive == member + directory + end
    assert len(archive) == 30 + 12 + len(_TEXT) + 46 + 12 + 22


@given(
    model=st.binary(max_size=200),
    names=st.dictionaries(st.integers(1, 40), st.tuples(_NAMES, _NAMES)),
)
def test_python_reads_any_label_map_behind_any_model(model, names):
    items = [LabelMapItem(i, *both) for i, both in names.items()]
    items.append(LabelMapItem(41, "last", ""))
    whole = model + labels.labels_archive(items, start=len(model))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        (member,) = archive.infolist()
        # zipfile corrects offsets that count from elsewhere, by this much.
        assert member.header_offset == len(model)
        text = archive.read("labelmap.txt").decode("utf-8")
    expected = [
        names.get(i, ("", ""))[1] or names.get(i, ("", ""))[0] or "???"
        for i in range(1, 41)
    ]
    assert text == "".join(f"{line}\n" for line in [*expected, "last"])
    assert labels.read_labels(whole) == [*expected, "last"]


def test_offsets_count_from_the_start_of_the_file():
    archive = labels.labels_archive(_MAP, start=1000)
    at = archive.index(b"PK\1\2")
    assert struct.unpack_from("<I", archive, at + 42) == (1000,)
    assert struct.unpack_from("<I", archive, len(archive) - 6) == (1000 + at,)


@pytest.mark.parametrize(
    "kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]
)
def test_archives_of_other_tools_are_read(tmp_path, kind):
    model = _model(compression=kind)
    assert labels.read_labels(model) == ["Cat", "???", "dög", "???"]
    path = tmp_path / "model.tflite"
    path.write_bytes(model)
    assert labels.read_labels(path) == ["Cat", "???", "dög", "???"]
    assert labels.read_labels(str(path)) == ["Cat", "???", "dög", "???"]


def test_a_last_line_needs_no_line_feed_and_empty_lines_count():
    assert labels.read_labels(_model(b"a\n\nb")) == ["a", "", "b"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "must hold a class. Received: none"),
        ([LabelMapItem(0, "a", "")], "between 1 and 65536. Received: 0 to 0"),
        ([LabelMapItem(65537, "a", "")], "Received: 65537 to 65537"),
        ([*_MAP, LabelMapItem(3, "b", "")], "one class. Received: 3 twice"),
        ([LabelMapItem(1, "a\nb", "")], r"control characters.*'a\\nb'"),
        ([LabelMapItem(1, "\ud800", "")], "valid Unicode"),
    ],
)
def test_label_maps_that_no_model_can_hold(items, message):
    with pytest.raises(PatchFileError, match=message):
        labels.labels_text(items)
    with pytest.raises(PatchFileError, match=message):
        labels.labels_archive(items, start=0)


def test_the_greatest_label_map_is_written_and_read():
    name = "\U0010ffff" * 256  # a name may have 1,024 bytes
    items = [LabelMapItem(i, name, "") for i in range(1, 4001)]
    items.append(LabelMapItem(2**16, "last", ""))
    read = labels.read_labels(labels.labels_archive(items, start=0))
    assert len(read) == 2**16
    assert read[3999] == name and read[4000] == "???"


@pytest.mark.parametrize("start", [-1, 2**28 + 2**23 + 1])
def test_a_start_outside_any_model(start):
    with pytest.raises(ValueError, match=f"`start` must lie.*: {start}"):
        labels.labels_archive(_MAP, start=start)


def _without_labels():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("other.txt", "other")
    return file.getvalue()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "not a zip file"),
        (b"TFL3" * 100, "not a zip file"),
        (_without_labels(), "no item named 'labelmap.txt'"),
        (_model().replace(b"Cat", b"Cab"), "Bad CRC-32"),
        (_model(b"\xff\n"), "'utf-8' codec"),
        (_model(b"\n" * (2**23 + 1)), "may have 8388608 bytes, not 8388609"),
    ],
)
def test_models_without_readable_labels(model, message):
    with pytest.raises(ValueError, match=f"must end in.*{message}"):
        labels.read_labels(model)


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        labels.read_labels(tmp_path / "none.tflite")


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4
    ),
    cut=st.integers(0, 30),
)
def test_damaged_archives_are_read_or_refused(changes, cut):
    model = bytearray(b"TFL3" + labels.labels_archive(_MAP, start=4))
    for at, value in changes:
        model[at % len(model)] = value
    try:
        read = labels.read_labels(bytes(model[: len(model) - cut]))
    except ValueError as error:
        assert "must end in a zip archive" in str(error)
    else:
        assert all(isinstance(name, str) for name in read)

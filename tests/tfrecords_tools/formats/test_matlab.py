"""MATLAB files: plain values, small integers, and a place in each message."""

import io
import struct
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.formats import matlab
from tfrecords_tools.formats.matlab import read_mat
from tfrecords_tools.formats.matlab_value import MatValue

FIELDS = [("bbox_x1", object), ("bbox_x2", object), ("fname", object)]


def cell(*values):
    row = np.empty((1, len(values)), object)
    row[0, :] = values
    return row


def structs(*records):
    row = np.empty((1, len(records)), FIELDS)
    row[0] = list(records)
    return row


VARIABLES = {
    "annotations": structs(
        (np.uint8(255), np.uint16(300), "00001.jpg"),
        (np.uint8(200), np.uint8(100), "00002.jpg"),
    ),
    "class_names": cell("Ram C/V Cargo Van", "Citroën", "smart"),
    "bbox": {"left": np.uint8(40), "right": np.uint16(300)},
    "seg": np.zeros((5, 7), np.uint8),
    "labels": np.array([[1], [120]], np.uint8),
    "double": 12.0,
    "flag": True,
}
NAMES = tuple(VARIABLES)


def mat_bytes(variables, **options):
    stream = io.BytesIO()
    savemat(stream, variables, **options)
    return stream.getvalue()


INTACT = mat_bytes(VARIABLES)
COMPRESSED = mat_bytes(VARIABLES, do_compression=True)


@pytest.fixture
def read(tmp_path):
    def read(*names, content=INTACT):
        path = tmp_path / "a.mat"
        path.write_bytes(content)
        return read_mat(path, *names)

    return read


@pytest.fixture
def read_one(read):
    """Reads a value that was written alone, as `value`."""

    def read_one(value):
        (read_back,) = read("value", content=mat_bytes({"value": value}))
        return read_back

    return read_one


def plain(annotations, class_names, bbox, seg, labels, double, flag):
    return {
        "annotations": [
            (
                record.field("bbox_x1").integer(),
                record.field("bbox_x2").integer(),
                record.field("fname").text(),
            )
            for record in annotations.structs()
        ],
        "class_names": class_names.texts(),
        "bbox": [bbox.field(side).integer() for side in ("left", "right")],
        "seg": seg.shape(),
        "labels": labels.integers(),
        "double": double.integer(),
        "flag": flag.integer(),
    }


PLAIN = {
    "annotations": [(255, 300, "00001.jpg"), (200, 100, "00002.jpg")],
    "class_names": ["Ram C/V Cargo Van", "Citroën", "smart"],
    "bbox": [40, 300],
    "seg": (5, 7),
    "labels": [1, 120],
    "double": 12,
    "flag": 1,
}


@pytest.mark.parametrize("content", [INTACT, COMPRESSED])
def test_values_are_plain_python(read, content):
    assert plain(*read(*NAMES, content=content)) == PLAIN


@pytest.mark.parametrize("squeeze_me", [True, False])
def test_squeezing_does_not_matter(tmp_path, squeeze_me):
    values = loadmat(io.BytesIO(INTACT), squeeze_me=squeeze_me)
    found = [MatValue(values[name], tmp_path, name) for name in NAMES]
    assert plain(*found) == PLAIN


def test_small_integers_do_not_wrap_around(read):
    annotations, bbox = read("annotations", "bbox")
    _, second = annotations.structs()
    x1, x2 = (second.field(f"bbox_{x}").integer() for x in ("x1", "x2"))
    assert type(x1) is int
    assert x1 + x2 == 300  # 44 as uint8
    assert x2 - x1 == -100  # 156 as uint8
    assert bbox.field("right").integer() == 300  # 44 as uint8


def test_variables_not_asked_for_do_not_matter(read):
    content = mat_bytes({"other": np.array([1j]), "value": 3})
    assert read("value", content=content)[0].integer() == 3


def big_endian(kind, content):
    """A file with one 1x1 matrix `value`."""
    parts = [
        b"MATLAB 5.0".ljust(124) + b"\x01\x00MI",
        struct.pack(">II", 14, 56),
        struct.pack(">IIII", 6, 8, kind, 0),
        struct.pack(">IIii", 5, 8, 1, 1),
        struct.pack(">II", 1, 5) + b"value\0\0\0",
        content,
    ]
    return b"".join(parts)


def test_big_endian_files_are_read(read):
    content = big_endian(11, struct.pack(">HHHxx", 2, 4, 300))
    assert read("value", content=content)[0].integer() == 300
    content = big_endian(4, struct.pack(">HHHxx", 2, 4, ord("ő")))
    assert read("value", content=content)[0].text() == "ő"


def test_letters_of_two_bytes_are_not_cut(read):
    content = mat_bytes({"value": "ő"})
    letter = struct.pack("<HH2sxx", 16, 2, "ő".encode())
    assert content.count(letter) == 1
    content = content.replace(letter, struct.pack("<HHHxx", 4, 2, ord("ő")))
    assert read("value", content=content)[0].text() == "ő"


def test_sixteen_thousand_structs_take_seconds(read):
    content = mat_bytes(
        {
            "annotations": structs(
                *(
                    (np.uint16(i), np.uint8(i % 256), f"{i:06}.jpg")
                    for i in range(16185)
                )
            )
        }
    )
    start = time.monotonic()
    (annotations,) = read("annotations", content=content)
    found = [r.field("bbox_x1").integer() for r in annotations.structs()]
    assert found == list(range(16185))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (
            lambda v: v["annotations"].integer(),
            "a single number.*struct of 1x2",
        ),
        (lambda v: v["annotations"].field("fname"), "a 1x1 struct"),
        (
            lambda v: v["bbox"].field("top"),
            r"Received: left, right .*bbox\.top",
        ),
        (lambda v: v["seg"].integers(), "row or column.*uint8 of 5x7"),
        (lambda v: v["seg"].texts(), "a cell.*uint8 of 5x7 .*a.mat, seg"),
        (lambda v: list(v["seg"].structs()), "a struct array"),
        (lambda v: v["class_names"].shape(), "a matrix of numbers"),
        (lambda v: v["double"].text(), r"printable characters.*12\.0"),
        (
            lambda v: [
                r.field("bbox_x2").text() for r in v["annotations"].structs()
            ],
            r"Received: 300 .*annotations\(1,1\)\.bbox_x2",
        ),
    ],
)
def test_other_kinds_of_values_are_refused(read, take, message):
    values = dict(zip(NAMES, read(*NAMES), strict=True))
    with pytest.raises(ParseError, match=message):
        take(values)


@pytest.mark.parametrize("value", [1.5, np.nan, np.inf, 1j, "1"])
def test_what_is_no_whole_number_is_refused(read_one, value):
    with pytest.raises(ParseError, match=r"number.*Received: .*, value\)"):
        read_one(value).integer()


@pytest.mark.parametrize("value", ["", "a\nb", "a\x01b", np.array(["a", "b"])])
def test_text_is_one_row_of_printable_characters(read_one, value):
    with pytest.raises(ParseError, match="text of printable characters"):
        read_one(value).text()


def test_place_of_a_cell_is_in_its_message(read_one):
    with pytest.raises(ParseError, match=r"Received: 7 .*value\{1,2\}"):
        read_one(cell("a", 7)).texts()


def test_place_in_a_column_counts_rows(read_one):
    with pytest.raises(ParseError, match=r"value\{2,1\}"):
        read_one(cell("a", 7).T).texts()


def test_absent_variable_is_named(read):
    with pytest.raises(ParseError, match="variable 'boxes'.*none .*a.mat"):
        read("seg", "boxes")


def test_absent_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"No such file.*b\.mat"):
        read_mat(tmp_path / "b.mat", "value")


@pytest.mark.parametrize("offset", [0, 512])
def test_version_7_3_is_named(read, offset):
    content = b"MATLAB 7.3 MAT-file".ljust(offset)[:offset]
    with pytest.raises(ParseError, match=r"version 5 .*: version 7\.3"):
        read("value", content=content + b"\x89HDF\r\n\x1a\n" + bytes(64))


def test_variable_that_occurs_twice_is_refused(read):
    content = mat_bytes({"value": 3}) + mat_bytes({"value": 4})[128:]
    with pytest.raises(ParseError, match="Duplicate variable name"):
        read("value", "seg", content=content + INTACT[128:])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([INTACT, INTACT, COMPRESSED]),
    st.lists(
        st.tuples(st.integers(124, len(INTACT) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, len(INTACT)),
)
@example(INTACT, [], 0)
def test_wrong_bytes_give_values_or_a_clear_error(
    tmp_path_factory, content, changes, cut
):
    broken = bytearray(content)
    for at, value in changes:
        broken[at % len(broken)] = value
    path = tmp_path_factory.getbasetemp() / "broken.mat"
    path.write_bytes(broken if cut % 5 else broken[:cut])
    try:
        plain(*read_mat(path, *NAMES))
    except DatasetError as error:
        assert "Received" in str(error)
        assert "\n" not in str(error)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "arbitrary.mat"
    path.write_bytes(content)
    with pytest.raises(ParseError, match="Received"):
        read_mat(path, "value")


def test_message_in_place_of_a_variable_is_no_text(read, monkeypatch):
    values = {"value": "Read error: odd"}
    monkeypatch.setattr(matlab, "loadmat", lambda *_, **__: values)
    with pytest.raises(ParseError, match="intact. Received: Read error: odd"):
        read("value")

"""Open Images' rows: read by name, checked, grouped by image."""

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import DatasetError, ParseError
from tfrecords_tools.formats import oid_boxes
from tfrecords_tools.formats.oid_boxes import OidBox, boxes_by_image

HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
ROW = "00000000000000aa,xclick,/m/x,1,0.1,0.2,0.3,0.4,1,0,-1,1,0"
BOX = OidBox("/m/x", 0.1, 0.3, 0.2, 0.4, True, False, False, True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "boxes.csv"


def read(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(boxes_by_image(path))


def test_edges_and_flags_are_read_by_name(path):
    assert read(path, HEADER, ROW) == [("00000000000000aa", [BOX])]
    names, fields = HEADER.split(","), ROW.split(",")
    turned = ",".join(reversed(names)), ",".join(reversed(fields))
    assert read(path, *turned) == [("00000000000000aa", [BOX])]
    more = f"New,{HEADER}", f"1,{ROW}"
    assert read(path, *more) == [("00000000000000aa", [BOX])]


def test_rows_of_an_image_are_gathered_and_images_sorted(path, monkeypatch):
    monkeypatch.setattr(oid_boxes, "_FLUSH_ROWS", 2)
    ids = ["ffaa", "00bb", "ffaa", "ff00", "00bb", "ffaa"]
    rows = [
        ROW.replace("00000000000000aa", f"{id}000000000000").replace("0.1", n)
        for id, n in zip(
            ids, ["0", ".01", "2e-2", "3E-02", "0.", "5e-2"], strict=True
        )
    ]
    found = read(path, HEADER, *rows)
    assert [(id[:4], [box.xmin for box in boxes]) for id, boxes in found] == [
        ("00bb", [0.01, 0.0]),
        ("ff00", [0.03]),
        ("ffaa", [0.0, 0.02, 0.05]),
    ]


def test_header_alone_gives_nothing(path):
    assert read(path, HEADER) == []


def test_overshoot_of_rounding_is_left_to_clipping(path):
    row = ROW.replace("0.1", "-0.0000005").replace("0.4", "1.0000005")
    ((_, (box,)),) = read(path, HEADER, row)
    assert (box.xmin, box.ymax) == (-0.0000005, 1.0000005)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.1", "1.1"),
        ("0.1", "-0.1"),
        ("0.1", "nan"),
        ("0.1", "inf"),
        ("0.1", "1e999"),
        ("0.1", "0_1"),
        ("0.1", " 0.1"),
        ("0.1", "."),
        ("0.1", ""),
        ("0.1", "٠"),
        (",-1,", ",2,"),
        (",-1,", ",,"),
        (",-1,", ",True,"),
        ("00000000000000aa", "00000000000000AA"),
        ("00000000000000aa", "0000000000000aa"),
        ("00000000000000aa", "00000000000000aaa"),
        ("00000000000000aa", "zz000000000000aa"),
        ("00000000000000aa", ""),
        ("00000000000000aa", '"00,00000000000aa"'),
        ("/m/x", ""),
        ("/m/x", '"/m,x"'),
        (",0.1,", ","),
        (",0.1,", ",0,0,"),
    ],
)
def test_wrong_row_is_refused_with_its_line(path, old, new):
    with pytest.raises(ParseError, match=r"boxes.csv, line 3\)"):
        read(path, HEADER, ROW, ROW.replace(old, new, 1), ROW)


def test_line_break_in_a_field_is_refused(path):
    with pytest.raises(ParseError, match="line 3"):
        read(path, HEADER, ROW.replace("/m/x", '"/m\n/x"'))


@pytest.mark.parametrize(
    "header",
    [
        ROW,
        HEADER.replace("XMin", "xmin"),
        HEADER.replace("YMin", "XMin"),
        HEADER.replace(",IsDepiction", ""),
    ],
)
def test_header_must_name_each_column_once(path, header):
    with pytest.raises(ParseError, match="header.*line 1"):
        read(path, header, ROW)


def test_empty_file_has_no_header(path):
    with pytest.raises(ParseError, match="header"):
        read(path)


@hypothesis.given(st.integers(0, len(HEADER) + len(ROW)), st.binary(max_size=6))
def test_changed_bytes_give_boxes_in_range_or_an_error(
    tmp_path_factory, place, data
):
    path = tmp_path_factory.mktemp("bytes", numbered=True) / "f.csv"
    raw = f"{HEADER}\n{ROW}\n".encode()
    path.write_bytes(raw[:place] + data + raw[place + len(data) :])
    try:
        found = list(boxes_by_image(path))
    except DatasetError:
        return
    for image_id, boxes in found:
        assert len(image_id) == 16
        assert all(-1e-6 <= e <= 1 + 1e-6 for b in boxes for e in b[1:5])

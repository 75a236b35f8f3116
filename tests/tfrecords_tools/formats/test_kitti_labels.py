"""KITTI's label files: 15 fields a line, and nothing else."""

import math

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import DatasetError, ParseError
from tfrecords_tools.formats.kitti_labels import (
    KittiObject,
    label_files,
    read_kitti_labels,
)

CAR = "Car 0.00 1 -1.57 10.00 8.50 30.25 40 1.5 1.6 3.9 -2 1.65 20 -1.67"
REGION = "DontCare -1 -1 -10 6 3 64 47 -1 -1 -1 -1000 -1000 -1000 -10"


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "000007.txt"
        path.write_bytes(text.encode())
        return read_kitti_labels(path)

    return read


def test_fields_of_an_object(read):
    assert read(CAR + "\r\n") == [
        KittiObject(
            kind="car",
            truncation=0.0,
            occlusion=1,
            alpha=-1.57,
            edges=(10.0, 8.5, 30.25, 40.0),
            measures=(1.5, 1.6, 3.9, -2.0, 1.65, 20.0, -1.67),
        )
    ]


def test_regions_have_flags_below_zero(read):
    (region,) = read(REGION)
    assert (region.kind, region.occlusion) == ("dontcare", -1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (CAR + " 0.9", "15 fields .*score.*Received: 16 .*line 2"),
        (CAR[:-6], "15 fields .*Received: 14"),
        (CAR.replace("Car", "Boat"), "type must be one of car,.*'Boat'"),
        (CAR.replace("8.50", "nan"), "finite numbers.*'nan'.*line 2"),
        (CAR.replace("8.50", "1e999"), "finite numbers"),
        (CAR.replace("8.50", "8_5"), "finite numbers"),
        (CAR.replace("8.50", "x"), "finite numbers"),
        (CAR.replace(" 1 ", " -1 "), "`occluded`.*Received: -1"),
        (CAR.replace(" 1 ", " 1.5 "), "`occluded`.*Received: 1.5"),
        (CAR.replace(" 1 ", " 4 "), "`occluded`.*Received: 4"),
        (CAR.replace("0.00 1", "-1 1"), "`truncated`.*Received: -1"),
        (CAR.replace("0.00 1", "2 1"), "`truncated`.*Received: 2"),
    ],
)
def test_broken_line_is_refused(read, line, message):
    with pytest.raises(ParseError, match=message):
        read(f"{CAR}\n{line}\n")


def test_files_come_by_number_without_hidden_ones(tmp_path):
    for name in ("000010.txt", "000002.txt", "._000002.txt", "a.md"):
        (tmp_path / name).write_text("")
    names = [path.name for path in label_files(tmp_path)]
    assert names == ["000002.txt", "000010.txt"]


@pytest.mark.parametrize("name", ["12.txt", "0000001.txt", "readme.txt"])
def test_text_file_that_is_no_label_file_is_refused(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(ParseError, match="six digits"):
        list(label_files(tmp_path))


FIELDS = st.sampled_from([*CAR.split(), *REGION.split(), "1e400", "-", "\xa0"])


@hypothesis.given(
    st.lists(FIELDS, min_size=13, max_size=17).map(" ".join)
    | st.lists(FIELDS, min_size=14, max_size=14)
    .map(" ".join)
    .map("Car ".__add__)
    | st.text(max_size=60)
)
def test_any_text_gives_finite_numbers_or_a_dataset_error(
    tmp_path_factory, text
):
    path = tmp_path_factory.getbasetemp() / "000000.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_kitti_labels(path)
    except DatasetError:
        return
    for item in found:
        numbers = (*item.edges, *item.measures, item.alpha, item.truncation)
        assert all(map(math.isfinite, numbers))

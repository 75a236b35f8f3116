"""MATLAB files that are written read back, byte for byte the same twice."""

import numpy as np
import pytest

from tfrecords_tools.formats.matlab import read_mat
from tfrecords_tools.formats.matlab_writing import (
    column_cell,
    number,
    row_cell,
    struct_array,
    write_mat,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (0, np.uint8),
        (255, np.uint8),
        (256, np.uint16),
        (65535, np.uint16),
        (65536, np.uint32),
    ],
)
def test_numbers_have_the_smallest_type(value, kind):
    found = number(value)
    assert (found.dtype, found.shape) == (kind, (1, 1))
    assert found.item() == value


def test_cells_are_rows_or_columns():
    assert row_cell(["a", "bc"]).shape == (1, 2)
    assert column_cell(["a", "bc"]).shape == (2, 1)


def test_what_is_written_reads_back(tmp_path):
    path = tmp_path / "a.mat"
    records = [[number(7), "a"], [number(300), "b"]]
    structs = struct_array(["class", "fname"], records)
    names = row_cell(["C/V", "é"])
    write_mat(path, {"annotations": structs, "class_names": names})
    annotations, class_names = read_mat(path, "annotations", "class_names")
    found = [
        (r.field("class").integer(), r.field("fname").text())
        for r in annotations.structs()
    ]
    assert found == [(7, "a"), (300, "b")]
    assert class_names.texts() == ["C/V", "é"]


def test_no_date_is_written(tmp_path):
    path = tmp_path / "a.mat"
    write_mat(path, {"value": 3})
    header = path.read_bytes()[:128]
    assert header == b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + b"\0\1IM"

"""Rows of CSV files with their lines."""

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.csv_rows import csv_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.csv"


def test_quotes_hold_commas_and_lines_keep_their_numbers(path):
    path.write_bytes('a,"b, c"\r\n\n"é ""q""",\n'.encode())
    assert list(csv_rows(path)) == [(1, ["a", "b, c"]), (3, ['é "q"', ""])]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a,b\n\xff,c\n", 2),
        (b'a,b\nc,"d\n', 2),
        (b'a,b\nc,"d"e\n', 2),
        (b"x" * 200_000, 1),
    ],
)
def test_broken_text_is_refused_with_its_line(path, data, line):
    path.write_bytes(data)
    with pytest.raises(ParseError, match=rf"file.csv, line {line}\)"):
        list(csv_rows(path))


@hypothesis.given(st.binary())
def test_any_bytes_give_rows_or_a_parse_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any", numbered=True) / "f.csv"
    path.write_bytes(data)
    try:
        assert all(row for _, row in csv_rows(path))
    except ParseError:
        pass

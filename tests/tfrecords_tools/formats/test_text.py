"""Lines keep their numbers and their contents."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords_tools.errors import DatasetError, ParseError
from tfrecords_tools.formats.text import numbered_lines


def lines_of(folder, data):
    path = folder / "list.txt"
    path.write_bytes(data)
    return list(numbered_lines(path))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a\nb\n", [(1, "a"), (2, "b")]),
        (b"a\r\nb", [(1, "a"), (2, "b")]),
        (b"a\n\n  \t\nb\n\n", [(1, "a"), (4, "b")]),
        (b" a  b \n", [(1, " a  b ")]),
        ("é\u2028b\x0c\x85c\n".encode(), [(1, "é\u2028b\x0c\x85c")]),
    ],
)
def test_lines_that_are_not_blank_with_their_numbers(tmp_path, data, expected):
    assert lines_of(tmp_path, data) == expected


def test_line_that_is_no_utf8_is_named(tmp_path):
    with pytest.raises(ParseError) as error:
        lines_of(tmp_path, b"a\n\ncaf\xe9\n")
    assert str(error.value) == (
        f"Text must be UTF-8. Received byte 0xe9 "
        f"({tmp_path / 'list.txt'}, line 3)"
    )


def test_lines_are_read_one_by_one(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"good\n\xff\n")
    lines = numbered_lines(path)
    assert next(lines) == (1, "good")
    with pytest.raises(ParseError, match="line 2"):
        next(lines)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_lines_or_a_dataset_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("text")
    try:
        lines = lines_of(folder, data)
    except DatasetError:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")
        return
    split = data.decode("utf-8").removeprefix("\ufeff").split("\n")
    for number, line in lines:
        assert split[number - 1].rstrip("\r") == line
    # ASCII's spaces alone: `str.strip` takes control characters off, too.
    blank = set(string.whitespace)
    assert len(lines) == sum(bool(set(line) - blank) for line in split)

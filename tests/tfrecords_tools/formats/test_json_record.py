"""Values of JSON records: each type, its limits, and the message."""

from pathlib import Path

import pytest

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.json_record import JsonRecord


def record(**values):
    return JsonRecord(Path("f.json"), "things", 7, values)


def test_values_within_the_limits_are_given():
    values = record(i=3, n=2.5, box=[1, 2.5], t="商品")
    assert values.integer("i", minimum=3, maximum=3) == 3
    assert values.number("n", 2.5) == 2.5
    assert values.numbers("box", 2, 2.5) == [1.0, 2.5]
    assert values.text("t") == "商品"


@pytest.mark.parametrize("value", [2, 5, 3.0, True, "3", None, [3]])
def test_no_integer_of_the_range_is_refused(value):
    with pytest.raises(ParseError, match=r"from 3 to 4.*things\[7\]"):
        record(i=value).integer("i", minimum=3, maximum=4)


@pytest.mark.parametrize("value", [-0.5, 11, float("nan"), True, "3", None])
def test_no_number_of_the_range_is_refused(value):
    with pytest.raises(ParseError, match=r"from 0 to 10.*things\[7\]"):
        record(n=value).number("n", 10)


@pytest.mark.parametrize(
    "value",
    [None, "12", [1], [1, 2, 3], [1, None], [1, "2"], [1, True], [1, -11]],
)
def test_no_list_of_numbers_is_refused(value):
    with pytest.raises(ParseError, match=r"2 numbers.*things\[7\]"):
        record(box=value).numbers("box", 2, 10)


@pytest.mark.parametrize("value", ["", "a\n", "\0", "\ud800", 3, None, ["a"]])
def test_no_printable_text_is_refused(value):
    with pytest.raises(ParseError, match=r"printable.*things\[7\]"):
        record(t=value).text("t")


def test_absent_key_is_named_with_those_that_are_there():
    with pytest.raises(ParseError, match="must have `id`.*keys: a, b"):
        record(b=1, a=2).text("id")

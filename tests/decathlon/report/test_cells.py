import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.cells import written


@pytest.mark.parametrize(
    ("cell", "style", "text"),
    [
        (None, "integer", "–"),
        ("not run", "1", "not run"),
        ("a name", "text", "a name"),
        (7, "text", "7"),
        (2500.4, "integer", "2,500"),
        (-0.3, "integer", "0"),
        (1234567, "bytes", "1,234,567"),
        (64.44, "1", "64.4"),
        (-0.04, "1", "0.0"),
        (0.346, "2", "0.35"),
        (1.0, "3", "1.000"),
        (0.0515, "percent", "5.15 %"),
        (1, "percent", "100.00 %"),
    ],
)
def test_by_hand(cell, style, text):
    assert written(cell, style) == text


@given(
    st.floats(-1e9, 1e9),
    st.sampled_from([("integer", 0), ("1", 1), ("2", 2), ("3", 3)]),
)
def test_what_is_written_is_the_number_rounded(number, style):
    name, digits = style
    text = written(number, name)
    assert abs(float(text.replace(",", "")) - number) <= 0.5001 * 10**-digits
    assert not text.startswith("-0") or float(text.replace(",", "")) < 0

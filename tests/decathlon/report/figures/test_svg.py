"""svg: text that any reader of XML takes, and that stands in a page."""

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.figures import style, svg
from tests.decathlon.report import svg_parts

_HOSTILE = st.text(
    st.one_of(
        st.sampled_from("<>&\"'$_^{}\\\0\x01\x1b\ufffe\ud800\n#%;"),
        st.characters(exclude_categories=[]),
    ),
    min_size=1,
    max_size=12,
)


def _drawing(label="a", points=(1, 3, 2)):
    def draw():
        figure = style.new_figure(2.0)
        axis = figure.subplots()
        axis.plot(
            points,
            label=svg.label(label),
            **style.Look("#123456", "o").joined(),
        )
        style.legend_below(figure)
        return figure

    return draw


def test_it_says_what_it_is_to_a_screen_reader():
    figure = svg.figure_of("key", "Title & all", "Numbers: 1 < 2.", _drawing())
    assert (figure.key, figure.title) == ("key", "Title & all")
    assert figure.alternative == "Numbers: 1 < 2."
    root = svg_parts.parsed(figure.svg)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "key-title key-desc"
    title, description = list(root)[:2]
    assert (title.tag, title.text) == (f"{svg_parts.SVG}title", "Title & all")
    assert title.get("id") == "key-title"
    assert description.tag == f"{svg_parts.SVG}desc"
    assert description.text == "Numbers: 1 < 2."
    assert description.get("id") == "key-desc"


def test_letters_stay_letters_in_any_font():
    figure = svg.figure_of("key", "t", "a", _drawing("a label"))
    assert "a label" in svg_parts.texts(figure.svg)
    styles = [
        element.get("style", "")
        for element in svg_parts.parsed(figure.svg).iter(f"{svg_parts.SVG}text")
    ]
    assert styles
    for text_style in styles:
        assert "sans-serif" in text_style
        assert "DejaVu" not in text_style


def test_equal_drawings_give_equal_bytes_whatever_the_user_set():
    first = svg.figure_of("key", "t", "a", _drawing()).svg
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.grid": False}):
        second = svg.figure_of("key", "t", "a", _drawing()).svg
        assert matplotlib.rcParams["lines.linewidth"] == 9
    assert first == second
    assert "date" not in first.lower()


def test_two_figures_on_a_page_share_no_id():
    one, other = (
        svg_parts.references(svg.figure_of(key, "t", "a", _drawing()).svg)
        for key in ("one", "other")
    )
    for used, ids in (one, other):
        assert used == set(ids)
        assert len(ids) == len(set(ids))
    assert not set(one[1]) & set(other[1])


def test_nothing_reaches_beyond_the_figure():
    text = svg.figure_of("key", "t", "a", _drawing()).svg
    assert "<style" not in text
    assert "<!DOCTYPE" not in text
    assert "<?xml" not in text
    assert "<script" not in text


@given(_HOSTILE)
@settings(max_examples=30)
def test_any_text_in_a_label_a_title_and_the_words(text):
    figure = svg.figure_of("key", text, text, _drawing(text))
    root = svg_parts.parsed(figure.svg)
    expected = "".join(
        character
        if character in "\t\n\r"
        or character >= " "
        and not "\ud800" <= character <= "\udfff"
        and character not in "\ufffe\uffff"
        else "\ufffd"
        for character in text
    )
    # A parser of XML reads every kind of line break as one.
    expected = expected.replace("\r\n", "\n").replace("\r", "\n")
    assert list(root)[0].text == expected
    assert list(root)[1].text == expected


@pytest.mark.parametrize("text", ["$x_1$", "50 % <b>&amp;", "a_b^c"])
def test_a_label_is_drawn_as_it_is_written(text):
    figure = svg.figure_of("key", "t", "a", _drawing(text))
    assert text in svg_parts.texts(figure.svg)

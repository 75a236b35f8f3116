"""html: one page that needs nothing else, whatever it says."""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from object_detection_patch.decathlon.report import html
from object_detection_patch.decathlon.report.contents import (
    Column,
    Figure,
    Report,
    Section,
    Table,
)
from object_detection_patch.decathlon.report.figures import style, svg
from tests.decathlon.report.page_parts import Page

_HOSTILE = st.text(
    st.one_of(
        st.sampled_from("<>&\"'/={}%#-!;`\\ \0\x1b\ud800\n"),
        st.characters(exclude_categories=[]),
    ),
    min_size=1,
    max_size=16,
)
_ATTACKS = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x=",
    "{{ 7 * 7 }}{% include 'x' %}{# x #}",
    "</svg></script><!--",
    "https://example.org/?a=1&b=2",
]


def _svg(text="a"):
    def draw():
        figure = style.new_figure(1.0)
        figure.text(0.1, 0.5, svg.label(text))
        return figure

    return svg.figure_of("chart", text, text, draw)


def _image(text="b"):
    return Figure(
        "photo", text, text, image=b"\xff\xd8\xff", media_type="image/jpeg"
    )


def _table(rows, *columns, **more):
    columns = columns or (Column("Method"), Column("Score", "1", "Of 10000."))
    return Table("scores", "Scores", columns, tuple(rows), **more)


def _report(text="t", tables=(), figures=()):
    section = Section("first", text, (text,), tables, figures)
    return Report(text, (text,), (section,))


def _everything(text):
    table = _table(
        [(text, 1.5), ("b", text), (text, None)],
        Column(text),
        Column("Score", "1", text),
        notes=(text,),
        highlights=frozenset({(0, 1)}),
    )
    return _report(text, (table,), (_svg(text), _image(text)))


def _shape(page):
    """Tags and names of attributes: what no text may change.

    Letters of the drawing depend on the text, so it is left out.
    """
    return [
        (tag, sorted(attributes))
        for tag, attributes in page.tags
        if tag not in ("text", "g", "path")
    ]


def test_nothing_is_fetched():
    page = Page(html.render(_everything("a")))
    (policy,) = [
        tag["content"]
        for tag in page.named("meta")
        if tag.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            assert re.match("#|data:", attributes.get(name) or "#")
    (css,) = page.said("style")
    assert "@import" not in css
    assert "url(" not in css


def test_every_reference_within_the_page_leads_somewhere():
    page = Page(html.render(_everything("a")))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = [a["href"][1:] for a in page.named("a")]
    for _, attributes in page.tags:
        wanted += (attributes.get("aria-labelledby") or "").split()
    assert {"content", "first", "first-heading"} <= set(wanted) <= set(ids)


def test_numbers_are_rounded_for_people_and_exact_for_sorting():
    rows = [("a", 1 / 3), ("b", -1e-17), ("c", 2**53 + 1), ("d", "failed")]
    page = Page(html.render(_report(tables=(_table([*rows, ("e", None)]),))))
    cells = page.named("td")
    values = [cell["data-value"] for cell in cells if "data-value" in cell]
    assert [float(v) for v in values[:2]] == [1 / 3, -1e-17]
    assert values[2] == "9007199254740993"
    assert ["data-gap" in cell for cell in cells] == [False] * 4 + [True]
    assert page.said("td") == [
        "0.3",
        "0.0",
        "9007199254740992.0",
        "failed",
        "–",
    ]


def test_headings_and_first_cells_are_headers():
    table = _table([("a", 1.0)], highlights=frozenset({(0, 1)}), notes=("N.",))
    page = Page(html.render(_report(tables=(table,))))
    assert [th["scope"] for th in page.named("th")] == ["col", "col", "row"]
    assert page.said("th") == ["Method", "Score", "a"]
    assert page.said("strong") == ["1.0"]
    assert page.said("li") == ["N."]
    assert (page.said("dt"), page.said("dd")) == (["Score"], ["Of 10000."])
    (region,) = [d for d in page.named("div") if d.get("role") == "region"]
    assert region["tabindex"] == "0"
    assert region["aria-labelledby"] == "table-scores"


def test_figures_are_within_the_page_with_their_words():
    image = _image("words of b")
    text = html.render(_report(figures=(_svg("words of a"), image)))
    page = Page(text)
    (drawing,) = page.named("svg")
    assert drawing["role"] == "img"
    assert page.said("desc") == ["words of a"]
    (picture,) = page.named("img")
    assert picture["alt"] == "words of b"
    kind, data = picture["src"].split(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(data) == image.image
    assert page.said("figcaption") == ["words of a", "words of b"]


def test_the_inks_of_a_figure_are_those_of_the_page():
    words = f"fill: {style.INK}"
    figure = svg.figure_of("chart", "t", "a", lambda: style.new_figure(1.0))
    assert f"fill: {style.PAPER}" in figure.svg
    text = html.render(_report(words, figures=(figure,)))
    assert "fill: var(--paper)" in text
    assert style.PAPER not in text
    # What is no colour of a drawing stays.
    assert Page(text).said("h1") == [words]


@pytest.mark.parametrize("text", _ATTACKS)
def test_what_is_said_is_never_run(text):
    page = Page(html.render(_everything(text)))
    assert page.said("h1") == [text]
    assert _shape(page) == _shape(Page(html.render(_everything("a"))))


@given(_HOSTILE)
@settings(max_examples=40)
def test_any_text_changes_no_tag(text):
    rendered = html.render(_everything(text))
    rendered.encode()
    assert _shape(Page(rendered)) == _shape(Page(html.render(_everything("a"))))


def test_a_report_of_nothing():
    page = Page(html.render(Report("Empty", (), ())))
    assert page.said("h1") == ["Empty"]
    assert page.named("table") == []

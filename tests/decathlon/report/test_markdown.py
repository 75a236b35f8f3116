"""report.md, read back by a parser of CommonMark and GitHub's tables."""

import re

import markdown_it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report import markdown
from object_detection_patch.decathlon.report.contents import (
    Column,
    Figure,
    Report,
    Section,
    Table,
)

# CommonMark replaces NUL.
TEXT = st.text(
    st.one_of(
        st.sampled_from("|\\`*_[]<>&~#-+=$.)1\n\r \t!a"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)
_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


def _parsed(text):
    parser = markdown_it.MarkdownIt("commonmark")
    return parser.enable(["table", "strikethrough"]).parse(text)


def _shown(inline):
    """Text of an inline token; every child must be text or bold."""
    kinds = {child.type for child in inline.children}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
    return "".join(child.content for child in inline.children)


def _inlines(text, opening):
    tokens = _parsed(text)
    return [
        _shown(tokens[index + 1])
        for index, token in enumerate(tokens)
        if token.type == opening
    ]


def _one_line(text):
    return _BREAKS.sub(" ", text.replace("\r\n", "\n")).strip()


def _same(found, expected):
    """Parsers trim and fold blanks; nothing else may differ."""
    assert " ".join(found.split()) == " ".join(expected.split())


def _report(table=None, figures=(), paragraphs=()):
    tables = (table,) if table else ()
    section = Section("s", "Section", paragraphs, tables, figures)
    return Report("Title", (), (section,))


@given(TEXT, TEXT, TEXT, TEXT)
def test_any_text_in_a_table(title, first, second, note):
    table = Table(
        "t",
        "Table",
        (Column(title), Column("n", "1")),
        ((first, 1.25), (second, "failed")),
        (note,),
        frozenset({(0, 0)}),
    )
    text = markdown.render(_report(table))
    headings = _inlines(text, "th_open")
    cells = _inlines(text, "td_open")
    assert len(headings) == 2
    assert len(cells) == 4
    for found, expected in (
        (headings[0], title),
        (cells[0], first),
        (cells[2], second),
    ):
        _same(found, _one_line(expected))
    assert cells[1::2] == ["1.2", "failed"]


@given(TEXT)
def test_any_text_as_a_paragraph_a_note_and_a_heading(text):
    expected = _one_line(text)
    table = Table("t", text, (Column("n"),), (), (text,))
    written = markdown.render(_report(table, paragraphs=(text,)))
    tokens = _parsed(written)
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == 3
    assert kinds.count("list_item_open") == 1
    assert not {"hr", "code_block", "fence", "html_block"} & set(kinds)
    paragraphs = _inlines(written, "paragraph_open")
    _same(_inlines(written, "heading_open")[2], expected)
    assert len(paragraphs) == (2 if expected else 0)
    for found in paragraphs:
        _same(found, expected)


def test_the_whole_of_a_small_report():
    table = Table(
        "scores",
        "Scores | all",
        (
            Column("Method"),
            Column("Score", "integer", "Of 10000."),
            Column("Share", "percent"),
        ),
        (("FINE_TUNING", 2500.4, 1.0), ("*BN*", "not run", None)),
        ("A note.",),
        frozenset({(0, 1)}),
    )
    figure = Figure("chart", "A chart", "Two lines [rising]", svg="<svg/>")
    report = Report(
        "Mini",
        ("Opening.",),
        (Section("s", "First", ("# Text.",), (table,), (figure,)),),
    )
    assert markdown.render(report) == (
        "# Mini\n\nOpening.\n\n## First\n\n\\# Text.\n\n### Scores \\| all\n\n"
        "| Method | Score | Share |\n| --- | ---: | ---: |\n"
        "| FINE_TUNING | **2,500** | 100.00 % |\n"
        "| \\*BN\\* | not run | – |\n\n"
        "- Score: Of 10000.\n- A note.\n\n"
        "### A chart\n\n![Two lines \\[rising\\]](figures/chart.svg)\n"
    )


@pytest.mark.parametrize(
    ("figure", "path", "content"),
    [
        (Figure("a", "", "", svg="<svg>é</svg>"), "a.svg", "<svg>é</svg>"),
        (
            Figure("b", "", "", image=b"\x89PNG", media_type="image/png"),
            "b.png",
            None,
        ),
        (
            Figure("c", "", "", image=b"RIFF", media_type="image/webp"),
            "c.webp",
            None,
        ),
    ],
)
def test_figures_lie_where_the_text_says(tmp_path, figure, path, content):
    markdown.write(_report(figures=(figure,)), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    (linked,) = re.findall(r"\]\((.*)\)", text)
    assert linked == f"figures/{path}"
    expected = content.encode() if content else figure.image
    assert (tmp_path / linked).read_bytes() == expected

"""A report as report.md: GitHub's Markdown, figures as files beside it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

from object_detection_patch.decathlon.report.cells import written
from object_detection_patch.decathlon.report.contents import (
    Figure,
    Report,
    Section,
    Table,
)
from object_detection_patch.patch_file.whole_file import write_whole

_FILE = "report.md"
_FIGURES = "figures"
_LINE_BREAKS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPECIAL = re.compile(
    r"[\\`*\[\]<>&~|$]"
    # An underscore within a word is only itself.
    r"|(?<![^\W_])_|_(?![^\W_])"
)
_LIKE_A_BLOCK = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")


def write(report: Report, folder: pathlib.Path) -> None:
    """Writes report.md, and its figures to figures/."""
    figures = folder / _FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    for section in report.sections:
        for figure in section.figures:
            write_whole(folder / figure_path(figure), _content(figure))
    data = render(report).encode("utf-8", "backslashreplace")
    write_whole(folder / _FILE, data)


def render(report: Report) -> str:
    """The text of report.md. What a report says is escaped."""
    blocks = [f"# {escaped(report.title)}", *map(_paragraph, report.paragraphs)]
    for section in report.sections:
        blocks.extend(_section(section))
    return "\n\n".join(blocks) + "\n"


def figure_path(figure: Figure) -> str:
    """Where a figure's file lies, seen from report.md."""
    kind = "svg" if figure.svg else figure.media_type.rpartition("/")[2]
    return f"{_FIGURES}/{figure.key}.{kind}"


def escaped(text: str) -> str:
    """Text that is shown as it is, on one line, in a table too."""
    line = _LINE_BREAKS.sub(" ", text).strip()
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", line)


def _content(figure: Figure) -> bytes:
    return figure.svg.encode() if figure.svg else figure.image


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.title)}"
    yield from map(_paragraph, section.paragraphs)
    for table in section.tables:
        yield from _table(table)
    for figure in section.figures:
        yield f"### {escaped(figure.title)}"
        yield f"![{escaped(figure.alternative)}]({figure_path(figure)})"


def _table(table: Table) -> Iterator[str]:
    yield f"### {escaped(table.title)}"
    lines = [
        _row(escaped(column.title) for column in table.columns),
        _row(
            "---" if column.style == "text" else "---:"
            for column in table.columns
        ),
    ]
    for index, row in enumerate(table.rows):
        texts = (
            (escaped(written(cell, column.style)), (index, place))
            for place, (cell, column) in enumerate(
                zip(row, table.columns, strict=True)
            )
        )
        lines.append(
            _row(
                f"**{text}**" if place in table.highlights and text else text
                for text, place in texts
            )
        )
    yield "\n".join(lines)
    remarks = [
        *(
            f"{column.title}: {column.explanation}"
            for column in table.columns
            if column.explanation
        ),
        *table.notes,
    ]
    if remarks:
        yield "\n".join(f"- {_paragraph(remark)}" for remark in remarks)


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _paragraph(text: str) -> str:
    """Text that starts no heading, list or rule."""
    return _LIKE_A_BLOCK.sub(_escaped_start, escaped(text))


def _escaped_start(match: re.Match[str]) -> str:
    space, start = match.groups()
    # `1.` begins a list by its dot, all else by its first character.
    return f"{space}{start}\\" if start.isdigit() else f"{space}\\{start}"

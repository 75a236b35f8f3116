"""A report as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import pathlib
import re

import jinja2
import markupsafe

from object_detection_patch.decathlon.report.cells import written
from object_detection_patch.decathlon.report.contents import Figure, Report
from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.svg import readable
from object_detection_patch.patch_file.whole_file import write_whole

_FILE = "report.html"
_INKS = {
    style.PAPER: "paper",
    style.INK: "ink",
    style.MUTED: "muted",
    style.GRID: "line",
}
_INK = re.compile(rf"((?:fill|stroke): )({'|'.join(_INKS)})\b")


def write(report: Report, folder: pathlib.Path) -> None:
    """Writes report.html."""
    write_whole(folder / _FILE, render(report).encode())


def render(report: Report) -> str:
    """The page's text. What a report says is escaped, whatever it is."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        written=written, inline_svg=_inline_svg, data_uri=_data_uri
    )
    page = environment.get_template("page.html").render(report=report)
    return readable(page)


def _inline_svg(figure: Figure) -> markupsafe.Markup:
    """The SVG, its inks those of the page: light or dark."""
    return markupsafe.Markup(
        _INK.sub(lambda ink: f"{ink[1]}var(--{_INKS[ink[2]]})", figure.svg)
    )


def _data_uri(figure: Figure) -> str:
    data = base64.b64encode(figure.image).decode("ascii")
    return f"data:{figure.media_type};base64,{data}"

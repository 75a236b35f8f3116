"""Matplotlib's figure as SVG text that stands alone or within a page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import style

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# What XML 1.0 has no place for, not even escaped.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROOM = 20
_REFERENCE = re.compile(r"url\(#([^)]+)\)")

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def figure_of(
    key: str, title: str, alternative: str, draw: Callable[[], Drawing]
) -> Figure:
    """What `draw` returns, as a figure of a report.

    Equal drawings give equal bytes with one version of Matplotlib.

    Args:
      alternative: the numbers in words; goes into the SVG as well.
      draw: makes a Matplotlib figure under our settings.
    """
    text = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Letters that only the reader's fonts have are written all the same.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        # Whatever the user's own settings are.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.settings(key))
        FigureCanvasSVG(draw()).print_svg(text, metadata=_NO_METADATA)
    return Figure(
        key=key,
        title=title,
        alternative=alternative,
        svg=_finished(text.getvalue(), key, title, alternative),
    )


def readable(text: str) -> str:
    """The text with a mark for each character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def label(text: str) -> str:
    """The text on one line, cut to what a figure has room for."""
    line = " ".join(readable(text).split())
    return line if len(line) <= _ROOM else f"{line[: _ROOM - 1]}…"


def _finished(text: str, key: str, title: str, alternative: str) -> str:
    root = ElementTree.fromstring(readable(text))
    _drop_global_style(root)
    _make_ids_unique(root, key)
    for element in root.iter(f"{{{_SVG}}}text"):
        element.set("style", _with_any_font(element.get("style", "")))
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title {key}-desc")
    for tag, content in (("desc", alternative), ("title", title)):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", id=f"{key}-{tag}")
        element.text = readable(content)
        root.insert(0, element)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _drop_global_style(root: ElementTree.Element) -> None:
    """A style of `*` within a page would reach beyond the figure."""
    for defs in root.findall(f"{{{_SVG}}}defs"):
        if defs.find(f"{{{_SVG}}}style") is not None:
            root.remove(defs)
    root.set("style", "stroke-linejoin: round")


def _make_ids_unique(root: ElementTree.Element, key: str) -> None:
    """Keeps the ids that something refers to, with the figure's key."""
    used = set()
    for element in root.iter():
        for name, value in element.items():
            if name == _HREF:
                used.add(value[1:])
                element.set(name, f"#{key}-{value[1:]}")
            elif match := _REFERENCE.search(value):
                used.add(match[1])
                element.set(name, _REFERENCE.sub(rf"url(#{key}-\1)", value))
    for element in root.iter():
        identity = element.attrib.pop("id", None)
        if identity in used:
            element.set("id", f"{key}-{identity}")


def _with_any_font(css: str) -> str:
    return re.sub(r"font-family:[^;]*", f"font-family: {_FONTS}", css)

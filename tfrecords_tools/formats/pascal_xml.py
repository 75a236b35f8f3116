"""Pascal VOC's XML: one file an image, one `object` element a box.

Stanford Dogs and Oxford-IIIT Pet write the same elements; the three differ
in which of them they leave out and in the order of the tags.
"""

import dataclasses
import math
import re
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.etree.ElementTree import ParseError as XmlSyntaxError

import defusedxml.ElementTree

from tfrecords_tools.errors import MissingDataError, ParseError

UNSPECIFIED = "Unspecified"

# Stricter than float() and int(), which take "1_0" and digits of any script.
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class PascalObject:
    """A box as written; `pose` is "Unspecified" where the file has none."""

    name: str
    pose: str
    truncated: bool
    occluded: int
    difficult: bool
    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclasses.dataclass(frozen=True, slots=True)
class PascalAnnotation:
    """The objects of one image, in the order of the file.

    Args:
        filename: as written, which need not be the image's name; may be "".
        size: (width, height) in pixels; None where absent or zero.
        objects: boxes of the objects themselves, never of their parts.
    """

    filename: str
    size: tuple[int, int] | None
    objects: tuple[PascalObject, ...]


def read_pascal_xml(path: Path) -> PascalAnnotation:
    """The annotation in a file of any name.

    Looks at direct children only: a person's `part` elements have boxes too.
    Their order is free, and an absent flag means 0.

    Raises: ParseError naming the file, the object by its number from 1 and
        the tag; MissingDataError if there is no such file.
    """
    place = _Place(path)
    root = _parse(path)
    if root.tag != "annotation":
        raise place.error(
            f"The outermost element must be `annotation`. Received: "
            f"{root.tag!r}"
        )
    objects = root.findall("object")
    return PascalAnnotation(
        filename=_text(root, "filename", place) or "",
        size=_size(root, place),
        objects=tuple(
            _object(element, _Place(path, number))
            for number, element in enumerate(objects, 1)
        ),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where in a file an element is, for messages."""

    path: Path
    number: int | None = None

    def error(self, problem: str, tag: str = "") -> ParseError:
        parts = [f"object {self.number}"] if self.number else []
        parts += [f"tag `{tag}`"] if tag else []
        return ParseError(self.path, ", ".join(parts), problem)


def _parse(path: Path) -> Element:
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(
            f"The annotation file of a listed image must exist. Received: "
            f"none ({path})"
        ) from error
    try:
        root: Element = defusedxml.ElementTree.fromstring(text, forbid_dtd=True)
    except (XmlSyntaxError, LookupError, ValueError) as error:
        # LookupError: an encoding that nobody knows. ValueError: one with
        # several bytes a character, and everything that defusedxml forbids.
        raise ParseError(
            path,
            "",
            f"An annotation must be plain XML without a document type. "
            f"Received: {error}",
        ) from error
    return root


def _object(element: Element, place: _Place) -> PascalObject:
    name = _text(element, "name", place)
    if not name:
        raise place.error("An object must have a name. Received: none", "name")
    box = _child(element, "bndbox", place)
    if box is None:
        raise place.error("An object must have a box. Received: none", "bndbox")
    return PascalObject(
        name=name,
        pose=_text(element, "pose", place) or UNSPECIFIED,
        truncated=_flag(element, "truncated", place),
        occluded=_count(element, "occluded", place),
        difficult=_flag(element, "difficult", place),
        xmin=_edge(box, "xmin", place),
        ymin=_edge(box, "ymin", place),
        xmax=_edge(box, "xmax", place),
        ymax=_edge(box, "ymax", place),
    )


def _size(root: Element, place: _Place) -> tuple[int, int] | None:
    size = _child(root, "size", place)
    if size is None:
        return None
    width = _count(size, "width", place)
    height = _count(size, "height", place)
    return (width, height) if width and height else None


def _edge(box: Element, tag: str, place: _Place) -> float:
    text = _text(box, tag, place)
    if text is None:
        raise place.error("A box must have four edges. Received: none", tag)
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise place.error(
            f"An edge must be a finite number. Received: {text[:40]!r}", tag
        )
    return float(text)


def _flag(element: Element, tag: str, place: _Place) -> bool:
    value = _count(element, tag, place)
    if value > 1:
        raise place.error(f"A flag must be 0 or 1. Received: {value}", tag)
    return value == 1


def _count(element: Element, tag: str, place: _Place) -> int:
    """Whole number of 0 or more; 0 where the tag is absent."""
    text = _text(element, tag, place)
    if text is None:
        return 0
    if not _COUNT.fullmatch(text):
        raise place.error(
            f"The value must be a whole number of at most nine digits. "
            f"Received: {text[:40]!r}",
            tag,
        )
    return int(text)


def _text(element: Element, tag: str, place: _Place) -> str | None:
    """Text of the child without space around it; None if absent."""
    child = _child(element, tag, place)
    if child is None:
        return None
    if len(child):
        raise place.error(
            f"A tag must hold text alone. Received: the element "
            f"{child[0].tag!r} in it",
            tag,
        )
    return (child.text or "").strip()


def _child(element: Element, tag: str, place: _Place) -> Element | None:
    """The direct child of that name; None if absent."""
    found = element.findall(tag)
    if len(found) > 1:
        raise place.error(
            f"A tag must not be repeated. Received: {len(found)} times", tag
        )
    return found[0] if found else None

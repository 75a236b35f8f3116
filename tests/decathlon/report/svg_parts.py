"""What an SVG shows, read with ElementTree alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return root


def texts(svg: str) -> list[str]:
    """The words that are drawn, in order."""
    return [
        "".join(element.itertext())
        for element in parsed(svg).iter(f"{SVG}text")
    ]


def heights(svg: str, words: Collection[str]) -> list[float]:
    """How far down each of some texts stands, in their order of drawing."""
    return [
        float(element.get("y", ""))
        for element in parsed(svg).iter(f"{SVG}text")
        if "".join(element.itertext()) in words
    ]


def paths(svg: str, colour: str) -> list[str]:
    """`d` of every path that is filled with a colour."""
    return [
        element.get("d", "")
        for element in parsed(svg).iter(f"{SVG}path")
        if f"fill: {colour}" in element.get("style", "")
    ]


def marks(svg: str, colour: str) -> list[tuple[float, float]]:
    """Centres of the markers that are filled with a colour."""
    return [
        (float(element.get("x", "")), float(element.get("y", "")))
        for element in parsed(svg).iter(f"{SVG}use")
        if f"fill: {colour}" in element.get("style", "")
    ]


def box(path: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a path of straight lines."""
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", path)]
    across, down = numbers[::2], numbers[1::2]
    return min(across), min(down), max(across), max(down)


def references(svg: str) -> tuple[set[str], list[str]]:
    """Ids that something refers to, and all ids."""
    used: set[str] = set()
    for element in parsed(svg).iter():
        for name, value in element.items():
            used.update(re.findall(r"url\(#([^)]+)\)", value))
            if name == _HREF:
                used.add(value.removeprefix("#"))
            if name == "aria-labelledby":
                used.update(value.split())
    ids = [
        element.attrib["id"]
        for element in parsed(svg).iter()
        if "id" in element.attrib
    ]
    return used, ids

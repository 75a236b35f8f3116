"""style: colours that everybody can tell apart, on white and in the dark."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from object_detection_patch.decathlon.report import html
from object_detection_patch.decathlon.report.figures import style
from tests.decathlon.report.results import METHODS

_LOOKS = style.looks((*METHODS, "OTHER", "ANOTHER", "A THIRD"))

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
_SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def _linear(colour):
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    low = value <= 0.04045
    return np.where(low, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear):
    ratio = _TO_XYZ @ linear / np.array([0.95047, 1.0, 1.08883])
    low = ratio <= (6 / 29) ** 3
    f = np.where(low, ratio / (3 * (6 / 29) ** 2) + 4 / 29, np.cbrt(ratio))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _contrast(first, second):
    """WCAG 2."""
    high, low = sorted(
        (float((_TO_XYZ @ _linear(c))[1]) for c in (first, second)),
        reverse=True,
    )
    return (high + 0.05) / (low + 0.05)


def _papers():
    css = Path(html.__file__).with_name("page.css").read_text(encoding="utf-8")
    return re.findall(r"--paper: (#[0-9a-f]{6})", css)


@pytest.mark.parametrize("sight", _SIGHTS)
def test_no_two_methods_look_alike(sight):
    seen = {
        method: _lab(
            np.clip(np.array(_SIGHTS[sight]) @ _linear(look.colour), 0, 1)
        )
        for method, look in _LOOKS.items()
    }
    for one, other in itertools.combinations(seen, 2):
        # 2.3 can just be told side by side; a legend is further away.
        assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def test_every_method_has_its_own_marker():
    markers = [look.marker for look in _LOOKS.values()]
    assert len(set(markers)) == len(markers)


def test_methods_stand_out_on_paper_and_in_the_dark():
    light, dark, *_ = _papers()
    for look in _LOOKS.values():
        for paper in (style.PAPER, light, dark):
            assert _contrast(look.colour, paper) > 2


def test_words_can_be_read():
    for ink in (style.INK, style.MUTED):
        assert _contrast(ink, style.PAPER) > 4.5


def test_no_method_has_the_colour_of_an_ink():
    inks = {style.PAPER, style.INK, style.MUTED, style.GRID}
    assert len(inks) == 4
    assert not inks & {look.colour for look in _LOOKS.values()}


def test_a_method_looks_the_same_whatever_ran_beside_it():
    alone = style.looks(["SPOTPATCH"])["SPOTPATCH"]
    assert style.looks(METHODS)["SPOTPATCH"] == alone

"""The chart of memory: widths of its bars, errors."""

import numpy as np
import pytest

from object_detection_patch import pictures
from object_detection_patch.pictures.colours import PALETTE


def _width(chart, colour):
    """Pixels of a colour in the row of the image that has most of it."""
    return int(np.all(chart == np.array(colour), axis=-1).sum(axis=1).max())


def test_widths_are_proportional_to_bytes():
    chart = pictures.memory_flame(
        {"kept": [("a", 300_000), ("b", 300_000)], "other": [("a", 200_000)]},
        title="t",
    )
    kept, other = (_width(chart, PALETTE[i]) for i in range(2))
    assert kept == pytest.approx(3 * other, rel=0.03)
    assert kept + other > 0.9 * chart.shape[1]


def test_layers_stand_on_their_kind():
    """Above a kind's colour lie two shades of it, half and half."""
    chart = pictures.memory_flame({"kept": [("a", 50), ("b", 50)]}, title="t")
    colour = np.array(PALETTE[0])
    light, dark = (
        np.round(255 - (255 - colour) * share) for share in (0.5, 0.75)
    )
    for shade in (light, dark):
        near = np.abs(chart - shade).max(axis=-1) <= 1
        rows, columns = np.nonzero(near)
        assert np.ptp(columns) == pytest.approx(chart.shape[1] / 2, rel=0.05)
        assert rows.max() < np.nonzero((chart == colour).all(-1))[0].min() + 5


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        ({}, "Received: 0 kinds, empty: []"),
        ({"kept": []}, "Received: 1 kinds, empty: ['kept']"),
        ({"kept": [("a", 0)]}, "Received: 0 of 'kept' for 'a'"),
    ],
)
def test_nothing_to_draw_is_refused(memory, message):
    with pytest.raises(ValueError) as caught:
        pictures.memory_flame(memory, title="t")
    assert message in str(caught.value)

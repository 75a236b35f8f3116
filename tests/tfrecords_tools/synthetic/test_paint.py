"""Colours stay whole numbers from 0 to 255."""

import numpy as np
import pytest

from tfrecords_tools.synthetic import paint

RED = (255, 0, 0)


def test_hues_turn_round():
    assert paint.hsv(0, 1, 1) == paint.hsv(1, 1, 1) == RED
    assert paint.hsv(1 / 3, 1, 1) == (0, 255, 0)


def test_mix_runs_from_low_to_high():
    low, high = (10, 20, 30), (110, 220, 230)
    assert paint.mix(low, high, 0) == low
    assert paint.mix(low, high, 1) == high
    assert paint.mix(low, high, 0.5) == (60, 120, 130)


def test_darker_and_lighter_reach_black_and_white():
    assert paint.darker(RED, 1) == (0, 0, 0)
    assert paint.lighter(RED, 1) == (255, 255, 255)


@pytest.mark.parametrize("opacity", [0.0, 0.5, 1.0])
def test_a_veil_is_never_opaque(opacity):
    colour = paint.veil(RED, opacity)
    assert colour[:3] == RED and 0 <= colour[3] < 255


@pytest.mark.parametrize("draw", [paint.vivid, paint.muted, paint.pastel])
def test_drawn_colours_are_in_range(draw):
    rng = np.random.default_rng(0)
    colours = [paint.near(rng, draw(rng), 0.5) for _ in range(50)]
    assert all(len(c) == 3 and 0 <= min(c) <= max(c) <= 255 for c in colours)
    assert len(set(colours)) > 40

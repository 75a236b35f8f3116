"""Colours and patterns: ranges, statistics, and the few exact rules."""

import numpy as np
import pytest

from tfrecords_tools.synthetic import palette, textures

SIDE = 64


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", ["vivid", "muted", "pastel", "deep"])
def test_colours_are_rgb_fractions(rng, name):
    for _ in range(50):
        colour = getattr(palette, name)(rng)
        assert colour.shape == (3,) and colour.dtype == np.float32
        assert 0 <= colour.min() and colour.max() <= 1


def test_hsv_by_hand():
    np.testing.assert_allclose(palette.hsv(1 / 3, 1, 0.5), [0, 0.5, 0])
    np.testing.assert_allclose(palette.hsv(7.25, 0, 0.5), [0.5] * 3)


def test_contrasting_takes_the_first_far_enough_colour(rng):
    greys = [np.full(3, v, np.float32) for v in (0.1, 0.2, 0.6, 0.9, 1) * 2]
    drawn = iter(greys)
    chosen = palette.contrasting(rng, lambda _: next(drawn), np.zeros(3))
    assert chosen[0] == np.float32(0.6)  # sqrt(3) * 0.6 >= 0.45


def test_contrasting_falls_back_on_the_best_of_all_others(rng):
    greys = [np.full(3, v, np.float32) for v in (0.1, 0.24, 0.3, 0.4) * 2]
    drawn = iter(greys)
    black, grey = np.zeros(3), np.full(3, 0.45)
    chosen = palette.contrasting(rng, lambda _: next(drawn), black, grey)
    assert chosen[0] == np.float32(0.24)  # 0.24 from black, 0.21 from grey


FIELDS = {
    "gradient": lambda rng: textures.gradient(rng, SIDE),
    "spotlight": lambda rng: textures.spotlight(rng, SIDE),
    "clouds": lambda rng: textures.clouds(rng, SIDE, 5),
    "stripes": lambda rng: textures.stripes(rng, SIDE, 0.2),
    "dots": lambda rng: textures.dots(rng, SIDE, 0.2),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_vary_between_0_and_1(rng, name):
    field = FIELDS[name](rng)
    assert field.shape == (SIDE, SIDE) and field.dtype == np.float32
    assert 0 <= field.min() and field.max() <= 1
    assert field.std() > 0.05


def test_stripes_have_the_period_asked_for(rng):
    field = textures.stripes(rng, 256, 0.1)
    power = np.abs(np.fft.fft2(field - field.mean()))
    row, column = np.unravel_index(power[:, :128].argmax(), (256, 128))
    cycles = np.hypot(min(row, 256 - row), column)
    assert cycles == pytest.approx(10, abs=1)
    assert field.mean() == pytest.approx(0.5, abs=0.05)


def test_dots_are_islands(rng):
    field = textures.dots(rng, 256, 0.1)
    assert 0.2 < field.mean() < 0.45


def test_grain_has_the_sigma_asked_for(rng):
    noise = textures.grain(rng, SIDE, 0.1)
    assert noise.shape == (SIDE, SIDE, 3)
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert noise.mean() == pytest.approx(0, abs=0.005)


def test_mix_by_hand():
    field = np.array([[0.0, 0.25]], np.float32)
    low, high = np.zeros(3), np.array([1.0, 0.4, 0.0])
    np.testing.assert_allclose(
        textures.mix(field, low, high), [[[0, 0, 0], [0.25, 0.1, 0]]]
    )

"""Light over a finished picture."""

import numpy as np

from tfrecords_tools.synthetic import textures
from tfrecords_tools.synthetic.picture import Picture


def light(
    rng: np.random.Generator, picture: Picture, *, depth: float = 0.25
) -> np.ndarray:
    """Uneven, faintly coloured light for `Picture.finish`.

    Args:
        depth: 0 to 1, how much darker than the brightest place it may get.
    Returns: factors (height, width, 3), float32.
    """
    field = textures.clouds(rng, picture.height, 3)
    if picture.width != picture.height:
        columns = np.linspace(0, picture.height - 1, picture.width)
        field = field[:, columns.round().astype(int)]
    warmth = rng.uniform(-0.06, 0.06)
    tint = np.array([1 + warmth, 1, 1 - warmth], dtype=np.float32)
    level = rng.uniform(1.08 - 0.6 * depth, 1.15)
    bright = level * (1 - 0.7 * depth + 0.7 * depth * field)
    return bright[..., None] * tint

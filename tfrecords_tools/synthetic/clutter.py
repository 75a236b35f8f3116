"""What lies around objects and belongs to no class: threads and pebbles."""

import numpy as np

from tfrecords_tools.synthetic.raster import Pose, fill_mask, stroke_mask
from tfrecords_tools.synthetic.silhouettes import Polygon


def thread(
    rng: np.random.Generator, side: int, *, thickness: float
) -> np.ndarray:
    """Coverage of a thin bent line somewhere in the frame.

    Args:
        thickness: fraction of the side.
    """
    start, bend, end = rng.uniform(-1, 1, (3, 2))
    t = np.linspace(0, 1, 12)[:, None]
    # Quadratic Bezier curve through three random points.
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    frame = Pose(centre=(0.5, 0.5), radius=0.6)
    return stroke_mask((curve,), frame, side, thickness=thickness)


def pebble(rng: np.random.Generator, side: int, *, radius: float) -> np.ndarray:
    """Coverage of an irregular blob somewhere in the frame.

    Args:
        radius: largest, fraction of the side.
    """
    count = int(rng.integers(7, 12))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = rng.uniform(0.5, 1.0, count)
    corners = np.stack([np.cos(angles), np.sin(angles)], -1) * radii[:, None]
    x, y = rng.uniform(0, 1, 2)
    return fill_mask(
        (Polygon(corners),), Pose(centre=(x, y), radius=radius), side
    )

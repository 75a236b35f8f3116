"""Where objects go: random poses that leave earlier objects recognisable."""

from collections.abc import Callable

import numpy as np

from tfrecords_tools.synthetic.raster import Pose
from tfrecords_tools.synthetic.scene import Scene, ink_box

MIN_VISIBLE = 0.7
"""Share of an object's ink that later objects must leave visible."""
OVERHANG = 0.12
"""Share of the radius that may lie beyond the frame."""
_ATTEMPTS = 8


def random_pose(
    rng: np.random.Generator,
    *,
    diameter: tuple[float, float],
    max_angle: float = np.pi,
    max_stretch: float = 1.0,
) -> Pose:
    """A pose nearly inside the frame.

    Args:
        diameter: least and greatest, fractions of the side.
        max_angle: radians, to both sides.
        max_stretch: 1 or more; 1.2 gives stretches of 1/1.2 to 1.2.
    """
    radius = rng.uniform(*diameter) / 2
    margin = radius * (1 - OVERHANG)
    x, y = rng.uniform(margin, 1 - margin, 2)
    log_stretch = np.log(max_stretch)
    return Pose(
        centre=(x, y),
        radius=radius,
        angle=rng.uniform(-max_angle, max_angle),
        stretch=float(np.exp(rng.uniform(-log_stretch, log_stretch))),
    )


def find_place(
    scene: Scene,
    draw_mask: Callable[[], np.ndarray],
    *,
    max_overlap: float,
) -> np.ndarray | None:
    """A coverage that hides no earlier object too much, or None.

    Args:
        draw_mask: draws a coverage (side, side) at a new random place.
        max_overlap: share of the smaller of two boxes that may lie in both.
    """
    for _ in range(_ATTEMPTS):
        coverage = draw_mask()
        if scene.hides(coverage, min_visible=MIN_VISIBLE):
            continue
        box = ink_box(coverage)
        shares = (_overlap(box, ink_box(o.drawn)) for o in scene.objects)
        if all(share <= max_overlap for share in shares):
            return coverage
    return None


def _overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Area in both boxes over the area of the smaller one."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    areas = ((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return max(width, 0) * max(height, 0) / min(areas)

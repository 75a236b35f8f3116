"""Many of a kind, close together, as one object: what datasets box as one."""

from collections.abc import Mapping

import numpy as np

from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.arrangement import Stage
from tfrecords_tools.synthetic.objects import THINGS
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

_MEMBERS = (6, 11)


def place_crowd(
    picture: Picture,
    rng: np.random.Generator,
    name: str,
    class_name: str,
    stage: Stage,
    *,
    flags: Mapping[str, float | str],
) -> bool:
    """Places six to ten small things of one kind as a single object.

    Returns: whether there was room for it.
    """
    crowd = Sketch()
    count = int(rng.integers(*_MEMBERS))
    for depth, x in zip(
        np.linspace(0, 1, count), rng.permutation(count), strict=True
    ):
        at = 1.5 * (x / (count - 1) - 0.5)
        where = pose(at, 0.3 + 0.3 * depth, 0.4, flipped=rng.random() < 0.5)
        crowd.add(THINGS[name].draw(rng), where)
    scale = rng.uniform(0.24, 0.34)
    foot = stage.horizon + rng.uniform(0.08, 0.5) * (1 - stage.horizon)
    x = rng.uniform(0.2, 0.8) * picture.aspect
    return picture.place(
        class_name, crowd, pose(x, foot - scale, scale), flags=flags
    )

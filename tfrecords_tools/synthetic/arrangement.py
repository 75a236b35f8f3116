"""Composes a picture: one scene, and things that belong there."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from tfrecords_tools.synthetic import backdrops
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.objects import THINGS, Thing
from tfrecords_tools.synthetic.picture import Picture

_BACKDROPS = {
    "meadow": backdrops.meadow,
    "street": backdrops.street,
    "sea": backdrops.sea,
    "room": backdrops.room,
    "table": backdrops.table,
    "blank": backdrops.blank,
}
_FLAT = ("table", "blank")
_TRIES = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a world composes.

    Args:
        counts: least and greatest number of things to try.
        sizes: least and greatest half height of a thing of size 1, heights.
        tilt: greatest angle of what lies or flies, radians.
        least_inside, least_left: as of `Picture.place`.
        litter: greatest number of scraps on table tops and cloths.
    """

    counts: tuple[int, int]
    sizes: tuple[float, float]
    tilt: float = math.pi / 5
    least_inside: float = 0.7
    least_left: float = 0.6
    litter: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A scene by name, and the height from which down things stand."""

    scene: str
    horizon: float


def compose(
    picture: Picture,
    rng: np.random.Generator,
    names: Mapping[str, str],
    style: Style,
) -> Stage:
    """Draws a scene and, far to near, things that belong there.

    The scene suits a thing drawn with equal chance among all, so that every
    class is met about equally often.

    Args:
        names: class names by names of `THINGS`.
    """
    known = list(names)
    first = known[int(rng.integers(len(known)))]
    scene = str(rng.choice(THINGS[first].scenes))
    stage = Stage(scene, _BACKDROPS[scene](picture, rng))
    if style.litter and scene in _FLAT:
        backdrops.litter(picture, rng, int(rng.integers(style.litter + 1)))
    mates = [name for name in known if scene in THINGS[name].scenes]
    count = int(rng.integers(style.counts[0], style.counts[1] + 1))
    chosen = [first, *rng.choice(mates, count - 1).tolist()]
    put(picture, rng, [(name, names[name]) for name in chosen], stage, style)
    return stage


def put(
    picture: Picture,
    rng: np.random.Generator,
    things: Sequence[tuple[str, str]],
    stage: Stage,
    style: Style,
) -> None:
    """Places things, far ones first, where they leave the others visible.

    Args:
        things: pairs (name of `THINGS`, class name).
    """
    depths = np.sort(rng.random(len(things)))
    for (name, class_name), depth in zip(things, depths, strict=True):
        thing = THINGS[name]
        sketch = thing.draw(rng)
        for _ in range(_TRIES):
            where = _where(rng, thing, stage, style, float(depth), picture)
            if picture.place(
                class_name,
                sketch,
                where,
                shading=0.25,
                shadow=0.3 if stage.scene in _FLAT else 0.0,
                least_inside=style.least_inside,
                least_left=style.least_left,
            ):
                break


def _where(
    rng: np.random.Generator,
    thing: Thing,
    stage: Stage,
    style: Style,
    depth: float,
    picture: Picture,
) -> Affine:
    """A random pose; depth runs from 0, far, to 1, near."""
    low, high = style.sizes
    flipped = bool(rng.random() < 0.5) and not _has_letters(thing)
    stretch = rng.uniform(0.9, 1.1)
    x = rng.uniform(0.02, 0.98) * picture.aspect
    if stage.scene in _FLAT or thing.stance != "ground":
        scale = thing.size * low * (high / low) ** rng.random()
        tilt = 0.15 if thing.stance == "wall" else style.tilt
        angle = rng.uniform(-tilt, tilt)
        y = rng.uniform(0.5 * scale, _floor(thing, stage, scale))
        return pose(x, y, scale, angle=angle, stretch=stretch, flipped=flipped)
    nearness = 0.75 * depth + 0.25 * rng.random()
    scale = thing.size * low * (high / low) ** nearness
    foot = stage.horizon + (1.04 - stage.horizon) * (0.1 + 0.9 * nearness)
    return pose(x, foot - scale, scale, stretch=stretch, flipped=flipped)


def _floor(thing: Thing, stage: Stage, scale: float) -> float:
    """Greatest y for the middle of what does not stand."""
    if stage.scene in _FLAT:
        return max(1 - 0.5 * scale, 0.5 * scale)
    return max(0.8 * stage.horizon, 0.5 * scale)


def _has_letters(thing: Thing) -> bool:
    return thing is THINGS["stop sign"]

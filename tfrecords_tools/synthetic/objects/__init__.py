"""Everyday things that several worlds share, by plain English names.

Each drawing function takes a generator, for colours, patterns and variants,
and returns a `Sketch` in the square from -1 to 1 that stands on y = 1.
"""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from tfrecords_tools.synthetic.objects.belongings import guitar, hat, umbrella
from tfrecords_tools.synthetic.objects.farm import cow, horse, sheep
from tfrecords_tools.synthetic.objects.food import (
    apple,
    banana,
    cake,
    mushroom,
    orange,
    pizza,
)
from tfrecords_tools.synthetic.objects.furniture import (
    chair,
    clock,
    lamp,
    sofa,
    table,
    television,
)
from tfrecords_tools.synthetic.objects.household import (
    book,
    bottle,
    fork,
    houseplant,
    key,
    mug,
)
from tfrecords_tools.synthetic.objects.outdoors import (
    flower,
    house,
    stop_sign,
    traffic_light,
    tree,
)
from tfrecords_tools.synthetic.objects.people import person
from tfrecords_tools.synthetic.objects.pets import cat, dog
from tfrecords_tools.synthetic.objects.toys import ball, kite
from tfrecords_tools.synthetic.objects.transport import airplane, boat, train
from tfrecords_tools.synthetic.objects.vehicles import bicycle, bus, car, truck
from tfrecords_tools.synthetic.objects.wild import bird, fish
from tfrecords_tools.synthetic.vector import Sketch

__all__ = ["SCENES", "THINGS", "Thing"]

SCENES = ("meadow", "street", "sea", "room", "table", "blank")
"""Where things are met; see `backdrops`."""
_OUTSIDE = ("meadow", "street", "blank")
_ROOM = ("room", "blank")
_TOP = ("table", "blank")


@dataclasses.dataclass(frozen=True, slots=True)
class Thing:
    """How to draw a thing, and where it belongs.

    Args:
        draw: of the modules beside this one.
        scenes: those of `SCENES` that it is met in.
        stance: "ground" for what stands, "air" for what flies, "wall" for
            what hangs; in the scenes table and blank all lie anyhow.
        size: beside a person, who has 1.
    """

    draw: Callable[[np.random.Generator], Sketch]
    scenes: tuple[str, ...]
    stance: str = "ground"
    size: float = 1.0


THINGS: Mapping[str, Thing] = MappingProxyType(
    {
        "airplane": Thing(airplane, ("meadow", "sea", "blank"), "air", 1.2),
        "apple": Thing(apple, _TOP, size=0.6),
        "ball": Thing(ball, ("meadow", "room", "table"), size=0.45),
        "banana": Thing(banana, _TOP, size=0.75),
        "bicycle": Thing(bicycle, _OUTSIDE),
        "bird": Thing(bird, ("meadow", "street", "blank"), size=0.6),
        "boat": Thing(boat, ("sea",), size=1.1),
        "book": Thing(book, _TOP, size=0.9),
        "bottle": Thing(bottle, ("table", "blank", "room"), size=0.8),
        "bus": Thing(bus, ("street", "meadow"), size=1.35),
        "cake": Thing(cake, _TOP, size=0.8),
        "car": Thing(car, ("street", "meadow", "blank"), size=1.15),
        "cat": Thing(cat, ("room", "meadow"), size=0.75),
        "chair": Thing(chair, _ROOM, size=0.95),
        "clock": Thing(clock, _ROOM, "wall", 0.5),
        "cow": Thing(cow, ("meadow",), size=1.1),
        "dog": Thing(dog, ("meadow", "street", "room"), size=0.8),
        "fish": Thing(fish, _TOP, size=0.8),
        "flower": Thing(flower, ("meadow", "table", "blank"), size=0.7),
        "fork": Thing(fork, _TOP, size=0.8),
        "guitar": Thing(guitar, ("room", "table", "blank"), size=0.95),
        "hat": Thing(hat, _TOP, size=0.75),
        "horse": Thing(horse, ("meadow",), size=1.2),
        "house": Thing(house, ("meadow",), size=1.5),
        "houseplant": Thing(houseplant, _ROOM, size=0.7),
        "key": Thing(key, _TOP, size=0.65),
        "kite": Thing(kite, ("meadow", "sea"), "air", 0.8),
        "lamp": Thing(lamp, _ROOM),
        "mug": Thing(mug, _TOP, size=0.65),
        "mushroom": Thing(mushroom, ("meadow", "table"), size=0.55),
        "orange": Thing(orange, _TOP, size=0.6),
        "person": Thing(person, ("meadow", "street", "room"), size=1.1),
        "pizza": Thing(pizza, _TOP, size=1.0),
        "sheep": Thing(sheep, ("meadow",), size=0.85),
        "sofa": Thing(sofa, ("room",), size=1.25),
        "stop sign": Thing(stop_sign, ("street", "meadow")),
        "table": Thing(table, ("room",), size=1.15),
        "television": Thing(television, _ROOM, size=0.95),
        "traffic light": Thing(traffic_light, ("street", "blank")),
        "train": Thing(train, ("meadow", "street"), size=1.4),
        "tree": Thing(tree, ("meadow",), size=1.35),
        "truck": Thing(truck, ("street",), size=1.3),
        "umbrella": Thing(umbrella, ("meadow", "table", "blank"), size=0.85),
    }
)

"""Pictures to classify: scikit-learn's digits, and crops of drawn objects."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.seeding import generator
from tfrecords_tools.synthetic.worlds import worlds

DIGITS = "digits"
_DIGITS_TRAIN = 1200
_DRAWN_SIDE = 96
_DRAWN_SEED = 7
# Less of an object says little about its class.
_LEAST_VISIBLE, _LEAST_SIDE = 0.6, 12


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What a classifier trains on and is measured on.

    Args:
      classes: their number; labels count from 0.
      train, evaluation: images, uint8 [n, side, side, 3], and labels,
        int64 [n].
    """

    classes: int
    train: tuple[np.ndarray, np.ndarray]
    evaluation: tuple[np.ndarray, np.ndarray]

    @property
    def chance(self) -> float:
        """Share of the class that most evaluation images have."""
        labels = self.evaluation[1]
        return float(np.bincount(labels).max() / len(labels))


def pictures(task: str, side: int, train: int, evaluation: int) -> Pictures:
    """The pictures of a task, the same for equal arguments.

    Args:
      task: `digits`, or a drawn world.
      side: in pixels.
      train, evaluation: number of images; digits have 1,797 together.

    Raises:
      ValueError: for an unknown task.
    """
    if task == DIGITS:
        return _digits(side, train, evaluation)
    if task not in worlds():
        raise ValueError(
            f"A task must be {DIGITS} or one of {', '.join(worlds())}. "
            f"Received: {task!r}."
        )
    return Pictures(
        len(worlds()[task].CLASS_NAMES),
        _crops(task, "train", train, side),
        _crops(task, "eval", evaluation, side),
    )


def _digits(side: int, train: int, evaluation: int) -> Pictures:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ValueError(
            "The digits come with scikit-learn, which tf-models-official "
            "brings. Received: an environment without it; `make setup` "
            "installs what is locked, or take `--tasks birds`."
        ) from error
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    images = np.stack([_enlarged(found.images[i], side) for i in order])
    labels = found.target[order].astype(np.int64)
    chosen = slice(0, min(train, _DIGITS_TRAIN))
    others = slice(_DIGITS_TRAIN, _DIGITS_TRAIN + evaluation)
    return Pictures(
        10, (images[chosen], labels[chosen]), (images[others], labels[others])
    )


def _enlarged(digit: np.ndarray, side: int) -> np.ndarray:
    """Strokes from 0 to 16 as grey pixels."""
    grey = Image.fromarray((digit * 255 / 16).astype(np.uint8))
    return np.asarray(_resized(grey.convert("RGB"), side))


def _crops(
    world: str, split: str, count: int, side: int
) -> tuple[np.ndarray, np.ndarray]:
    names = worlds()[world].CLASS_NAMES
    images = np.empty((count, side, side, 3), np.uint8)
    labels = np.empty(count, np.int64)
    found = _objects(world, split)
    for index, (image, drawn) in zip(range(count), found, strict=False):
        images[index] = _crop(image, drawn, side)
        labels[index] = names.index(drawn.name)
    return images, labels


def _objects(
    world: str, split: str
) -> Iterator[tuple[NativeImage, NativeObject]]:
    index = 0
    while True:
        rng = generator(world, split, index, _DRAWN_SEED)
        image = worlds()[world].draw_image(rng, _DRAWN_SIDE)
        for drawn in image.objects:
            if drawn.visible >= _LEAST_VISIBLE and _side(drawn) >= _LEAST_SIDE:
                yield image, drawn
        index += 1


def _crop(image: NativeImage, drawn: NativeObject, side: int) -> np.ndarray:
    """A square around the object; black where it leaves the picture."""
    half = _side(drawn) / 2
    x, y = (drawn.xmin + drawn.xmax) / 2, (drawn.ymin + drawn.ymax) / 2
    box = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    with Image.open(io.BytesIO(image.encoded)) as picture:
        return np.asarray(_resized(picture.convert("RGB").crop(box), side))


def _side(drawn: NativeObject) -> int:
    return max(drawn.xmax - drawn.xmin, drawn.ymax - drawn.ymin)


def _resized(picture: Image.Image, side: int) -> Image.Image:
    return picture.resize((side, side), Image.Resampling.BILINEAR)

"""KITTI's object benchmark in miniature: PNGs and label files by number.

Flags of objects: `truncation` (0 to 1) and `rotation_y` (radians). An object
named `DontCare` becomes a region.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

FIRST_TRAIN_NUMBER = 500
"""Images below it are the eval split."""

_FOCAL_LENGTH = 721.5
_CAMERA_HEIGHT = 1.65
_SIDEWAYS = -1.57
_DIMENSIONS = {"Pedestrian": (1.75, 0.6, 0.8)}
_CAR_DIMENSIONS = (1.5, 1.6, 3.9)
_REGION_FIELDS = ("-1 -1 -10", "-1 -1 -1 -1000 -1000 -1000 -10")


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes `eval` as images 0 on and `train` as images 500 on.

    Raises: ValueError if `eval` does not fit below 500.
    """
    if len(eval) > FIRST_TRAIN_NUMBER:
        raise ValueError(
            f"The eval split must have at most {FIRST_TRAIN_NUMBER} images. "
            f"Received: {len(eval)}"
        )
    pictures = root / "training" / "image_2"
    labels = root / "training" / "label_2"
    pictures.mkdir(parents=True)
    labels.mkdir(parents=True)
    for first, images in ((0, eval), (FIRST_TRAIN_NUMBER, train)):
        for number, image in enumerate(images, first):
            lines = [_line(drawn, image.width) for drawn in image.objects]
            text = "".join(f"{line}\n" for line in lines)
            path = labels / f"{number:06d}.txt"
            path.write_bytes(text.encode("ascii"))
            (pictures / f"{number:06d}.png").write_bytes(image.encoded)


def _line(drawn: NativeObject, image_width: int) -> str:
    kind = drawn.name[:1].upper() + drawn.name[1:]
    edges = drawn.xmin, drawn.ymin, drawn.xmax, drawn.ymax
    box = " ".join(f"{edge:.2f}" for edge in edges)
    if kind == "DontCare":
        before, after = _REGION_FIELDS
        return f"{kind} {before} {box} {after}"
    truncation = float(drawn.flags.get("truncation", 0.3 * drawn.truncated))
    measures = _measures(drawn, kind, image_width)
    alpha = measures[-1] - math.atan2(measures[3], measures[5])
    after = " ".join(f"{value:.2f}" for value in measures)
    flags = f"{truncation:.2f} {_occlusion(drawn)} {alpha:.2f}"
    return f"{kind} {flags} {box} {after}"


def _measures(
    drawn: NativeObject, kind: str, image_width: int
) -> tuple[float, ...]:
    """Height, width, length, x, y, z in metres, rotation_y in radians.

    The distance is the one at which a camera of KITTI's focal length sees
    the object as high as its box.
    """
    dimensions = _DIMENSIONS.get(kind, _CAR_DIMENSIONS)
    z = _FOCAL_LENGTH * dimensions[0] / max(1, drawn.ymax - drawn.ymin)
    middle = (drawn.xmin + drawn.xmax - image_width) / 2
    rotation = float(drawn.flags.get("rotation_y", _SIDEWAYS))
    return *dimensions, middle * z / _FOCAL_LENGTH, _CAMERA_HEIGHT, z, rotation


def _occlusion(drawn: NativeObject) -> int:
    """0 visible, 1 partly, 2 largely hidden."""
    if drawn.truncated or drawn.visible >= 0.95:
        return 0
    return 1 if drawn.visible >= 0.5 else 2

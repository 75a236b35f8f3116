"""Open Images V4 in miniature, with what its files are known to hold.

Images without rows, rows without an image, rows of one image far apart,
unknown flags and classes, a comma in a class name.
"""

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.oid import write

CLASS_NAMES = ("Tortoise", "Container", "Drink, hot")

_MORE_ROWS = """\
f000000000000002,activemil,/m/0zzzz,1,0.1,0.2,0.3,0.4,0,0,0,0,0
f000000000000002,freeform,/m/0m000,1,0.125,0.25,0.5,0.75,0,1,0,0,0
ffffffffffffffff,xclick,/m/0zzzz,1,0,1,0,1,0,0,0,0,0
0123456789abcdef,xclick,/m/0m000,1,0.25,0.5,0.25,0.5,0,0,0,0,0
0000000000000001,xclick,/m/0m001,1,0.000000,0.999375,0.5,1.000000,-1,-1,-1,-1,-1
d6ec6dece92a4a47,xclick,/m/0m001,1,0.5,0.75,0.125,0.25,1,0,0,0,1
"""
_MORE_IMAGES = (
    "train_0/0000000000000001",
    "train_0/00000000000000ab",
    "train_f/f000000000000002",
    "train_f/ffffffffffffffff",
)


def build(root, pictures):
    train = [
        _image(
            pictures,
            _object("Tortoise", (8, 4, 40, 20), truncated=1),
            _object("Drink, hot", (0, 0, 64, 32), group_of=1),
        ),
        _image(
            pictures,
            _object("Container", (16, 8, 48, 24), depiction=1, occluded=-1),
        ),
    ]
    validation = [
        _image(pictures, _object("Tortoise", (32, 16, 64, 32), occluded=1))
    ]
    write(root, train, validation, class_names=CLASS_NAMES)
    with (root / "train-annotations-bbox.csv").open("a") as file:
        file.write(_MORE_ROWS)
    for name in _MORE_IMAGES:
        path = root / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pictures.jpeg(64, 32))


def _image(pictures, *objects):
    return NativeImage(
        encoded=pictures.jpeg(64, 32),
        width=64,
        height=32,
        objects=objects,
        owners=np.zeros((32, 64), np.uint8),
    )


def _object(name, edges, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, flags=flags
    )

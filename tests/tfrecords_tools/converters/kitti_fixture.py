"""KITTI in miniature, with what its files are known to hold.

Images on both sides of number 500, all nine types, numbers with few digits,
a car that overlaps a DontCare region, an image of vans only and one with
nothing but a region.
"""

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.kitti import write

_ALL_TYPES = """\
Car 0.00 0 -1.57 10.00 8.50 30.25 40.00 1.50 1.60 3.90 -2.00 1.65 20.00 -1.67
Van 0 0 1 40 2 50 10 2 2 5 1 2 30 1
Truck 0.00 1 1.00 50.00 2.00 60.00 10.00 3 2.5 9 1 2 30 1
Pedestrian 0.75 3 -1.5 0 12 6.5 36 1.75 0.6 0.8 -4 1.6 9 -1.9
Person_sitting 0.00 0 0.10 8 12 9 20 1.2 0.6 0.8 -4 1.6 9 0
Cyclist 0.00 2 0.10 11 12 16 20 1.7 0.6 1.8 -4 1.6 9 0
Tram 0.00 0 0.10 1 2 3 4 3.5 2.5 15 -4 1.6 90 0
Misc 0.00 0 0.10 5 6 7 8 1 1 1 -4 1.6 9 0
Car 0.25 2 2.5 50.5 20 63 44.9 1.4 1.6 3.7 5 1.65 18 2.77
DontCare -1 -1 -10 60.00 30.00 64.00 47.00 -1 -1 -1 -1000 -1000 -1000 -10
Car 0 1 0.5 50 30 60 40 1.4 1.6 3.7 5 1.65 18 0.77
"""


def build(root, pictures):
    train = [
        _image(
            pictures,
            _object("car", (4, 5, 24, 39)),
            _object("pedestrian", (40, 10, 47, 40), visible=0.6),
        ),
        _image(pictures, _object("Van", (4, 5, 24, 39))),
    ]
    eval_images = [
        _image(pictures),
        _image(pictures, _object("DontCare", (1, 2, 60, 30))),
    ]
    write(root, train, eval_images, class_names=["car", "pedestrian"])
    _renumber(root, "000001", "000499")
    _renumber(root, "000501", "007480")
    labels = root / "training" / "label_2"
    (labels / "000000.txt").write_text(_ALL_TYPES)
    (labels / "._000000.txt").write_bytes(b"\x00\x05\x16\x07")


def _renumber(root, old, new):
    for folder, extension in (("image_2", "png"), ("label_2", "txt")):
        path = root / "training" / folder / f"{old}.{extension}"
        path.rename(path.with_name(f"{new}.{extension}"))


def _image(pictures, *objects):
    return NativeImage(
        encoded=pictures.png(64, 48),
        width=64,
        height=48,
        objects=objects,
        owners=np.zeros((48, 64), np.uint8),
    )


def _object(name, edges, visible=1.0):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        visible=visible,
    )

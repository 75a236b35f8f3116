"""RPC in miniature, with what its files are known to hold.

Chinese text nobody needs, empty outlines, an image of another size, a box
between pixels, and the whole tree a second time in a folder.
"""

import json
import shutil

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.rpc import write

CLASS_NAMES = [
    "1_puffed_food",
    *(f"{id}_goods" for id in range(2, 200)),
    "200_stationery",
]


def build(root, pictures):
    train = [
        _image(
            pictures,
            "medium",
            _object("1_puffed_food", (4, 4, 20, 20)),
            _object("200_stationery", (24, 10, 40, 44)),
        ),
        _image(pictures, "easy", _object("200_stationery", (0, 0, 48, 48))),
        _image(pictures, "easy", _object("7_goods", (5, 6, 15, 26))),
        _image(
            pictures,
            "hard",
            _object("7_goods", (10, 8, 30, 38)),
            size=(50, 49),
        ),
    ]
    evaluation = [
        _image(pictures, "hard", _object("1_puffed_food", (1, 2, 3, 4)))
    ]
    write(root, train, evaluation, class_names=CLASS_NAMES)
    _move_between_pixels(root / "instances_val2019.json")
    inner = root / "retail_product_checkout"
    shutil.copytree(root / "val2019", inner / "val2019")
    shutil.copy(root / "instances_val2019.json", inner)


def _move_between_pixels(path):
    content = json.loads(path.read_text("utf-8"))
    for box in content["annotations"]:
        if box["bbox"] == [10, 8, 20, 30]:
            box["bbox"] = [10.5, 8.25, 20.0, 30.5]
            box["area"] = 610.0
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _image(pictures, level, *objects, size=(48, 48)):
    width, height = size
    return NativeImage(
        encoded=pictures.jpeg(width, height),
        width=width,
        height=height,
        objects=objects,
        owners=np.zeros((height, width), np.uint8),
        flags={"level": level},
    )


def _object(name, edges):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)

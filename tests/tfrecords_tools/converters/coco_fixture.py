"""COCO 2017 in miniature, with what its files are known to hold.

A crowd, an image without boxes in grey, a box without height, one over the
border, classes on both sides of a gap, sections and annotations unsorted.
"""

import json

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.coco import write

CLASS_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,"
    "traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,"
    "horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,"
    "tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,"
    "baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,"
    "fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,"
    "toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,"
    "sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
).split(",")

_OVER_THE_BORDER = {
    "bbox": [30.0, 8.25, 10.5, 6],
    "area": 40.5,
    "segmentation": [[30.0, 8.25, 40.5, 8.25, 40.5, 14.25]],
    "iscrowd": 0,
    "image_id": 41,
    "category_id": 90,
    "id": 900,
    "note": {"by": ["someone", {"else": None}]},
}
_WITHOUT_HEIGHT = {
    "bbox": [4, 5.5, 12.25, 0.0],
    "area": 0.0,
    "segmentation": [],
    "iscrowd": 0,
    "image_id": 41,
    "category_id": 1,
    "id": 918,
}


def build(root, pictures):
    owners = np.zeros((48, 64), np.uint8)
    owners[10:20, 10:30] = 1
    owners[32:48, 0:50] = 2
    train = [
        NativeImage(
            encoded=pictures.jpeg(64, 48),
            width=64,
            height=48,
            objects=(
                _object("person", (8, 6, 40, 30)),
                _object("stop sign", (0, 30, 64, 48), is_crowd=1),
            ),
            owners=owners,
        ),
        _image(pictures.grey_jpeg(32, 32), 32),
        _image(pictures.jpeg(40, 40), 40),
    ]
    validation = [
        _image(pictures.jpeg(48, 48), 48, _object("person", (1, 2, 20, 30)))
    ]
    write(root, train, validation, class_names=CLASS_NAMES)
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text("utf-8"))
    annotations = content.pop("annotations")
    annotations[:0] = [_OVER_THE_BORDER, _WITHOUT_HEIGHT]
    content = {
        "notes": [[{"nested": [1]}], "text"],
        "annotations": annotations,
        **dict(reversed(content.items())),
    }
    path.write_text(json.dumps(content), "utf-8")


def _image(encoded, side, *objects):
    return NativeImage(
        encoded=encoded,
        width=side,
        height=side,
        objects=objects,
        owners=np.zeros((side, side), np.uint8),
    )


def _object(name, edges, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, flags=flags
    )

"""Stanford Dogs in miniature: two breeds, one with hyphens in its name.

A PNG named .jpg, an image with two dogs, boxes that start at 0 and that
leave the image, a file name of `%s`, a name that is not the list's.
"""

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.dogs import write

CLASS_NAMES = ("Chihuahua", "black-and-tan_coonhound")
_HOUND = CLASS_NAMES[1]


def build(root, pictures):
    train = [
        _image(
            pictures.jpeg(64, 48),
            (64, 48),
            _dog("Chihuahua", (0, 0, 30, 40)),
            _dog("Chihuahua", (31, 5, 64, 48), truncated=True, pose="Left"),
        ),
        _image(
            pictures.png(40, 36),
            (40, 36),
            _dog(_HOUND, (3, 4, 20, 30), difficult=1),
        ),
    ]
    eval_images = [
        _image(
            pictures.jpeg(50, 40),
            (50, 40),
            _dog("Chihuahua", (10, 9, 52, 40)),
        ),
        _image(pictures.jpeg(32, 44), (32, 44), _dog(_HOUND, (1, 2, 31, 43))),
    ]
    write(root, train, eval_images, class_names=CLASS_NAMES)
    odd = root / "Annotation/n02085620-Chihuahua/n02085620_2"
    text = odd.read_text("utf-8")
    text = text.replace("<name>Chihuahua", "<name>toy_dog")
    text = text.replace("<filename>n02085620_2", "<filename>%s")
    odd.write_text(text, "utf-8")


def _image(encoded, size, *dogs):
    width, height = size
    return NativeImage(
        encoded=encoded,
        width=width,
        height=height,
        objects=dogs,
        owners=np.zeros((height, width), np.uint8),
    )


def _dog(name, edges, truncated=False, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        truncated=truncated,
        flags=flags,
    )

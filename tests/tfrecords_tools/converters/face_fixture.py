"""WIDER FACE in miniature, with what its files are known to hold.

A block without faces that is not the last one, an invalid face, a face of
no width, a face that leaves the image. Its rows end in a space.
"""

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.face import write


def build(root, pictures):
    train = [
        _image(
            pictures,
            _face((4, 5, 14, 19), blur=2),
            _face((20, 0, 30, 12), visible=0.8, expression=1, pose=1),
        ),
        _image(pictures),
        _image(
            pictures,
            _face((1, 2, 9, 11), invalid=1, blur=1, illumination=1),
            _face((17, 18, 17, 25)),
            _face((30, 8, 40, 20), visible=0.5),
        ),
        _image(pictures, _face((40, 30, 60, 52), truncated=True)),
    ]
    eval_images = [
        _image(pictures, _face((3, 3, 23, 33), invalid=1)),
        _image(pictures, _face((10, 11, 12, 14))),
    ]
    write(root, train, eval_images, class_names=["face"])


def _image(pictures, *objects):
    return NativeImage(
        encoded=pictures.jpeg(48, 40),
        width=48,
        height=40,
        objects=objects,
        owners=np.zeros((40, 48), np.uint8),
    )


def _face(edges, truncated=False, visible=1.0, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name="face",
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        truncated=truncated,
        visible=visible,
        flags=flags,
    )

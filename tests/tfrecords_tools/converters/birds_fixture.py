"""Birds of 2010 in miniature: three species, two and two images.

One box beyond what a byte holds beside edges that one holds, one as wide as
its image, odd spellings of names, a compressed annotation, `files.txt`
without a newline at its end.
"""

import numpy as np
from scipy.io import savemat

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.birds import write

CLASS_NAMES = ("Black_footed_Albatross", "Chuck_will_Widow", "Artic_Tern")


def build(root, pictures):
    train = [
        _image(pictures, "Black_footed_Albatross", (64, 48), (0, 9, 64, 40)),
        _image(pictures, "Chuck_will_Widow", (320, 40), (39, 4, 300, 36)),
    ]
    eval_images = [
        _image(pictures, "Chuck_will_Widow", (48, 48), (10, 12, 30, 33)),
        _image(pictures, "Artic_Tern", (40, 32), (3, 2, 20, 31)),
    ]
    write(root, train, eval_images, class_names=CLASS_NAMES)
    _compress(root / "annotations-mat/003.Artic_Tern/Artic_Tern_0001.mat")


def _compress(path):
    bbox = {
        "left": np.uint8(4),
        "top": np.uint8(3),
        "right": np.uint8(20),
        "bottom": np.uint8(31),
    }
    seg = np.zeros((32, 40), np.uint8)
    seg[2:31, 3:20] = 1
    with path.open("wb") as file:
        savemat(file, {"bbox": bbox, "seg": seg}, do_compression=True)


def _image(pictures, name, size, edges):
    width, height = size
    xmin, ymin, xmax, ymax = edges
    owners = np.zeros((height, width), np.uint8)
    owners[ymin:ymax, xmin:xmax] = 1
    bird = NativeObject(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    return NativeImage(
        encoded=pictures.jpeg(width, height),
        width=width,
        height=height,
        objects=(bird,),
        owners=owners,
    )

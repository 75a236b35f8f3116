"""Oxford-IIIT Pet in miniature, with what its files are known to hold.

A breed with several underscores, an image without XML, a GIF and a PNG with
alpha named .jpg, a JPEG in CMYK, two heads in one image, files that belong to
no list.
"""

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.pet import write

BREEDS = ("Abyssinian", "american_pit_bull_terrier", "beagle")
RUBBISH = b"\x00\x05\x16\x07"


def build(root, pictures):
    cat, terrier, beagle = BREEDS
    jpeg = pictures.jpeg
    train = [
        _image(jpeg(40, 32), (40, 32), _object(beagle, (9, 9, 15, 15))),
        _image(
            pictures.cmyk_jpeg(40, 32),
            (40, 32),
            _object(beagle, (0, 8, 14, 30), truncated=True),
        ),
        _image(
            pictures.rgba_png(36, 40),
            (36, 40),
            _object(terrier, (3, 3, 20, 18)),
        ),
        _image(
            jpeg(40, 32),
            (40, 32),
            _object(terrier, (1, 2, 10, 11)),
            _object(terrier, (20, 3, 34, 17), difficult=1),
        ),
        _image(jpeg(40, 32), (40, 32), _object(cat, (10, 4, 22, 15))),
    ]
    eval_images = [
        _image(
            pictures.gif(32, 32),
            (32, 32),
            _object(cat, (0, 1, 12, 12), pose="Left"),
        ),
        _image(
            jpeg(40, 32),
            (40, 32),
            _object(beagle, (5, 5, 15, 15), visible=0.5),
        ),
    ]
    write(root, train, eval_images, class_names=BREEDS)
    _add_quirks(root, pictures)


def _add_quirks(root, pictures):
    annotations = root / "annotations"
    (annotations / "xmls" / "beagle_1.xml").unlink()
    (annotations / "xmls" / "._beagle_1.xml").write_bytes(RUBBISH)
    (annotations / "trimaps" / "._beagle_1.png").write_bytes(RUBBISH)
    (root / "images" / "Abyssinian_100.mat").write_bytes(RUBBISH)
    (root / "images" / "beagle_99.jpg").write_bytes(pictures.jpeg(32, 32))


def _image(encoded, size, *objects):
    """The body leaves 4 pixels on the left, 3 above, 2 right, 1 below."""
    width, height = size
    owners = np.zeros((height, width), np.uint8)
    owners[3 : height - 1, 4 : width - 2] = 1
    return NativeImage(
        encoded=encoded,
        width=width,
        height=height,
        objects=objects,
        owners=owners,
    )


def _object(name, edges, truncated=False, visible=1.0, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        truncated=truncated,
        visible=visible,
        flags=flags,
    )

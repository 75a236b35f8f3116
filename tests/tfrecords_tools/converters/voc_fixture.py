"""Pascal VOC in miniature, with what its files are known to hold.

Of both years; parts of a person with boxes of their own, fractions of
pixels, an image of difficult objects only, a box as wide as the image, tags
in another order, a picture in no list.
"""

import numpy as np

from tfrecords_tools.converters.voc import CLASS_NAMES
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.voc import write

_PART = (
    "\t\t<part>\n\t\t\t<name>head</name>\n\t\t\t<bndbox>\n"
    "\t\t\t\t<xmin>8</xmin>\n\t\t\t\t<ymin>3</ymin>\n"
    "\t\t\t\t<xmax>12</xmax>\n\t\t\t\t<ymax>9</ymax>\n"
    "\t\t\t</bndbox>\n\t\t</part>\n"
    "\t\t<part>\n\t\t\t<name>hand</name>\n\t\t\t<bndbox>\n"
    "\t\t\t\t<xmin>5.5</xmin>\n\t\t\t\t<ymin>20</ymin>\n"
    "\t\t\t\t<xmax>7</xmax>\n\t\t\t\t<ymax>22</ymax>\n"
    "\t\t\t</bndbox>\n\t\t</part>\n"
)
_OTHER_ORDER = """<annotation>
\t<object>
\t\t<bndbox>
\t\t\t<ymax>31</ymax>
\t\t\t<xmax>40</xmax>
\t\t\t<ymin>7</ymin>
\t\t\t<xmin>6</xmin>
\t\t</bndbox>
\t\t<difficult>1</difficult>
\t\t<actions>
\t\t\t<jumping>0</jumping>
\t\t</actions>
\t\t<point>
\t\t\t<x>20</x>
\t\t\t<y>11</y>
\t\t</point>
\t\t<name>person</name>
\t</object>
\t<size>
\t\t<height>36</height>
\t\t<depth>3</depth>
\t\t<width>50</width>
\t</size>
\t<filename>2008_000003.jpg</filename>
</annotation>
"""


def build(root, pictures):
    train = [
        _image(
            pictures,
            (48, 32),
            _object("person", (4, 2, 20, 30), pose="Frontal"),
            _object("dog", (24, 10, 48, 32), truncated=True),
        ),
        _image(
            pictures,
            (40, 40),
            _object("chair", (2, 3, 10, 12), difficult=1),
            _object("sofa", (20, 20, 38, 39), difficult=1),
        ),
        _image(
            pictures,
            (64, 48),
            _object("cat", (0, 5, 64, 41), visible=0.8, pose="Left"),
        ),
        _image(pictures, (44, 33), _object("aeroplane", (3, 4, 30, 25))),
        _image(pictures, (50, 36), _object("bird", (1, 1, 2, 2))),
    ]
    eval_images = [
        _image(
            pictures,
            (32, 32),
            _object("bicycle", (1, 2, 12, 14), difficult=1),
            _object("person", (15, 0, 30, 32)),
        ),
        _image(
            pictures,
            (34, 38),
            _object("tvmonitor", (7, 8, 28, 30), pose="Rear"),
        ),
    ]
    write(root, train, eval_images, class_names=CLASS_NAMES)
    _add_quirks(root / "VOCdevkit", pictures)


def _add_quirks(devkit, pictures):
    old = devkit / "VOC2007" / "Annotations"
    new = devkit / "VOC2012" / "Annotations"
    _replace(
        old / "000001.xml", "\t\t<pose>Frontal", f"{_PART}\t\t<pose>Frontal"
    )
    _replace(new / "2008_000002.xml", ">30<", ">30.70000076293945<")
    _replace(new / "2008_000002.xml", ">5<", ">5.25<")
    (new / "2008_000003.xml").write_text(_OTHER_ORDER, "utf-8")
    unlisted = devkit / "VOC2012" / "JPEGImages" / "2007_009999.jpg"
    unlisted.write_bytes(pictures.jpeg(32, 32))


def _replace(path, old, new):
    text = path.read_text("utf-8")
    path.write_text(text.replace(old, new, 1), "utf-8")


def _image(pictures, size, *objects):
    width, height = size
    return NativeImage(
        encoded=pictures.jpeg(width, height),
        width=width,
        height=height,
        objects=objects,
        owners=np.zeros((height, width), np.uint8),
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

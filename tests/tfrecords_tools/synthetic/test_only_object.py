"""Where an image has one object, any other number is refused."""

import dataclasses

import numpy as np
import pytest

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.only_object import only_object

CAR = NativeObject(name="car", xmin=1, ymin=2, xmax=3, ymax=4)
IMAGE = NativeImage(
    encoded=b"",
    width=8,
    height=8,
    objects=(CAR,),
    owners=np.zeros((8, 8), np.uint8),
)


def test_the_object_of_an_image():
    assert only_object(IMAGE) is CAR


@pytest.mark.parametrize("objects", [(), (CAR, CAR)])
def test_none_and_several_are_refused(objects):
    image = dataclasses.replace(IMAGE, objects=objects)
    with pytest.raises(ValueError, match=f"Received: {len(objects)}"):
        only_object(image)

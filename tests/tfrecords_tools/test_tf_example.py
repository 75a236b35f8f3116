"""tf.Example bytes against bytes written by hand and TensorFlow's parser."""

import dataclasses

import numpy as np
import pytest

from tfrecords_tools import tf_example
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject

CAT = AnnotatedObject(
    name="cat",
    label=2,
    xmin=1,
    ymin=1,
    xmax=2,
    ymax=2,
    area=0.5,
    difficult=True,
    group_of=True,
)
IMAGE = AnnotatedImage(
    encoded=b"\xff\xd8\xff",
    encoding="jpeg",
    width=4,
    height=2,
    filename="d/é.jpg",
    source_id="7",
    objects=(CAT,),
)
# printf '\xff\xd8\xff' | sha256sum
SHA256 = b"6e568e1f67fba258184c78181539e5e8fdee447e49bb706fc0ea34fbf12336a5"


def wire(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field shorter than 2**14 bytes."""
    size = len(payload)
    length = [size] if size < 128 else [size & 127 | 128, size >> 7]
    return bytes([number << 3 | 2, *length]) + payload


def example(features: dict[str, bytes]) -> bytes:
    """Example { features { feature { key value { <list> } } } }."""
    entries = [
        wire(1, wire(1, key.encode()) + wire(2, value))
        for key, value in sorted(features.items())
    ]
    return wire(1, b"".join(entries))


# A Feature: field 1 bytes, 2 packed floats, 3 packed varints.
BY_HAND = {
    "image/encoded": b"\x0a\x05\x0a\x03\xff\xd8\xff",
    "image/format": b"\x0a\x06\x0a\x04jpeg",
    "image/height": b"\x1a\x03\x0a\x01\x02",
    "image/width": b"\x1a\x03\x0a\x01\x04",
    "image/filename": b"\x0a\x0a\x0a\x08d/\xc3\xa9.jpg",
    "image/source_id": b"\x0a\x03\x0a\x017",
    "image/key/sha256": b"\x0a\x42\x0a\x40" + SHA256,
    "image/object/bbox/xmin": b"\x12\x06\x0a\x04\x00\x00\x80\x3e",  # 0.25
    "image/object/bbox/xmax": b"\x12\x06\x0a\x04\x00\x00\x00\x3f",  # 0.5
    "image/object/bbox/ymin": b"\x12\x06\x0a\x04\x00\x00\x00\x3f",  # 0.5
    "image/object/bbox/ymax": b"\x12\x06\x0a\x04\x00\x00\x80\x3f",  # 1.0
    "image/object/class/text": b"\x0a\x05\x0a\x03cat",
    "image/object/class/label": b"\x1a\x03\x0a\x01\x02",
    "image/object/area": b"\x12\x06\x0a\x04\x00\x00\x00\x3f",  # 0.5
    "image/object/difficult": b"\x1a\x03\x0a\x01\x01",
    "image/object/truncated": b"\x1a\x03\x0a\x01\x00",
    "image/object/is_crowd": b"\x1a\x03\x0a\x01\x00",
    "image/object/group_of": b"\x1a\x03\x0a\x01\x01",
}


def test_bytes_written_by_hand():
    assert tf_example.serialize(IMAGE) == example(BY_HAND)


def test_area_defaults_to_that_of_the_box():
    box = AnnotatedObject(name="a", label=1, xmin=0, ymin=0, xmax=3, ymax=2)
    image = AnnotatedImage(
        encoded=b"\xff\xd8\xff",
        encoding="jpeg",
        width=4,
        height=2,
        filename="f",
        source_id="s",
        objects=(box,),
    )
    features = tf_example.features(image)
    assert features["image/object/area"] == ("float_list", [6])


@pytest.mark.parametrize("objects", [(), (CAT,), (CAT, CAT)])
def test_tensorflow_parses_every_list_with_its_type(objects):
    import tensorflow as tf

    image = dataclasses.replace(IMAGE, objects=objects)
    parsed = tf.train.Example.FromString(tf_example.serialize(image))
    kinds = {
        key: (feature.WhichOneof("kind"), list(getattr(*_list(feature))))
        for key, feature in parsed.features.feature.items()
    }
    n = len(objects)
    assert set(kinds) == set(BY_HAND)
    assert kinds["image/object/class/text"] == ("bytes_list", [b"cat"] * n)
    assert kinds["image/object/class/label"] == ("int64_list", [2] * n)
    assert kinds["image/object/bbox/xmin"] == ("float_list", [0.25] * n)
    for key, (_, values) in kinds.items():
        assert len(values) == (n if "/object/" in key else 1), key


def test_edges_are_rounded_to_float32_once():
    third = AnnotatedObject(name="a", label=1, xmin=1, ymin=0, xmax=2, ymax=1)
    image = AnnotatedImage(
        encoded=b"\xff\xd8\xff",
        encoding="jpeg",
        width=3,
        height=1,
        filename="f",
        source_id="s",
        objects=(third,),
    )
    assert np.float32(1 / 3).tobytes() in tf_example.serialize(image)


def _list(feature):
    return getattr(feature, feature.WhichOneof("kind")), "value"

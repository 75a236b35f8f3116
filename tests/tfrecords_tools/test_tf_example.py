"""tf.Example bytes against bytes written by hand and TensorFlow's parser."""

import dataclasses
import hashlib

import numpy as np
import pytest

from tfrecords_tools import tf_example
from tfrecords_tools.example import Example, ExampleObject

CAT = ExampleObject(
    name="cat",
    label=2,
    xmin=0.25,
    ymin=0.5,
    xmax=0.5,
    ymax=1,
    area=0.5,
    difficult=True,
    occluded=3,
    group_of=True,
)
EXAMPLE = Example(
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


def example_of(features: dict[str, bytes]) -> bytes:
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
    "image/object/occluded": b"\x1a\x03\x0a\x01\x03",
    "image/object/is_crowd": b"\x1a\x03\x0a\x01\x00",
    "image/object/group_of": b"\x1a\x03\x0a\x01\x01",
}


def test_bytes_written_by_hand():
    assert tf_example.serialize(EXAMPLE) == example_of(BY_HAND)


def test_columns_of_a_dataset_have_their_type_in_every_record():
    """Whole numbers in a float column, a bool in one of integers."""
    columns = tf_example.Columns(
        object={"view": str, "depth": float, "is_inside": int},
        image={"level": str, "gain": float},
    )
    extra = {"view": "é", "depth": 2, "is_inside": True}
    example = dataclasses.replace(
        EXAMPLE,
        objects=[dataclasses.replace(CAT, extra=extra)] * 2,
        extra={"level": "easy", "gain": 1},
    )
    by_hand = {
        "image/object/view": b"\x0a\x08\x0a\x02\xc3\xa9\x0a\x02\xc3\xa9",
        "image/object/depth": b"\x12\x0a\x0a\x08" + b"\x00\x00\x00\x40" * 2,
        "image/object/is_inside": b"\x1a\x04\x0a\x02\x01\x01",
        "image/level": b"\x0a\x06\x0a\x04easy",
        "image/gain": b"\x12\x06\x0a\x04\x00\x00\x80\x3f",
    }
    written = tf_example.serialize(example, columns)
    for key, feature in by_hand.items():
        assert wire(1, wire(1, key.encode()) + wire(2, feature)) in written
    features = tf_example.features(example, columns)
    assert set(features) == set(BY_HAND) | set(by_hand)


def test_columns_of_no_object_still_show_their_type():
    columns = tf_example.Columns(object={"view": str, "depth": float})
    example = dataclasses.replace(EXAMPLE, objects=[])
    features = tf_example.features(example, columns)
    assert features["image/object/view"] == ("bytes_list", [])
    assert features["image/object/depth"] == ("float_list", [])


def test_extra_values_without_a_column_are_not_written():
    extra = {"view": "Left"}
    box = dataclasses.replace(CAT, extra=extra)
    example = dataclasses.replace(EXAMPLE, objects=[box], extra=extra)
    assert tf_example.serialize(example) == example_of(BY_HAND)


def test_digest_is_that_of_the_stored_bytes():
    example = dataclasses.replace(EXAMPLE, encoded=b"\xff\xd8\xff\xe0 more")
    digest = hashlib.sha256(example.encoded).hexdigest().encode()
    features = tf_example.features(example)
    assert features["image/key/sha256"] == ("bytes_list", [digest])


@pytest.mark.parametrize("objects", [(), (CAT,), (CAT, CAT)])
def test_tensorflow_parses_every_list_with_its_type(objects):
    import tensorflow as tf

    example = dataclasses.replace(EXAMPLE, objects=objects)
    parsed = tf.train.Example.FromString(tf_example.serialize(example))
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
    third = dataclasses.replace(CAT, xmin=1 / 3)
    example = dataclasses.replace(EXAMPLE, objects=[third])
    assert np.float32(1 / 3).tobytes() in tf_example.serialize(example)


def _list(feature):
    return getattr(feature, feature.WhichOneof("kind")), "value"

"""Framing and shards against known answers and TensorFlow's own reader."""

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfrecords_tools.example import Example, ExampleObject
from tfrecords_tools.label_map import LabelMapItem, write_label_map
from tfrecords_tools.writer import (
    frame,
    input_pattern,
    masked_crc32c,
    shard_paths,
    write_shards,
)

LABEL_MAP = [LabelMapItem(1, "cat", "Cat"), LabelMapItem(2, "dog", "Dog")]
WIDTH, HEIGHT = 12, 10


def pixels(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def make_example(index: int, *objects: ExampleObject) -> Example:
    file = io.BytesIO()
    Image.fromarray(pixels(index)).save(file, "PNG")
    return Example(
        encoded=file.getvalue(),
        encoding="png",
        width=WIDTH,
        height=HEIGHT,
        filename=f"zoo/{index}.png",
        source_id=f"id{index}",
        objects=objects,
    )


CAT = ExampleObject(
    name="cat", label=1, xmin=0.25, ymin=0.1, xmax=0.75, ymax=0.6, area=30
)
DOG = ExampleObject(
    name="dog",
    label=2,
    xmin=0,
    ymin=0,
    xmax=1,
    ymax=1,
    area=7.5,
    difficult=True,
    truncated=True,
    is_crowd=True,
    group_of=True,
)


def crc32c_bit_by_bit(data: bytes) -> int:
    """Castagnoli polynomial, reflected (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, appendix B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"", 0),
    ],
)
def test_crc_known_answers(data, crc):
    rotated = crc // 2**15 + crc % 2**15 * 2**17
    assert masked_crc32c(data) == (rotated + 0xA282EAD8) % 2**32
    assert crc32c_bit_by_bit(data) == crc


def test_frame_of_one_byte_by_hand():
    length, payload = b"\x01" + bytes(7), b"a"
    expected = b"".join(
        [
            length,
            masked_by_hand(length).to_bytes(4, "little"),
            payload,
            masked_by_hand(payload).to_bytes(4, "little"),
        ]
    )
    assert frame(payload) == expected
    assert len(expected) == 8 + 4 + 1 + 4


def masked_by_hand(data: bytes) -> int:
    crc = crc32c_bit_by_bit(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_frames_equal_those_of_tensorflow(tmp_path_factory, payloads):
    import tensorflow as tf

    path = str(tmp_path_factory.mktemp("frames") / "tf.record")
    with tf.io.TFRecordWriter(path) as writer:
        for payload in payloads:
            writer.write(payload)
    with open(path, "rb") as file:
        assert file.read() == b"".join(map(frame, payloads))


def test_shard_names(tmp_path):
    paths = shard_paths(tmp_path, key="pet", split="train", num_shards=2)
    assert [path.name for path in paths] == [
        "pet_train.record-00000-of-00002",
        "pet_train.record-00001-of-00002",
    ]
    assert input_pattern("pet", "train", 2) == "pet_train.record-?????-of-00002"


@pytest.mark.parametrize("num_shards", [0, -1, 100000])
def test_number_of_shards_is_checked(tmp_path, num_shards):
    with pytest.raises(ValueError, match=rf"\[1, 99999\].*: {num_shards}"):
        shard_paths(tmp_path, key="k", split="s", num_shards=num_shards)


@pytest.fixture
def shards(tmp_path):
    return shard_paths(tmp_path, key="zoo", split="eval", num_shards=2)


def test_examples_go_round_the_shards_and_all_shards_exist(shards):
    import tensorflow as tf

    examples = [make_example(i) for i in range(3)]
    assert write_shards(examples, shards, LABEL_MAP) == 3
    ids = [
        [
            tf.train.Example.FromString(record)
            .features.feature["image/source_id"]
            .bytes_list.value[0]
            for record in tf.data.TFRecordDataset(str(p)).as_numpy_iterator()
        ]
        for p in shards
    ]
    assert ids == [[b"id0", b"id2"], [b"id1"]]
    assert write_shards([], shards, LABEL_MAP) == 0
    assert [path.stat().st_size for path in shards] == [0, 0]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (make_example(0), "unique within a split. Received twice: 'id0'"),
        (
            make_example(1, dataclasses.replace(CAT, name="cow")),
            r"'cow' with label 1; label map: no such name \(zoo/1.png\)",
        ),
        (
            make_example(1, dataclasses.replace(CAT, label=2)),
            "'cat' with label 2; label map: 1",
        ),
    ],
)
def test_a_bad_example_leaves_the_old_shards(shards, bad, message):
    for path in shards:
        path.write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        write_shards([make_example(0, CAT), bad], shards, LABEL_MAP)
    assert sorted(shards[0].parent.iterdir()) == shards
    assert {path.read_bytes() for path in shards} == {b"old"}


@pytest.fixture
def tf_slim_on_today_s_tensorflow(monkeypatch):
    """tf_slim 1.1.0 looks for two functions where TF 2.20 has them no more."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_ops

    for name in ("case", "cond"):
        function = getattr(tf.compat.v1, name)
        monkeypatch.setattr(control_flow_ops, name, function, raising=False)


@pytest.mark.usefixtures("tf_slim_on_today_s_tensorflow")
def test_the_od_api_decoder_reads_back_what_was_written(shards):
    import tensorflow as tf
    from object_detection.data_decoders import tf_example_decoder

    map_path = shards[0].with_name("zoo_label_map.pbtxt")
    write_label_map(map_path, LABEL_MAP)
    write_shards(
        [make_example(0, CAT, DOG), make_example(1)], shards, LABEL_MAP
    )
    decoder = tf_example_decoder.TfExampleDecoder(
        label_map_proto_file=str(map_path)
    )
    first, second = (
        {key: value.numpy() for key, value in decoder.decode(record).items()}
        for record in tf.data.TFRecordDataset(list(map(str, shards)))
    )
    np.testing.assert_array_equal(first["image"], pixels(0))
    np.testing.assert_array_equal(
        first["groundtruth_boxes"],
        np.array([[0.1, 0.25, 0.6, 0.75], [0, 0, 1, 1]], np.float32),
    )
    by_key = {
        "groundtruth_classes": [1, 2],
        "groundtruth_area": [30.0, 7.5],
        "groundtruth_difficult": [False, True],
        "groundtruth_is_crowd": [False, True],
        "groundtruth_group_of": [False, True],
        "original_image_spatial_shape": [HEIGHT, WIDTH],
    }
    for key, expected in by_key.items():
        np.testing.assert_array_equal(first[key], expected, err_msg=key)
    assert (first["source_id"], first["filename"]) == (b"id0", b"zoo/0.png")
    np.testing.assert_array_equal(second["image"], pixels(1))
    assert second["groundtruth_boxes"].shape == (0, 4)
    assert second["groundtruth_classes"].shape == (0,)

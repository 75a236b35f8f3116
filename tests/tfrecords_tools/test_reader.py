"""Records written by hand and by TensorFlow are read; broken ones refused."""

import importlib.util
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords_tools.reader import (
    Column,
    RecordError,
    parse_example,
    read_examples,
    read_frames,
    record_size,
)

PAYLOADS = [b"", b"a", bytes(range(256))]


@pytest.fixture(scope="module")
def handmade():
    path = Path(__file__).with_name("look") / "handmade.py"
    spec = importlib.util.spec_from_file_location("handmade", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def good(handmade):
    """Bytes of a file with three records."""
    return b"".join(map(handmade.frame, PAYLOADS))


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, appendix B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_the_oracle_knows_the_published_checksums(handmade, data, crc):
    assert handmade.crc32c(data) == crc


def test_a_file_spelled_out_in_bytes_is_read(tmp_path):
    # CRC-32C of "a" is 0xc1d04330; rotated and shifted it is
    # 0x28e46e78.
    path = tmp_path / "a.record"
    path.write_bytes(bytes.fromhex("0100000000000000 0175de41 61 786ee428"))
    assert list(read_frames(path)) == [b"a"]


def test_payloads_come_in_their_order(tmp_path, good):
    path = tmp_path / "a.record"
    path.write_bytes(good)
    assert list(read_frames(path)) == PAYLOADS
    assert sum(map(record_size, PAYLOADS)) == len(good)


def test_an_empty_file_has_no_record(tmp_path):
    path = tmp_path / "empty.record"
    path.touch()
    assert list(read_frames(path)) == list(read_examples(path)) == []


def broken(good, position, value):
    return good[:position] + bytes([value]) + good[position + 1 :]


# The second record starts at byte 16: header 16..27, payload 28, CRC 29..32.
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: broken(d, 16, 2), "length must match its checksum"),
        (lambda d: broken(d, 27, d[27] ^ 1), "length must match its checks"),
        (lambda d: broken(d, 28, 98), "bytes must match their checksum"),
        (lambda d: broken(d, 32, d[32] ^ 1), "bytes must match their check"),
        (lambda d: d[:27], "12 bytes of length and checksum. Received: 11 "),
        (lambda d: d[:28], "Received: length 1 where 0 bytes remain"),
        (lambda d: d[:32], "Received: length 1 where 0 bytes remain"),
    ],
)
def test_a_fault_is_placed_by_record_and_byte(tmp_path, good, change, message):
    path = tmp_path / "a.record"
    path.write_bytes(change(good))
    frames = read_frames(path)
    assert next(frames) == b""
    with pytest.raises(RecordError, match=message) as caught:
        next(frames)
    error = caught.value
    assert (error.path, error.number, error.offset) == (path, 2, 16)
    assert str(error).endswith(f"({path}, record 2, byte 16)")
    assert "\n" not in str(error)


@pytest.mark.parametrize("length", [2**31, 2**40, 2**63, 2**64 - 1])
def test_an_absurd_length_takes_no_memory(tmp_path, handmade, length):
    path = tmp_path / "a.record"
    header = struct.pack("<Q", length)
    path.write_bytes(header + struct.pack("<I", handmade.masked(header)))
    with pytest.raises(RecordError, match=f"Received: length {length} where"):
        list(read_frames(path))


def test_a_length_that_no_message_has_is_refused_in_a_sparse_file(
    tmp_path, handmade
):
    path = tmp_path / "a.record"
    header = struct.pack("<Q", 2**31)
    with path.open("wb") as file:
        file.write(header + struct.pack("<I", handmade.masked(header)))
        file.truncate(2**31 + 100)
    with pytest.raises(RecordError, match="smaller than 2 GiB"):
        list(read_frames(path))


def test_compression_is_named(tmp_path):
    path = tmp_path / "a.record"
    path.write_bytes(b"\x1f\x8b\x08" + bytes(40))
    with pytest.raises(RecordError, match="not be compressed. Received: gzip"):
        list(read_frames(path))


@given(data=st.data())
def test_mutated_bytes_give_whole_records_or_a_record_error(
    tmp_path_factory, good, data
):
    mutated = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(mutated) - 1))
        mutated[position] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(mutated)))
    path = tmp_path_factory.mktemp("mutated") / "a.record"
    path.write_bytes(mutated[:end])
    found = []
    try:
        found.extend(read_frames(path))
    except RecordError as error:
        assert error.number == len(found) + 1
    # A changed length or payload does not pass its checksum.
    assert found == PAYLOADS[: len(found)]


@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_give_nothing_or_a_record_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("arbitrary") / "a.record"
    path.write_bytes(data)
    try:
        assert list(read_examples(path)) == []
    except RecordError as error:
        assert error.offset == 0


@pytest.mark.parametrize("packed", [True, False])
def test_lists_are_read_packed_or_not(tmp_path, handmade, packed):
    columns = {
        "texts": ("bytes", [b"", b"\xff"]),
        "numbers": ("float", [0.5, -2.0, float("inf")]),
        "integers": ("int64", [0, -1, 2**63 - 1, 300]),
        "nothing": ("int64", []),
        "unset": ("", []),
    }
    payload = handmade.example(columns, packed=packed)
    path = handmade.write(tmp_path / "a.record", payload, payload)
    plain = {key: values for key, (_, values) in columns.items()}
    assert list(read_examples(path)) == [plain, plain]
    assert parse_example(payload) == {
        key: Column(*column) for key, column in columns.items()
    }


def test_float_values_are_those_of_float32(handmade):
    payload = handmade.example({"x": ("float", [0.1])})
    assert parse_example(payload)["x"].values == [13421773 / 2**27]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"\xff\xd8\xff\xe0 a JPEG file", "bytes that do not parse as one"),
        (b"\x0a\x7fshort", "Received: 7 bytes that do not parse as one"),
        # SequenceExample { feature_lists {} }
        (b"\x12\x00", r"unknown fields \[2\]"),
        # Example { features { <field 5>: 1 } }
        (b"\x0a\x02\x28\x01", r"unknown fields \[5\]"),
        # A key that is no UTF-8.
        (b"\x0a\x05\x0a\x03\x0a\x01\xff", "do not parse"),
    ],
)
def test_what_is_no_example_is_placed(tmp_path, handmade, payload, message):
    path = handmade.write(tmp_path / "a.record", b"", payload)
    examples = read_examples(path)
    assert next(examples) == {}
    with pytest.raises(RecordError, match=message) as caught:
        next(examples)
    assert (caught.value.number, caught.value.offset) == (2, 16)


@given(data=st.data())
def test_mutated_examples_parse_or_give_a_value_error(handmade, data):
    payload = bytearray(handmade.example({"a/b": ("bytes", [b"xyz"])}))
    position = data.draw(st.integers(0, len(payload) - 1))
    payload[position] = data.draw(st.integers(0, 255))
    try:
        columns = parse_example(bytes(payload))
    except ValueError as error:
        assert "must hold a tf.Example" in str(error)
    else:
        assert all(isinstance(c, Column) for c in columns.values())


def test_progress_adds_up_to_the_file(tmp_path, handmade):
    path = handmade.write(tmp_path / "a.record", b"", handmade.record())
    steps = []
    list(read_examples(path, steps.append))
    assert sum(steps) == path.stat().st_size
    assert len(steps) == 2


@pytest.mark.slow
def test_records_of_tensorflow_are_read(tmp_path):
    import tensorflow as tf

    features = tf.train.Features(
        feature={
            "b": tf.train.Feature(
                bytes_list=tf.train.BytesList(value=[b"\x00", b"text"])
            ),
            "f": tf.train.Feature(
                float_list=tf.train.FloatList(value=[0.25, -1e30])
            ),
            "i": tf.train.Feature(
                int64_list=tf.train.Int64List(value=[-(2**63), 7])
            ),
            "empty": tf.train.Feature(float_list=tf.train.FloatList()),
        }
    )
    payload = tf.train.Example(features=features).SerializeToString()
    path = tmp_path / "tf.record"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(3):
            writer.write(payload)
    expected = {
        "b": [b"\x00", b"text"],
        "f": [0.25, struct.unpack("<f", struct.pack("<f", -1e30))[0]],
        "i": [-(2**63), 7],
        "empty": [],
    }
    assert list(read_examples(path)) == [expected] * 3

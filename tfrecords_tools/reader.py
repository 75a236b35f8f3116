"""Reading TFRecords of any origin: framing, then tf.Example, no TensorFlow."""

import itertools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from tfrecords_tools import tf_example
from tfrecords_tools.writer import masked_crc32c

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_MAX_LENGTH = 2**31 - 1  # What protobuf takes for one message.
_GZIP = b"\x1f\x8b"


class RecordError(ValueError):
    """A record that cannot be read.

    Args:
        path: the file.
        number: of the record in the file, from 1.
        offset: of the record's first byte in the file.
        problem: rule and received value, ending without a full stop.
    """

    def __init__(self, path: Path, number: int, offset: int, problem: str):
        super().__init__(f"{problem} ({path}, record {number}, byte {offset})")
        self.path = path
        self.number = number
        self.offset = offset
        self.problem = problem


class Column(NamedTuple):
    """A feature's values and the kind of list that holds them.

    `kind` is "bytes", "float" or "int64", or "" for a feature without list.
    """

    kind: str
    values: list[Any]


def read_frames(path: Path) -> Iterator[bytes]:
    """Payloads of the records in their order; an empty file has none.

    Both checksums are verified before a payload is handed out, and its length
    is compared with the rest of the file before memory is taken for it.

    Raises: RecordError where the file breaks the format; OSError.
    """
    size = path.stat().st_size
    offset = 0
    with path.open("rb") as file:
        for number in itertools.count(1):
            header = file.read(_HEADER.size)
            if not header:
                return
            try:
                length = _checked_length(header, size - offset)
                payload = _checked_payload(file, length)
            except ValueError as error:
                raise RecordError(path, number, offset, str(error)) from error
            yield payload
            offset += record_size(payload)


def read_examples(
    path: Path, progress: Callable[[int], object] | None = None
) -> Iterator[dict[str, list[Any]]]:
    """Each record as a plain dict: key to list of bytes, floats or ints.

    Args:
        progress: called with the number of bytes of each record read.
    Raises: RecordError as `read_frames`, or if a record holds something else
        than a tf.Example; OSError.
    """
    offset = 0
    for number, payload in enumerate(read_frames(path), 1):
        try:
            columns = parse_example(payload)
        except ValueError as error:
            raise RecordError(path, number, offset, str(error)) from error
        offset += record_size(payload)
        if progress is not None:
            progress(record_size(payload))
        yield {key: column.values for key, column in columns.items()}


def record_size(payload: bytes) -> int:
    """Bytes that a payload takes in a file, framing included."""
    return _HEADER.size + len(payload) + _FOOTER.size


def parse_example(payload: bytes) -> dict[str, Column]:
    """Columns of a tf.Example's wire bytes, by key; lists packed or not.

    Raises: ValueError if the bytes are something else, also if they hold
        fields that a tf.Example does not have.
    """
    try:
        example = tf_example.example_class().FromString(payload)
    except DecodeError as error:
        raise ValueError(
            f"A record must hold a tf.Example. Received: {len(payload)} bytes "
            f"that do not parse as one"
        ) from error
    _refuse_unknown_fields(example)
    _refuse_unknown_fields(example.features)
    features = example.features.feature
    return {key: _column(features[key]) for key in sorted(features)}


def _refuse_unknown_fields(message: Any) -> None:
    numbers = sorted({field.field_number for field in UnknownFieldSet(message)})
    if numbers:
        raise ValueError(
            f"A record must hold a tf.Example. Received: a message with "
            f"unknown fields {numbers}"
        )


def _column(feature: Any) -> Column:
    field = feature.WhichOneof("kind")
    if field is None:
        return Column("", [])
    values = list(getattr(feature, field).value)
    return Column(field.removesuffix("_list"), values)


def _checked_length(header: bytes, rest: int) -> int:
    """The payload's length; `rest` is what the file holds from the header.

    Raises: ValueError.
    """
    if len(header) < _HEADER.size:
        raise ValueError(
            f"A record must start with {_HEADER.size} bytes of length and "
            f"checksum. Received: {len(header)} at the end of the file"
        )
    length, checksum = _HEADER.unpack(header)
    if masked_crc32c(header[:8]) != checksum:
        raise ValueError(_describe_bad_header(header, checksum))
    available = rest - _HEADER.size - _FOOTER.size
    if length > min(available, _MAX_LENGTH):
        raise ValueError(
            f"A record must end inside its file and be smaller than 2 GiB. "
            f"Received: length {length} where {max(available, 0)} bytes remain"
        )
    return length


def _describe_bad_header(header: bytes, checksum: int) -> str:
    if header.startswith(_GZIP):
        return "A TFRecord file must not be compressed. Received: gzip"
    return (
        f"A record's length must match its checksum "
        f"{masked_crc32c(header[:8]):#010x}. Received: {checksum:#010x}"
    )


def _checked_payload(file: BinaryIO, length: int) -> bytes:
    """Raises: ValueError."""
    payload, footer = file.read(length), file.read(_FOOTER.size)
    if len(payload) < length or len(footer) < _FOOTER.size:
        raise ValueError(
            f"A record must end inside its file. Received: length {length} "
            f"where {len(payload) + len(footer)} bytes could be read"
        )
    (checksum,) = _FOOTER.unpack(footer)
    if masked_crc32c(payload) != checksum:
        raise ValueError(
            f"A record's bytes must match their checksum "
            f"{masked_crc32c(payload):#010x}. Received: {checksum:#010x}"
        )
    return payload

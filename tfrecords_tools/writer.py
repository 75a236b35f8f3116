"""TFRecord shards: framing, names, and a write that is all or nothing."""

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import google_crc32c

from tfrecords_tools import tf_example
from tfrecords_tools.atomic import replace_together
from tfrecords_tools.errors import DatasetError, UsageError
from tfrecords_tools.example import Example
from tfrecords_tools.label_map import LabelMapItem

_MASK_DELTA = 0xA282EAD8


def masked_crc32c(data: bytes) -> int:
    """((crc >> 15) | (crc << 17)) + 0xa282ead8 modulo 2^32, crc = CRC-32C.

    Source: `tensorflow/core/lib/hash/crc32c.h`; the mask keeps a checksum of
    bytes that contain checksums from being degenerate.
    """
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """One TFRecord: uint64 length, its CRC, the payload, the payload's CRC.

    All numbers are little-endian, both CRCs masked.
    """
    length = struct.pack("<Q", len(payload))
    length_crc = struct.pack("<I", masked_crc32c(length))
    payload_crc = struct.pack("<I", masked_crc32c(payload))
    return b"".join((length, length_crc, payload, payload_crc))


def shard_paths(
    output_dir: Path, *, key: str, split: str, num_shards: int
) -> list[Path]:
    """`<key>_<split>.record-00000-of-00002` and its siblings.

    Raises: ValueError if `num_shards` does not fit the five digits.
    """
    if not 1 <= num_shards <= 99999:
        raise UsageError(
            f"`num_shards` must lie in [1, 99999]. Received: {num_shards}"
        )
    stem = f"{key}_{split}.record"
    return [
        output_dir / f"{stem}-{index:05d}-of-{num_shards:05d}"
        for index in range(num_shards)
    ]


def input_pattern(key: str, split: str, num_shards: int) -> str:
    """File name pattern of all shards, as `input_path` of a config takes it."""
    return f"{key}_{split}.record-?????-of-{num_shards:05d}"


def write_shards(
    examples: Iterable[Example],
    paths: Sequence[Path],
    label_map: Sequence[LabelMapItem],
) -> int:
    """Writes example i to shard i modulo `len(paths)`; returns their number.

    Every shard exists afterwards, even an empty one. The files take their
    names only when all are complete; until then older ones stay.

    Raises: ValueError if an object contradicts the label map (the OD API
        would drop it silently) or a source_id occurs twice.
    """
    ids = {item.name: item.id for item in label_map}
    seen: set[bytes] = set()
    with replace_together(paths) as files:
        for index, example in enumerate(examples):
            check_new(example.source_id, example.filename, seen)
            check_classes(example, ids)
            payload = tf_example.serialize(example)
            files[index % len(files)].write(frame(payload))
    return len(seen)


def check_classes(example: Example, ids: Mapping[str, int]) -> None:
    """Compares every object with the label map, given as id by name.

    Raises: ValueError for a name or label that the OD API would silently
        drop.
    """
    for box in example.objects:
        if ids.get(box.name) != box.label:
            known = ids.get(box.name, "no such name")
            raise ValueError(
                f"An object's name and label must agree with the label map. "
                f"Received: {box.name!r} with label {box.label}; label map: "
                f"{known} ({example.filename})"
            )


def check_new(source_id: str, where: str, seen: set[bytes]) -> None:
    """Adds the id to `seen`, as a digest: there may be millions.

    Raises: DatasetError if it was there.
    """
    text = source_id.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=16).digest()
    if digest in seen:
        raise DatasetError(
            f"`source_id` must be unique within a split. Received twice: "
            f"{source_id!r} ({where})"
        )
    seen.add(digest)

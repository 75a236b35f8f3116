"""Input sizes as bytes, and back."""

from __future__ import annotations

import dataclasses
import struct

import hypothesis
import hypothesis.strategies as st
import pytest
import tiny_base

from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.fields import FieldReader, FieldWriter
from object_detection_patch.tflite.sidecar import InputSize
from object_detection_patch.tflite.size_fields import (
    file_bytes,
    read_sizes,
    write_sizes,
)

_TINY = tiny_base.make("float32")
_VECTORS = _TINY.sidecar.vectors
_ANY_WORD = st.integers(0, 2**32 - 1)


@st.composite
def _sizes(draw):
    words = draw(st.dictionaries(st.integers(0, 2**24), _ANY_WORD, max_size=9))
    contents = {}
    for index in sorted(draw(st.sets(st.integers(0, len(_VECTORS) - 1)))):
        items = draw(st.integers(0, 5))
        contents[index] = bytes(_VECTORS[index].item_bytes * items)
    return InputSize(
        draw(st.integers(1, 2**16)),
        draw(st.integers(1, 2**16)),
        draw(st.binary(min_size=32, max_size=32)).hex(),
        dict(sorted(words.items())),
        contents,
    )


def _written(sizes, own=(320, 256)):
    out = FieldWriter()
    write_sizes(
        out,
        _TINY.with_sidecar(image_size=own, sizes=tuple(sizes)).sidecar,
    )
    return out.joined()


@hypothesis.given(st.lists(_sizes(), min_size=1, max_size=4))
def test_any_sizes_come_back(sizes):
    data = _written(sizes)
    fields = FieldReader(data)
    own, found = read_sizes(fields, _VECTORS)
    fields.finish()
    assert own == (320, 256)
    assert list(map(dataclasses.astuple, found)) == list(
        map(dataclasses.astuple, sizes)
    )
    assert len(data) == 12 + sum(map(file_bytes, sizes))


def test_the_bytes_of_a_size():
    """Against FORMAT.md, by hand."""
    count = len(_VECTORS)
    size = InputSize(2, 3, "ab" * 32, {8: 9}, {0: b"12345678", count - 1: b""})
    assert _written([size], (4, 5)) == (
        struct.pack("<5I", 4, 5, 1, 2, 3)
        + b"\xab" * 32
        + struct.pack("<5I", 1, 8, 9, 2, 0)
        + struct.pack("<I8s", 2, b"12345678")
        + struct.pack("<2I", count - 1, 0)
    )


def test_a_file_with_sizes_is_of_version_2():
    tiny = tiny_base.with_sizes(_TINY)
    one, two = (sidecar_file.to_bytes(each.sidecar) for each in (_TINY, tiny))
    assert one[8:12] == b"\1\0\0\0"
    assert two[8:12] == b"\2\0\0\0"
    grown = 12 + sum(map(file_bytes, tiny.sidecar.sizes))
    assert len(two) - len(one) == grown
    found = sidecar_file.from_bytes(two)
    assert found.image_size == (320, 320)
    assert [size.image_size for size in found.sizes] == [(160, 192), (96, 96)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": 0}, "a side of the image must lie between 1 and 65536"),
        ({"width": 2**32}, "an integer must fit in its field"),
        ({"base_sha256": "xy"}, "64 lower-case hexadecimal digits"),
        ({"words": {4: 1, 0: 1}}, "words of a size must come in ascending"),
        ({"words": {0: -1}}, "an integer must fit in its field"),
        ({"contents": {0: b"123"}}, "a vector, by whole items"),
        ({"contents": {99999: b""}}, "a vector, by whole items"),
        ({"contents": {2: b"", 0: b""}}, "vectors of a size must come in"),
    ],
)
def test_what_no_reader_takes_is_not_written(fields, message):
    tiny = tiny_base.with_sizes(_TINY)
    size = dataclasses.replace(tiny.sidecar.sizes[0], **fields)
    with pytest.raises(SidecarError, match=message):
        sidecar_file.to_bytes(tiny.with_sidecar(sizes=(size,)).sidecar)


def test_a_base_without_its_own_size_is_not_written():
    tiny = tiny_base.with_sizes(_TINY).with_sidecar(image_size=None)
    with pytest.raises(SidecarError, match="must have its own"):
        sidecar_file.to_bytes(tiny.sidecar)


def test_more_sizes_than_a_file_may_have():
    sizes = tiny_base.with_sizes(_TINY).sidecar.sizes
    many = [
        dataclasses.replace(sizes[0], height=n + 1, base_sha256=f"{n:064x}")
        for n in range(65)
    ]
    assert len(read_sizes(FieldReader(_written(many[:64])), _VECTORS)[1]) == 64
    with pytest.raises(SidecarError, match="number of sizes .*Received: 65"):
        read_sizes(FieldReader(_written(many)), _VECTORS)

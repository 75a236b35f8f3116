"""Where vectors lie, against a layout that grows byte by byte."""

from __future__ import annotations

import struct

import hypothesis
import pytest
import slow_apply
import tiny_base
from hypothesis import strategies as st

from object_detection_patch.tflite import layout
from object_detection_patch.tflite.sidecar import Vector


@pytest.mark.parametrize(
    ("at", "start"),
    [(16, 32), (27, 32), (28, 32), (29, 48), (32, 48), (44, 48), (45, 64)],
)
def test_a_vector_begins_at_a_multiple_of_16(at, start):
    place = layout.place_after(at, Vector(4, 3))
    assert (place.start, place.end) == (start, start + 12)
    assert place.count_position == start - 4 >= at


@pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
def test_places_of_a_base(precision):
    tiny = tiny_base.make(precision)
    places = layout.base_places(tiny.sidecar)
    assert [(p.start, p.end) for p in places] == slow_apply.places_in_base(
        tiny.sidecar
    )
    for vector, place in zip(tiny.sidecar.vectors, places, strict=True):
        (count,) = struct.unpack_from("<I", tiny.model, place.count_position)
        assert count == vector.items
    assert tiny.model[max(p.end for p in places) :] == b"labels of the base"


def test_a_leader_of_another_place_does_not_matter():
    vectors = (Vector(1, 3), Vector(1, 3, 0, False), Vector(1, 3, 0, True))
    tiny = tiny_base.make("float32").with_sidecar(vectors=vectors)
    places = layout.base_places(tiny.sidecar)
    assert [p.start for p in places] == [656, 672, 656]


@hypothesis.given(
    st.lists(st.tuples(st.sampled_from([1, 4, 8]), st.integers(0, 40))),
    st.integers(1, 9),
)
def test_the_most_bytes_are_those_without_sharing(sizes, blocks):
    model = bytearray(16 * blocks)
    for item_bytes, items in sizes:
        tiny_base.append_vector(model, item_bytes, bytes(item_bytes * items))
    vectors = [Vector(b, n, 0, True) for b, n in sizes]
    assert layout.most_bytes(16 * blocks, vectors) == len(model)

"""Rules among the fields of a sidecar, each broken by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tiny_base

from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.sidecar import (
    Activation,
    Bias,
    ClassNumber,
    Link,
    Vector,
)
from object_detection_patch.tflite.sidecar_body import written_body
from object_detection_patch.tflite.sidecar_checks import check_sidecar

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


def refused(tiny, message):
    """In memory and in a file alike."""
    with pytest.raises(SidecarError, match=f"^In a sidecar, {message}"):
        check_sidecar(tiny.sidecar)
    data = tiny_base.framed(written_body(tiny.sidecar))
    with pytest.raises(SidecarError, match=f"^In a sidecar, {message}"):
        sidecar_file.from_bytes(data)


@pytest.fixture(params=tiny_base.PRECISIONS)
def tiny(request):
    return tiny_base.make(request.param)


def test_a_published_base_is_right(tiny):
    check_sidecar(tiny.sidecar)


@pytest.mark.parametrize("size", [0, 8, 24, 632])
def test_the_size_of_a_skeleton(tiny, size):
    refused(
        tiny.with_sidecar(skeleton_bytes=size),
        rf"a skeleton's bytes must be a multiple of 16\. Received: {size}\.",
    )


def test_a_capacity_below_the_classes(tiny):
    refused(
        tiny.with_sidecar(capacity=1),
        r"the base's classes must not exceed the capacity\. .* \(2, 1\)\.",
    )


def test_activations_are_those_of_int8(tiny):
    is_int8 = tiny.sidecar.precision == "int8"
    activations = () if is_int8 else (Activation(512, 544),)
    refused(
        tiny.with_sidecar(activations=activations, kernels=()),
        "an int8 base must list its activations, and no other may",
    )


def test_links_in_another_order(tiny):
    first, second, *others = tiny.sidecar.links
    refused(
        tiny.with_sidecar(links=(second, first, *others)),
        "links must come in ascending order of position",
    )


@pytest.mark.parametrize("position", [17, 18, 638, 640, 2**24])
def test_positions_within_the_skeleton(tiny, position):
    message = "a position must be aligned and lie within the skeleton"
    others = (ClassNumber(position, 1, 0),)
    refused(tiny.with_sidecar(class_numbers=others), message)
    links = (*tiny.sidecar.links, Link(position, 0))
    links = tuple(sorted(links, key=lambda link: link.position))
    refused(tiny.with_sidecar(links=links, class_numbers=()), message)


@pytest.mark.parametrize("position", [4, 636, 640])
def test_zero_points_are_8_bytes_at_multiples_of_8(position):
    tiny = tiny_base.make("int8")
    activations = tiny_base.replaced(
        tiny.sidecar.activations, 0, zero_point_position=position
    )
    refused(
        tiny.with_sidecar(activations=activations, class_numbers=()),
        rf"a position must be aligned and lie .* Received: {position}\.",
    )


def _overlap(sidecar, position):
    """A class number there as well."""
    number = ClassNumber(position, 1, 0)
    return (*sidecar.class_numbers, number)


def test_no_part_is_written_twice(tiny):
    places = [16, tiny_base.SKELETON_BYTES - 4]
    if tiny.sidecar.activations:
        places += [512, 544, 548]
    for position in places:
        refused(
            tiny.with_sidecar(class_numbers=_overlap(tiny.sidecar, position)),
            "each part of the skeleton may be written once. "
            rf"Received: {position}\.",
        )


def test_two_links_at_one_position(tiny):
    links = tiny_base.replaced(tiny.sidecar.links, 1, position=16)
    refused(
        tiny.with_sidecar(links=links),
        r"each part of the skeleton may be written once\. Received: 16\.",
    )


@pytest.mark.parametrize("item_bytes", [0, 2, 3, 16, 255])
def test_the_bytes_of_an_item(tiny, item_bytes):
    vectors = tiny_base.replaced(tiny.sidecar.vectors, 0, item_bytes=item_bytes)
    refused(
        tiny.with_sidecar(vectors=vectors),
        rf"an item must have 1, 4 or 8 bytes\. Received: {item_bytes}\.",
    )


def test_sharing_without_a_leader(tiny):
    vectors = tiny_base.replaced(tiny.sidecar.vectors, 0, shared=True)
    refused(
        tiny.with_sidecar(vectors=vectors),
        r"who shares must have a leader\. Received: 0\.",
    )


@pytest.mark.parametrize(
    "more",
    [
        (Vector(4, 3, 0, True), Vector(4, 3, -1)),  # a leader with a leader
        (Vector(1, 3, 0),),  # items of another size
        (Vector(4, 2, 0, True),),  # shares, with other items
    ],
)
def test_leaders(tiny, more):
    count = len(tiny.sidecar.vectors)
    more = tuple(
        dataclasses.replace(v, leader=count) if v.leader == -1 else v
        for v in more
    )
    refused(
        tiny.with_sidecar(vectors=(*tiny.sidecar.vectors, *more)),
        "a leader must be an earlier vector of the same items, and have no "
        "leader itself",
    )


def test_a_leader_with_other_items_at_another_place(tiny):
    """It may become equal in a result."""
    vectors = (*tiny.sidecar.vectors, Vector(4, 2, 0))
    tiny = tiny.with_sidecar(
        vectors=vectors, base_bytes=tiny.sidecar.base_bytes + 64
    )
    check_sidecar(tiny.sidecar)


def test_metadata_are_bytes(tiny):
    refused(
        tiny.with_sidecar(metadata_vector=0),
        r"the metadata must be a vector of bytes\. Received: 0\.",
    )


def test_the_size_of_a_base(tiny):
    refused(
        tiny.with_sidecar(base_bytes=2**28 + 2**23 + 1),
        r"a base may have 276824064 bytes\. Received: 276824065\.",
    )


def test_vectors_end_within_the_base(tiny):
    end = tiny.sidecar.base_bytes - len(b"labels of the base")
    check_sidecar(tiny.with_sidecar(base_bytes=end).sidecar)
    refused(
        tiny.with_sidecar(base_bytes=end - 1),
        rf"the vectors must end within base.tflite\. .*\({end}, {end - 1}\)",
    )


def test_sharing_saves_at_most_7_of_8_bytes(tiny):
    """Vectors at the first one's place, up to the limit and one beyond."""
    first, at = tiny.sidecar.vectors[0], tiny.sidecar.skeleton_bytes
    size = first.item_bytes * first.items
    shared = dataclasses.replace(first, leader=0, shared=True)
    for vector in tiny.sidecar.vectors:
        at = -(-(at + 4) // 16) * 16 + vector.item_bytes * vector.items
    more = 0
    while at <= 8 * len(tiny.model):
        at = -(-(at + 4) // 16) * 16 + size
        more += 1
    vectors = (*tiny.sidecar.vectors, *(more - 1) * [shared])
    check_sidecar(tiny.with_sidecar(vectors=vectors).sidecar)
    refused(
        tiny.with_sidecar(vectors=(*vectors, shared)),
        "skeleton and vectors, if none shared a place, must have at most 8 "
        rf"times the bytes of base.tflite\. .*\({at}, {len(tiny.model)}\)",
    )


def test_sums_of_sizes_do_not_overflow(tiny):
    """65,536 vectors of 2^31 bytes: 2^47 together."""
    vectors = (*tiny.sidecar.vectors, *[Vector(8, 2**28)] * 65000)
    with pytest.raises(SidecarError, match="vectors must end within"):
        check_sidecar(tiny.with_sidecar(vectors=vectors).sidecar)


@pytest.mark.parametrize(
    "name", ["tower/kernel", "tower/BatchNorm/0", "box_head/bias"]
)
def test_each_name_stands_once(tiny, name):
    """Among all lists together."""
    one = np.ones(2, np.float32)
    refused(
        tiny.with_sidecar(biases=(*tiny.sidecar.biases, Bias(name, one))),
        f"each name stands once. Received: '{name}'",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gamma", 0.0),
        ("gamma", -0.0),
        ("inverse_deviation", 0.0),
        ("inverse_deviation", -1.0),
    ],
)
def test_numbers_of_a_norm(tiny, field, value):
    values = np.array([1, value, 1, 1], np.float32)
    norms = tiny_base.replaced(tiny.sidecar.norms, 1, **{field: values})
    refused(
        tiny.with_sidecar(norms=norms),
        "gamma must not be 0, and the inverse deviation above 0. "
        "Received: 'tower/BatchNorm/1'",
    )


def test_subnormal_numbers_of_a_norm(tiny):
    values = np.full(4, 2.0**-149, np.float32)
    norms = tiny_base.replaced(
        tiny.sidecar.norms, 1, gamma=-values, inverse_deviation=values
    )
    check_sidecar(tiny.with_sidecar(norms=norms).sidecar)

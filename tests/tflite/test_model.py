"""The file around the numbers: links, places, class numbers, labels."""

from __future__ import annotations

import dataclasses
import struct

import pytest
import slow_apply
import tiny_base

from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite import labels, model
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.sidecar import Vector

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


def patched(tiny, patch):
    fitted = fit(tiny.sidecar, patch)
    base = memoryview(tiny.model)
    return bytes(model.patched_model(base, tiny.sidecar, patch, fitted))


def items_at(found, link, item_bytes):
    """What a link leads to, read as a flatbuffer reader does."""
    (distance,) = struct.unpack_from("<I", found, link)
    at = link + distance
    (count,) = struct.unpack_from("<I", found, at)
    return at + 4, found[at + 4 : at + 4 + count * item_bytes]


@PRECISION
def test_links_lead_to_their_vectors(precision):
    tiny = tiny_base.make(precision)
    found = patched(tiny, tiny_base.patch_for(tiny, "none", norms=False))
    places = slow_apply.places_in_base(tiny.sidecar)
    used = {tiny.sidecar.metadata_vector}
    for kernel in tiny.sidecar.kernels:
        for copy in kernel.copies:
            used |= {copy.weights, copy.scales, copy.zero_points}
            for operation in copy.operations:
                used |= {operation.bias, operation.bias_scales}
                used.add(operation.bias_zero_points)
    for link in tiny.sidecar.links:
        vector = tiny.sidecar.vectors[link.vector]
        start, data = items_at(found, link.position, vector.item_bytes)
        assert start % 16 == 0
        if link.vector not in used:
            first, end = places[link.vector]
            assert data == tiny.model[first:end]


def test_two_links_may_lead_to_one_vector():
    tiny = tiny_base.make("float32")
    links = tiny_base.replaced(tiny.sidecar.links, 0, vector=3)
    links = tiny_base.replaced(links, 1, vector=3)
    tiny = tiny.with_sidecar(links=links)
    found = patched(tiny, tiny_base.patch_for(tiny))
    assert items_at(found, 16, 1) == items_at(found, 20, 1)


def test_the_rest_of_the_skeleton_stays():
    tiny = tiny_base.make("int8")
    found = patched(tiny, tiny_base.patch_for(tiny))
    written = {link.position for link in tiny.sidecar.links}
    written |= {number.position for number in tiny.sidecar.class_numbers}
    for activation in tiny.sidecar.activations:
        written.add(activation.scale_position)
        written.add(activation.zero_point_position)
        written.add(activation.zero_point_position + 4)
    for at in range(0, tiny_base.SKELETON_BYTES, 4):
        if at not in written:
            assert found[at : at + 4] == tiny.model[at : at + 4]


@PRECISION
@pytest.mark.parametrize("classes", [1, 2, 9])
def test_class_numbers(precision, classes):
    tiny = tiny_base.make(precision)
    found = patched(tiny, tiny_base.patch_for(tiny, classes=classes))
    assert struct.unpack_from("<2i", found, tiny_base.SKELETON_BYTES - 8) == (
        classes,
        3 * (classes + 1),
    )


def test_activations_of_the_release():
    tiny = tiny_base.make("int8")
    patch = tiny_base.patch_for(tiny)
    found = patched(tiny, patch)
    for place, (scale, zero_point) in zip(
        tiny.sidecar.activations, patch.releases[0].activations, strict=True
    ):
        assert struct.unpack_from("<f", found, place.scale_position) == (scale,)
        assert struct.unpack_from("<q", found, place.zero_point_position) == (
            zero_point,
        )


def _sharing(first, second, leader, is_shared):
    """A base with two more vectors of bytes, and the links to them."""
    tiny = tiny_base.make("float32")
    count = len(tiny.sidecar.vectors)
    grown = bytearray(tiny.model.removesuffix(b"labels of the base"))
    tiny_base.append_vector(grown, 1, first)
    if not is_shared:
        tiny_base.append_vector(grown, 1, second)
    position = tiny.sidecar.links[-1].position
    link = type(tiny.sidecar.links[-1])
    vectors = (
        *tiny.sidecar.vectors,
        Vector(1, len(first)),
        Vector(1, len(second), count if leader else None, is_shared),
    )
    links = (
        *tiny.sidecar.links,
        link(position + 4, count),
        link(position + 8, count + 1),
    )
    tiny = tiny.with_sidecar(vectors=vectors, links=links)
    return tiny.with_model(bytes(grown)), position


@pytest.mark.parametrize(
    ("second", "leader", "is_shared", "together"),
    [
        (b"same", True, True, True),
        (b"same", True, False, True),
        (b"same", False, False, False),
        (b"also", True, False, False),
        (b"longer", True, False, False),
        (b"", True, False, False),
    ],
)
def test_equal_vectors_share_a_place_if_one_leads(
    second, leader, is_shared, together
):
    tiny, position = _sharing(b"same", second, leader, is_shared)
    patch = tiny_base.patch_for(tiny)
    found = patched(tiny, patch)
    assert found == slow_apply.model_of(tiny.model, tiny.sidecar, patch)
    one, data = items_at(found, position + 4, 1)
    other, other_data = items_at(found, position + 8, 1)
    assert (data, other_data) == (b"same", second)
    assert (one == other) == together


def test_copies_part_where_their_norms_do():
    """In the base both copies share; a patch of one norm sets them apart."""
    tiny = tiny_base.make("float32")
    first, second = tiny.sidecar.kernels[0].copies
    assert tiny.sidecar.vectors[second.weights].shared
    links = {link.vector: link.position for link in tiny.sidecar.links}

    def places(norms):
        patch = tiny_base.patch_for(tiny, "none", norms=norms)
        found = patched(tiny, patch)
        return {
            items_at(found, links[copy.weights], 1)[0]
            for copy in (first, second)
        }

    assert len(places(False)) == 1
    assert len(places(True)) == 2


def test_the_labels_of_the_patch():
    tiny = tiny_base.make("float32")
    patch = tiny_base.patch_for(tiny, classes=4)
    found = patched(tiny, patch)
    assert labels.read_labels(found) == ["Cat", "???", "???", "dog"]
    named = dataclasses.replace(
        patch, label_map=(LabelMapItem(4, "", ""), LabelMapItem(2, "b", ""))
    )
    found = patched(tiny, named)
    assert labels.read_labels(found) == ["???", "b", "???", "???"]


@pytest.mark.parametrize("short", [1, 200])
def test_a_result_beyond_the_limit(monkeypatch, short):
    """By its labels or, at -200, already by its vectors."""
    tiny = tiny_base.make("float32")
    patch = tiny_base.patch_for(tiny)
    size = len(patched(tiny, patch))
    monkeypatch.setattr(model, "MAX_MODEL_BYTES", size)
    assert len(patched(tiny, patch)) == size
    monkeypatch.setattr(model, "MAX_MODEL_BYTES", size - short)
    with pytest.raises(
        NumberError, match=rf"A model may have {size - short} bytes\."
    ):
        patched(tiny, patch)

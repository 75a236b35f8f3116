"""Each field of a sidecar's body by itself: its limits, its indices."""

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
    Norm,
    Vector,
)
from object_detection_patch.tflite.sidecar_body import written_body

TINY = tiny_base.make("int8").sidecar
COUNT = len(TINY.vectors)


def refused(sidecar, message):
    with pytest.raises(SidecarError, match=message):
        sidecar_file.from_bytes(tiny_base.framed(written_body(sidecar)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"skeleton_bytes": 2**24 + 16}, "the skeleton must lie between 0"),
        ({"classes": 0}, r"classes must lie between 1 and 65536\. Received: 0"),
        ({"classes": 65537}, "classes must lie between 1 and 65536"),
        ({"capacity": 0}, "the capacity must lie between 1 and 65536"),
        ({"capacity": 65537}, "the capacity must lie between 1 and 65536"),
        (
            {"vectors": (Vector(1, 2**28 + 1),)},
            "the items of a vector must lie between 0 and 268435456",
        ),
        (
            {"vectors": (Vector(1, 1, 0),)},
            "reference to a leader must lie between 0 and 0",
        ),
        (
            {"vectors": (Vector(1, 1), Vector(1, 1, 1))},
            r"reference to a leader must lie between 0 and 1\. Received: 2",
        ),
        (
            {"metadata_vector": COUNT},
            f"reference to the metadata must lie between 0 and {COUNT}",
        ),
        (
            {"links": (Link(2**24 + 4, 0),)},
            "a position must lie between 0 and 16777216",
        ),
        (
            {"links": (Link(16, COUNT),)},
            f"the index of a vector must lie between 0 and {COUNT - 1}",
        ),
        (
            {"class_numbers": (ClassNumber(16, 0, 1),)},
            "a factor must lie between 1 and 65536",
        ),
        (
            {"class_numbers": (ClassNumber(16, 65537, 1),)},
            "a factor must lie between 1 and 65536",
        ),
        (
            {"class_numbers": (ClassNumber(16, 1, 65537),)},
            "an addend must lie between 0 and 65536",
        ),
        (
            {"activations": (Activation(2**25, 0),)},
            "a position must lie between 0 and 16777216",
        ),
        (
            {"activations": (Activation(0, 2**25),)},
            "a position must lie between 0 and 16777216",
        ),
        (
            {"norms": (Norm("n", *[np.zeros(0, np.float32)] * 4),)},
            "channels must lie between 1 and 67108864",
        ),
        (
            {"biases": (Bias("b", np.zeros(0, np.float32)),)},
            "the size of a bias must lie between 1 and 67108864",
        ),
    ],
)
def test_a_field_out_of_range(fields, message):
    refused(dataclasses.replace(TINY, **fields), message)


@pytest.mark.parametrize(
    "name",
    ["vectors", "links", "class_numbers", "activations", "norms", "biases"],
)
def test_a_count_beyond_its_limit(name):
    """Told before the first entry is read."""
    entries = getattr(TINY, name)[:1] or (ClassNumber(0, 1, 0),)
    many = dataclasses.replace(TINY, **{name: entries * 65537})
    refused(many, r"a number of entries must lie between . and 65536.*65537\.")


def test_an_unknown_precision():
    body = bytearray(written_body(TINY))
    body[72] = 3
    with pytest.raises(
        SidecarError,
        match=r"must be 0 \(float32\), 1 \(float16\) or 2 \(int8\)\. "
        r"Received: 3\.",
    ):
        sidecar_file.from_bytes(tiny_base.framed(bytes(body)))


def test_a_vector_half_shared():
    body = bytearray(written_body(TINY))
    first = 32 + 32 + 8 + 1 + 12 + 4
    body[first + 9] = 2
    with pytest.raises(
        SidecarError,
        match=r"shares its leader's place \(1\) or not \(0\)\. Received: 2\.",
    ):
        sidecar_file.from_bytes(tiny_base.framed(bytes(body)))

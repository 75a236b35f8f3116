"""What must hold of input sizes."""

from __future__ import annotations

import dataclasses

import pytest
import tiny_base

from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.size_checks import (
    check_sizes,
    written_positions,
)

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


def _check(tiny, **fields):
    """Checks a base whose first size has these fields."""
    first, second = tiny.sidecar.sizes
    first = dataclasses.replace(first, **fields)
    check_sizes(tiny.with_sidecar(sizes=(first, second)).sidecar)


@PRECISION
def test_sound_sizes(precision):
    check_sizes(tiny_base.make(precision).sidecar)
    check_sizes(tiny_base.with_sizes(tiny_base.make(precision)).sidecar)


@PRECISION
def test_a_size_writes_what_nothing_else_does(precision):
    tiny = tiny_base.with_sizes(tiny_base.make(precision))
    taken = written_positions(tiny.sidecar)
    assert 16 in taken and 632 in taken and 0 not in taken
    assert (548 in taken) == (precision == "int8")
    for position in range(0, tiny_base.SKELETON_BYTES, 4):
        if position not in taken:
            _check(tiny, words={position: 1})
            continue
        with pytest.raises(SidecarError, match="may be written once"):
            _check(tiny, words={position: 1})


@pytest.mark.parametrize("position", [2, 639, 640, 2**24])
def test_a_word_outside_of_the_skeleton(position):
    tiny = tiny_base.with_sizes(tiny_base.make("float32"))
    with pytest.raises(SidecarError, match="lie within the skeleton"):
        _check(tiny, words={position: 1})


@PRECISION
def test_a_size_replaces_only_what_no_kernel_uses(precision):
    tiny = tiny_base.with_sizes(tiny_base.make(precision))
    used = {
        index
        for kernel in tiny.sidecar.kernels
        for copy in kernel.copies
        for entry in (copy, *copy.operations)
        for name in (
            *("weights", "scales", "zero_points"),
            *("bias", "bias_scales", "bias_zero_points"),
        )
        if (index := getattr(entry, name, None)) is not None
    }
    for index in range(len(tiny.sidecar.vectors)):
        if index not in used:
            _check(tiny, contents={index: b""})
            continue
        with pytest.raises(SidecarError, match="that no kernel uses"):
            _check(tiny, contents={index: b""})


@pytest.mark.parametrize(
    "fields",
    [
        {"height": 96, "width": 96},
        {"height": 320, "width": 320},
        {"base_sha256": "second"},
        {"base_sha256": "base"},
    ],
)
def test_each_size_and_each_digest_stands_once(fields):
    tiny = tiny_base.with_sizes(tiny_base.make("float32"))
    if "base_sha256" in fields:
        digests = {
            "second": tiny.sidecar.sizes[1].base_sha256,
            "base": tiny.sidecar.base_sha256,
        }
        fields = {"base_sha256": digests[fields["base_sha256"]]}
    with pytest.raises(SidecarError, match="each size stands once"):
        _check(tiny, **fields)

"""Every number of a result, against slow_apply.py's loops."""

from __future__ import annotations

import dataclasses
import struct

import hypothesis
import numpy as np
import pytest
import slow_apply
import tiny_base
from hypothesis import strategies as st

from object_detection_patch.patch_file import Release, Replace, ScaleOffset
from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.model import patched_model

BOTH = pytest.mark.parametrize("norms", [True, False], ids=["norms", "-"])
PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


def patched(tiny, patch):
    """As applying does, the sidecar through its bytes."""
    sidecar = sidecar_file.from_bytes(sidecar_file.to_bytes(tiny.sidecar))
    fitted = fit(sidecar, patch)
    return bytes(patched_model(memoryview(tiny.model), sidecar, patch, fitted))


def agree(tiny, patch):
    """Both give the same bytes, or both refuse; what they gave."""
    try:
        expected = slow_apply.model_of(tiny.model, tiny.sidecar, patch)
    except slow_apply.NotFiniteError:
        with pytest.raises(NumberError):
            patched(tiny, patch)
        return None
    assert patched(tiny, patch) == expected
    return expected


@PRECISION
@pytest.mark.parametrize("kind", tiny_base.KINDS)
@BOTH
@pytest.mark.parametrize("classes", [1, tiny_base.CLASSES, 9])
def test_every_kind_of_edit(precision, kind, norms, classes):
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, kind, norms=norms, classes=classes)
    assert agree(tiny, patch) is not None


# What rounding, overflow and underflow hinge on: signed zeros, subnormals,
# the least normal number, halves of float16's and int8's steps, and sizes
# whose products are just within or beyond float32 and float16.
_EDGES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 127.5, 2.0**-60, 2.0**-30),
    *(2.0**-149, -(2.0**-149), 2.0**-127, 2.0**-126, 2.0**-24, 2.0**-25),
    *(1 + 2.0**-11, 1 + 2.0**-10 + 2.0**-11, 65504.0, 65519.996, 65520.0),
    *(2.0**64, 2.0**127, -(2.0**127), 1.8e19, 3.4e38),
]
_NUMBER = st.sampled_from(_EDGES) | st.floats(
    width=32, allow_nan=False, allow_infinity=False
)
# Half of the pools stay in a range in which models come out.
_MODERATE = st.floats(min_value=2.0**-8, max_value=2.0**8, width=32)
_POOL = st.lists(
    _MODERATE | _MODERATE.map(lambda x: -x), min_size=2, max_size=8
) | st.lists(_NUMBER, min_size=2, max_size=8)


@PRECISION
@hypothesis.given(
    kind=st.sampled_from(tiny_base.KINDS),
    norms=st.booleans(),
    base=_POOL,
    task=_POOL,
    seed=st.integers(0, 2**16),
)
@hypothesis.settings(max_examples=60)
def test_any_numbers(precision, kind, norms, base, task, seed):
    tiny = tiny_base.make(precision, seed=seed, draw=tiny_base.pool(base, seed))
    patch = tiny_base.patch_for(
        tiny, kind, norms=norms, seed=seed, draw=tiny_base.pool(task, seed)
    )
    agree(tiny, patch)


# A quiet and a signalling NaN, and both infinities: a base holds what it
# holds, and its digest vouches for it.
_STRANGE = [0x7FC00000, 0x7F800001, 0xFF800001, 0x7F800000, 0xFF800000]


@PRECISION
@pytest.mark.parametrize("bits", _STRANGE, ids=hex)
@pytest.mark.parametrize("kind", tiny_base.KINDS)
@BOTH
def test_a_base_of_strange_numbers(precision, bits, kind, norms):
    """In int8 models the scales are strange, in the others the weights."""
    tiny = tiny_base.make(precision)
    model = bytearray(tiny.model)
    places = slow_apply.places_in_base(tiny.sidecar)
    for kernel in tiny.sidecar.kernels[:2]:
        copy = kernel.copies[0]
        is_int8 = precision == "int8"
        start, _ = places[copy.scales if is_int8 else copy.weights]
        if precision == "float16":
            half = (bits >> 16 & 0x8000) | 0x7C00 | bool(bits & 0x7FFFFF)
            struct.pack_into("<H", model, start, half)
        else:
            struct.pack_into("<I", model, start, bits)
    tiny = tiny.with_model(bytes(model))
    patch = tiny_base.patch_for(tiny, kind, norms=norms)
    found = agree(tiny, patch)
    # Copied, not looked at, or masked away; every computed one is refused.
    is_copied = kind == "none" and not norms and precision != "int8"
    if kind != "keep_masked":
        assert (found is not None) == (is_copied or kind == "replace")


@PRECISION
def test_a_result_without_a_change_is_the_base_but_for_its_biases(precision):
    """Copied weights keep every bit."""
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, "none", norms=False, classes=2)
    found = patched(tiny, patch)
    places = slow_apply.places_in_base(tiny.sidecar)
    start, end = places[tiny.sidecar.kernels[0].copies[0].weights]
    expected = tiny.model[start:end]
    if precision == "int8":
        steps = np.frombuffer(expected, "i1")
        expected = np.maximum(steps, -127).astype("i1").tobytes()
    assert found[start:end] == expected


def test_the_most_negative_step_of_a_base_stays_within_127():
    tiny = tiny_base.make("int8")
    weights = tiny.sidecar.kernels[0].copies[0].weights
    start, end = slow_apply.places_in_base(tiny.sidecar)[weights]
    model = bytearray(tiny.model)
    model[start:end] = b"\x80" * (end - start)
    tiny = tiny.with_model(bytes(model))
    norm = tiny.sidecar.norms[0]
    gamma = norm.gamma * np.float32([1, 1, -1, -1])
    patch = tiny_base.changed_edits(
        tiny_base.patch_for(tiny, "none", norms=False, classes=2),
        {norm.name: ScaleOffset(norm.name, gamma, norm.beta)},
    )
    found = np.frombuffer(agree(tiny, patch)[start:end], "i1")
    assert found.reshape(4, -1)[:, 0].tolist() == [-127, -127, 127, 127]


@PRECISION
@pytest.mark.parametrize("number", [3.4e38, -3.4e38])
def test_too_large_numbers_are_refused_by_name(precision, number):
    tiny = tiny_base.make(precision)
    norm = tiny.sidecar.norms[0]
    large = np.full(4, number, np.float32)
    norms = tiny_base.replaced(
        tiny.sidecar.norms, 0, inverse_deviation=np.full(4, 2, np.float32)
    )
    patch = tiny_base.changed_edits(
        tiny_base.patch_for(tiny, "none"),
        {norm.name: ScaleOffset(norm.name, large, large)},
    )
    tiny = tiny.with_sidecar(norms=norms)
    with pytest.raises(
        NumberError,
        match=r"must be finite\. Received: NaN or Inf for 'tower/BatchNorm/0'",
    ):
        patched(tiny, patch)


def test_a_bias_beyond_float16_is_refused():
    tiny = tiny_base.make("float16")
    name = "fpn/lateral/bias"
    large = Replace(name, np.full(5, 65520, np.float32))
    patch = tiny_base.changed_edits(
        tiny_base.patch_for(tiny, "none"), {name: large}
    )
    with pytest.raises(NumberError, match="Inf for 'fpn/lateral/kernel'"):
        patched(tiny, patch)


def test_metadata_of_the_patch_replace_those_of_the_base():
    tiny = tiny_base.make("float32")
    patch = tiny_base.patch_for(tiny, metadata=b"longer " * 9)
    assert b"longer longer" in agree(tiny, patch)
    kept = dataclasses.replace(patch, model_metadata=b"")
    assert tiny_base.METADATA in agree(tiny, kept)


def test_the_release_of_this_base_counts_and_no_other():
    tiny = tiny_base.make("int8")
    patch = tiny_base.patch_for(tiny)
    (mine,) = patch.releases
    other = Release("ab" * 32, "0" * 64, ((0.125, 7),))
    alone = agree(tiny, patch)
    among = dataclasses.replace(patch, releases=(other, mine))
    assert agree(tiny, among) == alone

"""Whether a patch fits: base, classes, sizes, releases."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tiny_base

from object_detection_patch.patch_file import (
    FingerprintError,
    LabelMapItem,
    Release,
)
from object_detection_patch.tflite import fit as fit_lib
from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import (
    ActivationError,
    CapacityError,
    MissingReleaseError,
    NumberError,
    SidecarError,
    UnfitEditError,
)
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.sidecar import ClassNumber, Vector

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


@pytest.fixture
def tiny():
    return tiny_base.make("float32")


@PRECISION
def test_a_patch_that_fits(precision):
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, classes=5)
    found = fit(tiny.sidecar, patch)
    assert found.classes == 5
    assert found.edits == {edit.target: edit for edit in patch.edits}
    expected = patch.releases[0] if precision == "int8" else None
    assert found.release == expected


def test_edits_by_what_they_edit(tiny):
    patch = tiny_base.patch_for(tiny, "keep_masked")
    found = fit(tiny.sidecar, patch)
    edits = {edit.target: edit for edit in patch.edits}
    assert found.kernel_edit("tower/kernel") == edits["tower/kernel"]
    assert found.kernel_edit("none") is None
    norm = "tower/BatchNorm/0"
    assert found.norm_edit(norm) == edits[norm]
    assert found.norm_edit("tower/BatchNorm/9") is None
    bias = found.new_bias("box_head/bias")
    assert np.array_equal(bias, edits["box_head/bias"].values)
    assert found.new_bias("other/bias") is None


def test_a_patch_of_another_base(tiny):
    patch = dataclasses.replace(
        tiny_base.patch_for(tiny), base_fingerprint="ab" * 32
    )
    with pytest.raises(
        FingerprintError,
        match=f"a patch for base {'ab' * 32}, and the published base "
        f"{tiny_base.FINGERPRINT}",
    ):
        fit(tiny.sidecar, patch)


def test_a_patch_without_labels(tiny):
    patch = dataclasses.replace(tiny_base.patch_for(tiny), label_map=())
    with pytest.raises(CapacityError, match="must have a label map to become"):
        fit(tiny.sidecar, patch)


@pytest.mark.parametrize("classes", [10, 2**31 - 1])
def test_more_classes_than_the_capacity(tiny, classes):
    patch = dataclasses.replace(
        tiny_base.patch_for(tiny, classes=9),
        label_map=(LabelMapItem(classes, "x", ""),),
    )
    with pytest.raises(
        CapacityError,
        match=r"for at most 9 classes \(`od-patch export-base --max_classes`"
        rf"\)\. Received: a patch with {classes}\.",
    ):
        fit(tiny.sidecar, patch)


def test_metadata_need_a_vector(tiny):
    patch = tiny_base.patch_for(tiny, metadata=b"new")
    bare = tiny.with_sidecar(metadata_vector=None)
    with pytest.raises(
        UnfitEditError, match="Only a base with model metadata takes those"
    ):
        fit(bare.sidecar, patch)
    fit(bare.sidecar, dataclasses.replace(patch, model_metadata=b""))


def test_a_class_number_beyond_32_bits(tiny):
    tiny = tiny.with_sidecar(
        class_numbers=(ClassNumber(0, 2**16, 2**15 - 4),), capacity=9
    )
    fit(tiny.sidecar, tiny_base.patch_for(tiny, classes=3))
    with pytest.raises(
        NumberError,
        match=r"depends on the classes must fit in 32 bits\. Received: "
        r"2147483648 for 4 classes\.",
    ):
        fit(tiny.sidecar, tiny_base.patch_for(tiny, classes=4))


def test_a_kernel_beyond_its_limit(tiny, monkeypatch):
    patch = tiny_base.patch_for(tiny, classes=9)
    monkeypatch.setattr(limits, "MAX_ELEMENTS", 60)
    fit(tiny.sidecar, patch)
    monkeypatch.setattr(limits, "MAX_ELEMENTS", 59)
    with pytest.raises(
        NumberError,
        match=r"may have 59 weights\. Received: 60 in 'class_head/kernel' for "
        r"9 classes\.",
    ):
        fit(tiny.sidecar, patch)


def test_followers_count_as_if_they_had_a_place(tiny):
    """Of 65,536 followers each could become different."""
    base = Vector(1, 2**12)
    vectors = (*tiny.sidecar.vectors, base)
    follower = Vector(1, 2**12, len(vectors) - 1, True)
    patch = tiny_base.patch_for(tiny)
    # 4,112 bytes each: below the limit, and above it.
    fits = tiny.with_sidecar(vectors=(*vectors, *[follower] * 60000))
    fit(fits.sidecar, patch)
    large = tiny.with_sidecar(vectors=(*vectors, *[follower] * 67400))
    with pytest.raises(
        SidecarError, match=r"a result without labels may have 276824064 bytes"
    ):
        fit(large.sidecar, patch)


def test_an_int8_base_needs_its_release():
    tiny = tiny_base.make("int8")
    patch = tiny_base.patch_for(tiny)
    (release,) = patch.releases
    for releases in (
        (),
        (dataclasses.replace(release, base_sha256="ab" * 32),),
    ):
        other = dataclasses.replace(patch, releases=releases)
        with pytest.raises(
            MissingReleaseError,
            match="a patch that was published for it.*a patch published for "
            rf"{len(releases)} other bases",
        ):
            fit(tiny.sidecar, other)


def test_a_base_of_several_sizes_needs_a_release():
    one = tiny_base.make("float32")
    unpublished = dataclasses.replace(tiny_base.patch_for(one), releases=())
    assert fit(one.sidecar, unpublished).release is None
    foreign = Release("ab" * 32, "0" * 64, ())
    with pytest.raises(MissingReleaseError, match="fits the bases that it was"):
        fit(one.sidecar, dataclasses.replace(unpublished, releases=(foreign,)))
    for releases in ((), (foreign,)):
        with pytest.raises(
            MissingReleaseError,
            match="which says its size.*a patch published for "
            rf"{len(releases)} other bases",
        ):
            fit(
                tiny_base.with_sizes(one).sidecar,
                dataclasses.replace(unpublished, releases=releases),
            )


@pytest.mark.parametrize("count", [0, 3, 5])
def test_as_many_activations_as_the_base(count):
    tiny = tiny_base.make("int8")
    patch = tiny_base.patch_for(tiny)
    release = Release(tiny.sidecar.base_sha256, "0" * 64, ((1.0, 0),) * count)
    with pytest.raises(
        ActivationError, match=rf"must have 4 activations\. Received: {count}\."
    ):
        fit(tiny.sidecar, dataclasses.replace(patch, releases=(release,)))


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_release_of_floats_has_no_activations(precision):
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, result="0" * 64)
    assert fit(tiny.sidecar, patch).release == patch.releases[0]
    release = Release(tiny.sidecar.base_sha256, "0" * 64, ((1.0, 0),))
    with pytest.raises(
        ActivationError, match=r"must have 0 activations\. Received: 1\."
    ):
        fit(tiny.sidecar, dataclasses.replace(patch, releases=(release,)))


@pytest.mark.parametrize(
    "activation",
    [
        (0.0, 0),
        (-1.0, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (1e-60, 0),
        (1e60, 0),
        (1.0, -129),
        (1.0, 128),
    ],
)
def test_numbers_of_activations(activation):
    """No patch file holds these, but a patch in memory may."""
    tiny = tiny_base.make("int8")
    patch = tiny_base.patch_for(tiny)
    release = Release(
        tiny.sidecar.base_sha256, "0" * 64, ((1.0, 0),) * 3 + (activation,)
    )
    with pytest.raises(
        ActivationError, match="must be finite and above 0, its zero point"
    ):
        fit(tiny.sidecar, dataclasses.replace(patch, releases=(release,)))


def test_the_order_of_the_checks(tiny):
    """Another base is told before anything else is wrong."""
    patch = dataclasses.replace(
        tiny_base.patch_for(tiny),
        base_fingerprint="ab" * 32,
        label_map=(),
        edits=(),
    )
    with pytest.raises(FingerprintError):
        fit_lib.fit(tiny.sidecar, patch)

"""Which edits a base takes, and which it needs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tiny_base

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    Replace,
    ScaleOffset,
)
from object_detection_patch.tflite.edit_checks import checked_edits
from object_detection_patch.tflite.errors import (
    MissingHeadError,
    UnfitEditError,
)

CLASSES = tiny_base.CLASSES
KERNEL, BIAS, NORM = "tower/kernel", "fpn/lateral/bias", "tower/BatchNorm/0"
SHAPES = {KERNEL: (1, 3, 2, 4), BIAS: (5,), NORM: (4,), "none": (4,)}
MAKERS = {
    "replace": lambda name, shape: Replace(name, np.ones(shape)),
    "add_signed": lambda name, shape: AddSigned(name, np.ones(shape, bool), 1),
    "affine_mask": lambda name, shape: AffineMask(
        name, np.ones(shape, bool), 1, 1, 1
    ),
    "keep_masked": lambda name, shape: KeepMasked(name, np.ones(shape, bool)),
    "scale_offset": lambda name, shape: ScaleOffset(
        name, np.ones(shape), np.ones(shape)
    ),
}
FITS = {
    (KERNEL, "replace"),
    (KERNEL, "add_signed"),
    (KERNEL, "affine_mask"),
    (KERNEL, "keep_masked"),
    (BIAS, "replace"),
    (NORM, "scale_offset"),
}


@pytest.fixture
def tiny():
    return tiny_base.make("float32")


def check(tiny, patch, classes=CLASSES):
    return checked_edits(tiny.sidecar, patch.edits, classes)


def with_edit(tiny, edit, **options):
    options = {"classes": CLASSES, **options}
    patch = tiny_base.patch_for(tiny, "none", norms=False, **options)
    return tiny_base.changed_edits(patch, {edit.target: edit})


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", SHAPES)
def test_kinds(tiny, name, kind):
    patch = with_edit(tiny, MAKERS[kind](name, SHAPES[name]))
    if (name, kind) in FITS:
        check(tiny, patch)
        return
    made = type(MAKERS[kind](name, SHAPES[name])).__name__
    with pytest.raises(
        UnfitEditError,
        match=r"must name a tensor of the published base, by a kind that fits "
        rf"it\. Received: {made} of '{name}'\.",
    ):
        check(tiny, patch)


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        (KERNEL, "replace", (1, 3, 4, 2)),
        (KERNEL, "replace", (24,)),
        (KERNEL, "add_signed", (4, 1, 3, 2)),
        (KERNEL, "keep_masked", (1, 3, 2, 4, 1)),
        (KERNEL, "affine_mask", ()),
        (BIAS, "replace", (4,)),
        (BIAS, "replace", (5, 1)),
        (NORM, "scale_offset", (6,)),
    ],
)
def test_shapes(tiny, name, kind, shape):
    with pytest.raises(
        UnfitEditError, match=rf"edit of '{name}' must have shape"
    ) as error:
        check(tiny, with_edit(tiny, MAKERS[kind](name, shape)))
    assert f"shape {SHAPES[name]} for 2 classes. Received: {shape}." in str(
        error.value
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [("class_head/kernel", (1, 1, 2, 9)), ("class_head/bias", (9,))],
)
def test_shapes_of_another_number_of_classes(tiny, name, shape):
    """Those of the base are wrong then."""
    patch = tiny_base.patch_for(tiny, classes=4)
    check(tiny, patch, 4)
    unfit = tiny_base.changed_edits(
        patch, {name: Replace(name, np.ones(shape))}
    )
    with pytest.raises(
        UnfitEditError,
        match=rf"'{name}' must have shape .*15.*\) for 4 classes\.",
    ):
        check(tiny, unfit, 4)


HEADS = ["box_head/kernel", "box_head/bias", "class_head/kernel"]
HEADS.append("class_head/bias")


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_replaced(tiny, name):
    patch = tiny_base.patch_for(tiny, classes=CLASSES)
    lacking = tiny_base.changed_edits(patch, {name: None})
    with pytest.raises(
        MissingHeadError,
        match=r"must replace every tensor of its heads\. Received: one "
        rf"without '{name}'\.$",
    ):
        check(tiny, lacking)


def test_a_mask_is_no_replacement_of_a_head(tiny):
    name = "box_head/kernel"
    patch = with_edit(tiny, MAKERS["keep_masked"](name, (1, 1, 3, 6)))
    with pytest.raises(MissingHeadError, match="without 'box_head/kernel'"):
        check(tiny, patch)


def test_no_head_at_all(tiny):
    with pytest.raises(
        MissingHeadError, match=r"without 'box_head/kernel' and 3 more\.$"
    ):
        checked_edits(tiny.sidecar, (), CLASSES)


@pytest.mark.parametrize(
    ("name", "is_head"),
    [
        ("box_head", True),
        ("class_head", True),
        ("box_header/kernel", False),
        ("fpn/box_head/kernel", False),
    ],
)
def test_a_head_is_told_by_the_first_part_of_its_name(tiny, name, is_head):
    biases = tiny_base.replaced(tiny.sidecar.biases, 0, name=name)
    tiny = tiny.with_sidecar(biases=biases)
    patch = tiny_base.patch_for(tiny, classes=CLASSES)
    check(tiny, patch)
    lacking = tiny_base.changed_edits(patch, {name: None})
    if is_head:
        with pytest.raises(MissingHeadError):
            check(tiny, lacking)
    else:
        check(tiny, lacking)


@pytest.mark.parametrize("part", ["kernel", "bias"])
def test_what_depends_on_the_classes_is_replaced(tiny, part):
    """Heads of another name: left alone only at the base's classes."""
    kernels = tiny_base.replaced(tiny.sidecar.kernels, -1, name="top/kernel")
    biases = tiny_base.replaced(tiny.sidecar.biases, -1, name="top/bias")
    tiny = tiny.with_sidecar(kernels=kernels, biases=biases)

    def lacking(classes):
        patch = tiny_base.patch_for(tiny, "none", classes=classes, norms=False)
        size = 3 * (classes + 1)
        edits = {
            "top/kernel": Replace("top/kernel", np.ones((1, 1, 2, size))),
            "top/bias": Replace("top/bias", np.ones(size)),
            f"top/{part}": None,
        }
        return tiny_base.changed_edits(patch, edits)

    check(tiny, lacking(CLASSES))
    with pytest.raises(
        MissingHeadError,
        match="another number of classes must replace every tensor that "
        rf"depends on it\. Received: one without 'top/{part}'\.",
    ):
        check(tiny, lacking(CLASSES + 1), CLASSES + 1)


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("name", ["tower/BatchNorm/0", "tower/kernel"])
def test_no_edit_hides_behind_another_of_its_name(tiny, name, is_first):
    patch = tiny_base.patch_for(tiny, "keep_masked", classes=CLASSES)
    (sound,) = (edit for edit in patch.edits if edit.target == name)
    mask, numbers = np.ones((1, 2), bool), np.ones(2)
    hidden = KeepMasked(name, mask)
    if isinstance(sound, KeepMasked):
        hidden = ScaleOffset(name, numbers, numbers)
    edits = (hidden, *patch.edits) if is_first else (*patch.edits, hidden)
    assert check(tiny, patch)[name] is sound
    with pytest.raises(UnfitEditError, match=f"by a kind .*'{name}'"):
        check(tiny, dataclasses.replace(patch, edits=edits))


@pytest.mark.parametrize("kind", tiny_base.ADAPTERS)
def test_matrices_are_for_convolutions(kind):
    """Not for depthwise kernels, biases or norms."""
    tiny = tiny_base.make("float32")
    patch = tiny_base.patch_for(tiny)
    for target, shape in (
        ("backbone/depthwise_kernel", (1, 1, 3, 2)),
        ("fpn/lateral/bias", (1, 1, 1, 5)),
        ("tower/BatchNorm/0", (1, 1, 4, 4)),
    ):
        edit = tiny_base.adapter_of(kind, target, shape, np.zeros)
        changed = tiny_base.changed_edits(patch, {target: edit})
        with pytest.raises(UnfitEditError, match="by a kind that fits it"):
            checked_edits(tiny.sidecar, changed.edits, 3)


@pytest.mark.parametrize("kind", tiny_base.ADAPTERS)
def test_matrices_fit_their_kernel(kind):
    """Channels agree, and there is a centre where something is added."""
    tiny = tiny_base.make("float32")
    patch = tiny_base.patch_for(tiny)

    def check(target, shape):
        edit = tiny_base.adapter_of(kind, target, shape, np.zeros)
        changed = tiny_base.changed_edits(patch, {target: edit})
        checked_edits(tiny.sidecar, changed.edits, 3)

    check("tower/kernel", (1, 3, 2, 4))
    with pytest.raises(UnfitEditError, match="must fit a kernel of shape"):
        check("tower/kernel", (1, 3, 3, 5))
    if "centre" in kind:
        with pytest.raises(UnfitEditError, match="must fit a kernel of shape"):
            check("backbone/a/kernel", (1, 2, 3, 4))

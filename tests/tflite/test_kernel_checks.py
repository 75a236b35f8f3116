"""Rules about kernels and what they refer to, each broken by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tiny_base

from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.kernel_checks import check_kernels
from object_detection_patch.tflite.sidecar import Bias, Norm, Vector
from object_detection_patch.tflite.sidecar_body import written_body

# Indices of tiny_base's kernels.
TOWER, DEEP, LATERAL, BARE, BARE_DEPTHWISE, BOX, CLASSES = range(7)
CHANNELS = {TOWER: 4, DEEP: 6, LATERAL: 5, BOX: 6, CLASSES: 9}


@pytest.fixture(params=tiny_base.PRECISIONS)
def tiny(request):
    return tiny_base.make(request.param)


@pytest.fixture
def int8():
    return tiny_base.make("int8")


def refused(tiny, message):
    """In memory and in a file alike."""
    with pytest.raises(SidecarError, match=f"^In a sidecar, {message}"):
        check_kernels(tiny.sidecar)
    data = tiny_base.framed(written_body(tiny.sidecar))
    with pytest.raises(SidecarError, match=f"^In a sidecar, {message}"):
        sidecar_file.from_bytes(data)


def with_kernel(tiny, number, **fields):
    return tiny.with_sidecar(
        kernels=tiny_base.replaced(tiny.sidecar.kernels, number, **fields)
    )


def with_copy(tiny, number, copy, **fields):
    copies = tiny.sidecar.kernels[number].copies
    return with_kernel(
        tiny, number, copies=tiny_base.replaced(copies, copy, **fields)
    )


def with_operation(tiny, number, copy, operation, **fields):
    operations = tiny.sidecar.kernels[number].copies[copy].operations
    return with_copy(
        tiny,
        number,
        copy,
        operations=tiny_base.replaced(operations, operation, **fields),
    )


def test_a_published_base_is_right(tiny):
    check_kernels(tiny.sidecar)


@pytest.mark.parametrize("form", [2, 255])
def test_an_unknown_form(tiny, form):
    refused(
        with_kernel(tiny, TOWER, form=form),
        rf"a kernel's form must be 0 or 1\. Received: {form}\.",
    )


def test_the_product_of_a_shape(tiny):
    refused(
        with_kernel(tiny, TOWER, shape=(2**26, 2**26, 2**26, 2**26)),
        r"a kernel may have 67108864 weights\. Received: \(67108864, ",
    )
    refused(
        with_kernel(tiny, TOWER, shape=(2, 2**13, 2**13, 1)),
        "a kernel may have 67108864 weights",
    )


CLASS_RULE = (
    "a kernel with a class factor must be a convolution whose last "
    "dimension is factor"
)


@pytest.mark.parametrize(
    "fields",
    [
        {"class_factor": 4},
        {"class_addend": 2},
        {"class_factor": 1, "class_addend": 8},
        {"form": 1},
    ],
)
def test_the_last_dimension_of_a_class_head(tiny, fields):
    """3 x (2 + 1) is 9, and so is 1 x (2 + 7)."""
    refused(with_kernel(tiny, CLASSES, **fields), CLASS_RULE)
    check_kernels(
        with_kernel(tiny, CLASSES, class_factor=1, class_addend=7).sidecar
    )


def test_an_addend_without_a_factor_is_nothing(tiny):
    check_kernels(with_kernel(tiny, BOX, class_addend=7).sidecar)


def test_a_class_factor_and_a_norm(tiny):
    """The 4 channels of the tower are 2 x (2 + 0)."""
    refused(
        with_kernel(tiny, TOWER, class_factor=2, class_addend=0),
        "a kernel with a class factor has no norm. Received: 'tower/kernel'",
    )


@pytest.mark.parametrize("field", ["scales", "zero_points"])
@pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
def test_scales_of_int8_alone(precision, field):
    tiny = tiny_base.make(precision)
    value = None if precision == "int8" else 0
    refused(
        with_copy(tiny, DEEP, 0, **{field: value}),
        "scales, zero points and activations are given in int8 models, and "
        "in no others. Received: 'backbone/depthwise_kernel'",
    )


@pytest.mark.parametrize("field", ["bias_scales", "bias_zero_points"])
@pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
def test_scales_of_biases_of_int8_alone(precision, field):
    tiny = tiny_base.make(precision)
    value = None if precision == "int8" else 0
    refused(
        with_operation(tiny, DEEP, 0, 0, **{field: value}),
        "scales, zero points and activations are given in int8 models",
    )


def test_activations_of_int8_operations(int8):
    refused(
        with_operation(int8, LATERAL, 0, 1, activation=None),
        "scales, zero points and activations are given in int8 models",
    )


def test_a_norm_and_a_bias_tensor(tiny):
    one = np.ones(5, np.float32)
    norms = (*tiny.sidecar.norms, Norm("n", one, one, one, one))
    tiny = tiny.with_sidecar(norms=norms)
    refused(
        with_copy(tiny, LATERAL, 0, norm=3),
        "a norm and a bias tensor must not meet in one operation. "
        "Received: 'fpn/lateral/kernel'",
    )


CHANNELS_RULE = "norm and bias must have the channels of their kernel"


@pytest.mark.parametrize("number", [TOWER, DEEP])
def test_the_channels_of_a_norm(tiny, number):
    one = np.ones(3, np.float32)
    norms = (*tiny.sidecar.norms, Norm("n", one, one, one, one))
    refused(
        with_copy(tiny.with_sidecar(norms=norms), number, 0, norm=3),
        rf"{CHANNELS_RULE}\. .*, 3, {CHANNELS[number]}\)",
    )


@pytest.mark.parametrize("number", [LATERAL, BOX, CLASSES])
def test_the_channels_of_a_bias(tiny, number):
    biases = (*tiny.sidecar.biases, Bias("b", np.ones(3, np.float32)))
    refused(
        with_operation(
            tiny.with_sidecar(biases=biases), number, 0, 0, tensor=3
        ),
        rf"{CHANNELS_RULE}\. .*, 3, {CHANNELS[number]}\)",
    )


def _vector_of(tiny, name):
    copy = tiny.sidecar.kernels[LATERAL].copies[0]
    if hasattr(copy, name):
        return getattr(copy, name)
    return getattr(copy.operations[0], name)


_SIZES = {
    "weights": (1, {"float32": 80, "float16": 40, "int8": 20}),
    "bias": (1, {"float32": 20, "float16": 10, "int8": 20}),
    "scales": (4, {"int8": 5}),
    "zero_points": (8, {"int8": 5}),
    "bias_scales": (4, {"int8": 5}),
    "bias_zero_points": (8, {"int8": 5}),
}


@pytest.mark.parametrize("change", ["more", "fewer", "others"])
@pytest.mark.parametrize("name", _SIZES)
def test_vectors_have_the_size_of_their_use(tiny, name, change):
    item_bytes, items = _SIZES[name]
    index = _vector_of(tiny, name)
    if index is None:
        return
    wanted = items[tiny.sidecar.precision]
    vector = tiny.sidecar.vectors[index]
    assert (vector.item_bytes, vector.items) == (item_bytes, wanted)
    fields = {
        "more": {"items": wanted + 1},
        "fewer": {"items": wanted - 1},
        "others": {"item_bytes": 1 if item_bytes > 1 else 4},
    }[change]
    vectors = tiny_base.replaced(
        tiny.sidecar.vectors, index, **fields, leader=None, shared=False
    )
    # Room for what grew, and no follower that is now wrong.
    vectors = tuple(
        dataclasses.replace(v, leader=None, shared=False)
        if v.leader == index
        else v
        for v in vectors
    )
    refused(
        tiny.with_sidecar(vectors=vectors, base_bytes=2**20),
        "a vector must have the size that its use requires, "
        rf"{wanted} items of {item_bytes}\. Received: "
        r"\('fpn/lateral/kernel', ",
    )


ONE_USE = "each vector has one use. Received: "


def test_weights_of_two_copies(tiny):
    first = tiny.sidecar.kernels[TOWER].copies[0].weights
    refused(with_copy(tiny, TOWER, 1, weights=first), rf"{ONE_USE}{first}\.")


def test_a_kernel_as_a_bias(tiny):
    """tower's second copy as the weights and the bias of another."""
    vectors = (*tiny.sidecar.vectors, Vector(1, 4 * 4))
    index = len(vectors) - 1
    tiny = tiny.with_sidecar(vectors=vectors, base_bytes=2**20)
    if tiny.sidecar.precision != "float32":
        return
    tiny = with_kernel(tiny, BARE, shape=(1, 1, 1, 4))
    tiny = with_copy(tiny, BARE, 0, weights=index)
    check_kernels(tiny.sidecar)
    refused(
        with_operation(tiny, BARE, 0, 0, bias=index), rf"{ONE_USE}{index}\."
    )


def test_metadata_as_weights(tiny):
    index = tiny.sidecar.kernels[BOX].copies[0].weights
    refused(tiny.with_sidecar(metadata_vector=index), rf"{ONE_USE}{index}\.")


def test_scales_of_two_copies(int8):
    first = int8.sidecar.kernels[TOWER].copies[0]
    refused(with_copy(int8, TOWER, 1, scales=first.scales), ONE_USE)
    refused(with_copy(int8, TOWER, 1, zero_points=first.zero_points), ONE_USE)


def test_scales_of_two_operations(int8):
    first = int8.sidecar.kernels[TOWER].copies[0].operations[0]
    scales = with_operation(int8, TOWER, 0, 1, bias_scales=first.bias_scales)
    refused(scales, ONE_USE)
    points = with_operation(
        int8, TOWER, 0, 1, bias_zero_points=first.bias_zero_points
    )
    refused(points, ONE_USE)


def test_scales_of_weights_as_those_of_a_bias(int8):
    copy = int8.sidecar.kernels[TOWER].copies[0]
    refused(with_operation(int8, TOWER, 0, 1, bias_scales=copy.scales), ONE_USE)


def test_a_bias_of_two_operations(tiny):
    """Of one copy: in float models the same numbers, in int8 other steps."""
    first = tiny.sidecar.kernels[LATERAL].copies[0].operations[0]
    shared = with_operation(tiny, LATERAL, 0, 1, bias=first.bias)
    if tiny.sidecar.precision == "int8":
        refused(shared, ONE_USE)
    else:
        check_kernels(shared.sidecar)


def test_a_bias_of_two_norms(tiny):
    first = tiny.sidecar.kernels[TOWER].copies[0].operations[0]
    refused(with_operation(tiny, TOWER, 1, 0, bias=first.bias), ONE_USE)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_bias_of_one_norm_in_two_copies(precision):
    tiny = tiny_base.make(precision)
    first = tiny.sidecar.kernels[TOWER].copies[0].operations[0]
    tiny = with_copy(tiny, TOWER, 1, norm=0)
    check_kernels(with_operation(tiny, TOWER, 1, 0, bias=first.bias).sidecar)


def test_zeros_of_several_kernels(tiny):
    (one,) = tiny.sidecar.kernels[BARE].copies[0].operations
    (other,) = tiny.sidecar.kernels[BARE_DEPTHWISE].copies[0].operations
    assert one.bias == other.bias
    check_kernels(tiny.sidecar)


def test_zeros_as_the_bias_of_a_norm(tiny):
    zeros = tiny.sidecar.kernels[BARE].copies[0].operations[0].bias
    refused(with_operation(tiny, TOWER, 0, 0, bias=zeros), ONE_USE)


def test_zeros_of_kernels_that_depend_on_the_classes_in_two_ways(tiny):
    """4 channels are 2 x (2 + 0) and 1 x (2 + 2): alike for 2 classes only."""
    tiny = with_kernel(tiny, BARE, class_factor=2, class_addend=0)
    refused(tiny, ONE_USE)
    # The second is depthwise, so it cannot follow.
    refused(with_kernel(tiny, BARE_DEPTHWISE, class_factor=2), CLASS_RULE)


def test_a_bias_tensor_of_kernels_that_depend_on_the_classes_in_two_ways(tiny):
    """The class head's 9 numbers, for a kernel of 9 channels without."""
    tiny = with_kernel(tiny, CLASSES, class_factor=0, class_addend=0)
    check_kernels(tiny.sidecar)
    head = tiny.sidecar.kernels[CLASSES]
    biases = tiny_base.replaced(
        tiny.sidecar.biases, 1, values=np.ones(6, np.float32)
    )
    tiny = tiny.with_sidecar(biases=biases)
    # box_head has 6 = 2 x (2 + 1) channels; lateral is given 6 as well.
    tiny = with_kernel(tiny, BOX, class_factor=2, class_addend=1)
    tiny = with_operation(tiny, BOX, 0, 0, tensor=1)
    check_kernels(tiny.sidecar)
    assert head.class_factor == 0
    deep = with_copy(tiny, DEEP, 0, norm=None)
    refused(
        with_operation(deep, DEEP, 0, 0, tensor=1),
        "kernels that share a bias must depend on the classes alike",
    )

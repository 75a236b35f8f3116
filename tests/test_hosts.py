"""Names, kinds and fingerprints of what a patch may edit."""

from __future__ import annotations

import hashlib
import importlib.util
import struct

import numpy as np
import pytest

if importlib.util.find_spec("tf_keras") is None:
    pytest.skip("needs tf_keras, extra [train]", allow_module_level=True)

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras

_L = keras.layers


def _layers(*layers):
    """Builds layers one after another on a 9 x 9 image."""
    outputs = keras.Input((9, 9, 3))
    for layer in layers:
        outputs = layer(outputs)
    return list(layers)


def _hosts(*layers, place=hosts_lib.BACKBONE):
    return hosts_lib.find_hosts((place, layer) for layer in layers)


def _names(hosts):
    return [host.name for host in hosts]


def _unnamed():
    return _layers(
        _L.Conv2D(4, 3),
        _L.BatchNormalization(),
        _L.Conv2D(4, 1, use_bias=False),
        _L.DepthwiseConv2D(3, use_bias=False),
        _L.BatchNormalization(),
        _L.SeparableConv2D(5, 2),
        _L.Conv2DTranspose(2, 2, use_bias=False),
        _L.BatchNormalization(synchronized=True),
    )


# Kinds and names.


def test_kernels_batch_norms_and_biases_are_found_in_order():
    hosts = _hosts(
        *_layers(
            _L.Conv2D(4, 3, name="a"),
            _L.BatchNormalization(name="bn"),
            _L.ReLU(),
            _L.DepthwiseConv2D(2, depth_multiplier=2, name="d"),
            _L.SeparableConv2D(5, 3, use_bias=False, name="s"),
            _L.Flatten(),
            _L.Dense(2, name="not_in_a_head"),
        ),
        place=hosts_lib.FPN,
    )
    assert [
        (h.name, h.kind, h.attribute, tuple(h.variable.shape), h.size)
        for h in hosts.kernels
    ] == [
        ("fpn/a/kernel", "convolution", "kernel", (3, 3, 3, 4), 108),
        (
            "fpn/d/depthwise_kernel",
            "depthwise",
            "depthwise_kernel",
            (2, 2, 4, 2),
            32,
        ),
        (
            "fpn/s/depthwise_kernel",
            "depthwise",
            "depthwise_kernel",
            (3, 3, 8, 1),
            72,
        ),
        (
            "fpn/s/pointwise_kernel",
            "pointwise",
            "pointwise_kernel",
            (1, 1, 8, 5),
            40,
        ),
    ]
    assert [(h.name, h.channels) for h in hosts.batch_norms] == [("fpn/bn", 4)]
    assert [(h.name, h.size) for h in hosts.biases] == [
        ("fpn/a/bias", 4),
        ("fpn/d/bias", 8),
    ]
    assert hosts.heads == ()
    assert {host.place for host in hosts} == {"fpn"}
    assert _names(hosts)[:2] == ["fpn/a/kernel", "fpn/d/depthwise_kernel"]


def test_base_tensors_have_every_variable_once():
    hosts = _hosts(
        *_layers(
            _L.Conv2D(4, 3, name="a"),
            _L.BatchNormalization(name="bn"),
            _L.BatchNormalization(center=False, scale=False, name="bare"),
        )
    )
    assert {k: tuple(v.shape) for k, v in hosts.base_tensors().items()} == {
        "backbone/a/kernel": (3, 3, 3, 4),
        "backbone/bn/gamma": (4,),
        "backbone/bn/beta": (4,),
        "backbone/bn/moving_mean": (4,),
        "backbone/bn/moving_variance": (4,),
        "backbone/bare/moving_mean": (4,),
        "backbone/bare/moving_variance": (4,),
        "backbone/a/bias": (4,),
    }
    assert hosts.head_tensors() == {}


def test_heads_hold_every_weight_and_know_what_is_not_counted():
    separable, norm, dense = _layers(
        _L.SeparableConv2D(5, 3, name="s"),
        _L.BatchNormalization(name="bn"),
        _L.Dense(2, name="last"),
    )
    hosts = hosts_lib.find_hosts(
        [
            (hosts_lib.BOX_HEAD, separable),
            (hosts_lib.CLASS_HEAD, norm),
            (hosts_lib.CLASS_HEAD, dense),
        ],
        uncounted_head_attributes={id(dense): ("kernel", "bias")},
    )
    assert list(hosts) == []
    assert [(h.name, h.counted, h.size) for h in hosts.heads] == [
        ("box_head/s/depthwise_kernel", True, 27),
        ("box_head/s/pointwise_kernel", True, 15),
        ("box_head/s/bias", True, 5),
        ("class_head/bn/gamma", True, 5),
        ("class_head/bn/beta", True, 5),
        ("class_head/bn/moving_mean", True, 5),
        ("class_head/bn/moving_variance", True, 5),
        ("class_head/last/kernel", False, 10),
        ("class_head/last/bias", False, 2),
    ]
    assert hosts.head_tensors()["class_head/last/bias"] is dense.bias
    assert [(k.name, k.kind, k.layer) for k in hosts.head_kernels] == [
        ("box_head/s/depthwise_kernel", hosts_lib.DEPTHWISE, separable),
        ("box_head/s/pointwise_kernel", hosts_lib.POINTWISE, separable),
    ]


def test_automatic_names_become_positions():
    assert _names(_hosts(*_unnamed())) == [
        "backbone/conv2d@1/kernel",
        "backbone/conv2d@2/kernel",
        "backbone/depthwise_conv2d@1/depthwise_kernel",
        "backbone/separable_conv2d@1/depthwise_kernel",
        "backbone/separable_conv2d@1/pointwise_kernel",
        "backbone/conv2d_transpose@1/kernel",
        "backbone/batch_normalization@1",
        "backbone/batch_normalization@2",
        "backbone/batch_normalization@3",
        "backbone/conv2d@1/bias",
        "backbone/separable_conv2d@1/bias",
    ]


def test_models_built_one_after_another_have_the_same_names():
    first, second = _unnamed(), _unnamed()
    assert [a.name for a in first] != [b.name for b in second]
    assert _names(_hosts(*first)) == _names(_hosts(*second))


def test_positions_are_counted_in_each_place():
    first, second = _layers(_L.Conv2D(4, 3), _L.Conv2D(4, 3))
    hosts = hosts_lib.find_hosts(
        [(hosts_lib.BACKBONE, first), (hosts_lib.TOWER, second)]
    )
    assert _names(hosts.kernels) == [
        "backbone/conv2d@1/kernel",
        "tower/conv2d@1/kernel",
    ]


def test_names_that_only_begin_like_automatic_ones_are_kept():
    hosts = _hosts(
        *_layers(
            _L.Conv2D(4, 3, use_bias=False, name="conv2d_1_expand"),
            _L.Conv2D(4, 3, use_bias=False, name="my_conv2d_7"),
        )
    )
    assert _names(hosts) == [
        "backbone/conv2d_1_expand/kernel",
        "backbone/my_conv2d_7/kernel",
    ]


def test_a_shared_layer_counts_once_and_an_unbuilt_one_not_at_all():
    (shared,) = _layers(_L.Conv2D(3, 3, name="shared"))
    hosts = _hosts(shared, _L.Conv2D(3, 3, name="unbuilt"), shared)
    assert _names(hosts.kernels) == ["backbone/shared/kernel"]


def test_two_layers_of_one_name_are_refused():
    layers = _layers(_L.Conv2D(3, 3, name="twin"))
    layers += _layers(_L.Conv2D(3, 3, name="twin"))
    with pytest.raises(
        ValueError,
        match=r"needs a name of its own\. Received: "
        r"'backbone/twin/kernel' 2 times; name the layers of the model apart",
    ):
        _hosts(*layers)


def test_heads_of_one_name_are_told_apart_by_position():
    """SSDs without a shared predictor have one head a level, named alike."""
    layers = []
    for _ in range(3):
        layers += _layers(_L.Conv2D(3, 3, use_bias=False, name="Conv"))
    heads = _hosts(*layers, place=hosts_lib.BOX_HEAD).heads
    assert _names(heads) == [
        "box_head/Conv/kernel",
        "box_head/Conv@2/kernel",
        "box_head/Conv@3/kernel",
    ]
    assert {id(h.variable) for h in heads} == {id(x.kernel) for x in layers}


def test_twins_in_two_places_are_no_twins():
    layers = _layers(_L.Conv2D(3, 3, name="twin"))
    layers += _layers(_L.Conv2D(3, 3, name="twin"))
    hosts = hosts_lib.find_hosts(zip(("fpn", "tower"), layers, strict=True))
    assert _names(hosts.kernels) == ["fpn/twin/kernel", "tower/twin/kernel"]


# Fingerprint.


def _tensors():
    return {
        "b/kernel": np.array([[1.0, -2.5]], np.float32),
        "a/beta": np.array([3], np.int32),
    }


def test_the_fingerprint_is_this_digest():
    content = b"a/beta|<i4|(1,)\n" + struct.pack("<i", 3)
    content += b"b/kernel|<f4|(1, 2)\n" + struct.pack("<2f", 1.0, -2.5)
    expected = hashlib.sha256(content).hexdigest()
    assert hosts_lib.fingerprint(_tensors()) == expected


def test_nothing_has_the_digest_of_nothing():
    assert hosts_lib.fingerprint({}) == hashlib.sha256().hexdigest()


def test_order_layout_and_byte_order_do_not_matter():
    expected = hosts_lib.fingerprint(_tensors())
    items = list(_tensors().items())
    assert hosts_lib.fingerprint(dict(items[::-1])) == expected
    swapped = {k: v.astype(v.dtype.newbyteorder(">")) for k, v in items}
    assert hosts_lib.fingerprint(swapped) == expected
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert hosts_lib.fingerprint(
        {"m": np.asfortranarray(matrix)}
    ) == hosts_lib.fingerprint({"m": matrix})


def _renamed(tensors):
    tensors["b/kernel2"] = tensors.pop("b/kernel")


def _reshaped(tensors):
    tensors["b/kernel"] = tensors["b/kernel"].reshape(2, 1)


def _without_axes(tensors):
    tensors["a/beta"] = tensors["a/beta"].reshape(())


def _last_bit(tensors):
    tensors["b/kernel"].view(np.uint32)[0, 0] ^= 1


def _sign_of_zero(tensors):
    tensors["b/kernel"][0, 0] = -0.0


def _same_bytes_other_type(tensors):
    tensors["a/beta"] = tensors["a/beta"].view(np.float32)


def _one_less(tensors):
    del tensors["a/beta"]


def _values_swapped(tensors):
    tensors["b/kernel"] = tensors["b/kernel"][:, ::-1]


_CHANGES = [
    _renamed,
    _reshaped,
    _without_axes,
    _last_bit,
    _sign_of_zero,
    _same_bytes_other_type,
    _one_less,
    _values_swapped,
]


def test_any_change_changes_the_fingerprint():
    found = {hosts_lib.fingerprint(_tensors())}
    zero = _tensors()
    zero["b/kernel"][0, 0] = 0.0
    found.add(hosts_lib.fingerprint(zero))
    for change in _CHANGES:
        tensors = _tensors()
        change(tensors)
        found.add(hosts_lib.fingerprint(tensors))
    assert len(found) == 2 + len(_CHANGES)
    assert all(len(digest) == 64 for digest in found)

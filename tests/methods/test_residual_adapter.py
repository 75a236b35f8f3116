"""Which kernels get an adapter, with which options, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.protos import patch_pb2


def _config(options=""):
    text = f"part {{ residual_adapter {{ {options} }} }}"
    return text_format.Parse(text, patch_pb2.Patch())


def _hosts(model):
    return hosts_lib.find_hosts(("backbone", layer) for layer in model.layers)


@pytest.fixture(scope="module")
def mobilenet():
    return _hosts(
        keras.applications.MobileNetV2(
            weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35
        )
    )


@pytest.fixture(scope="module")
def resnet():
    return _hosts(
        keras.applications.ResNet50(
            weights=None, include_top=False, input_shape=(32, 32, 3)
        )
    )


def _patches(hosts, options=""):
    return methods.build(_config(options), hosts).host_patches


def test_every_convolution_but_depthwise_ones(mobilenet):
    patched = set(_patches(mobilenet))
    assert patched == {
        host.name
        for host in mobilenet.kernels
        if host.kind != hosts_lib.DEPTHWISE
    }
    assert len(patched) == 1 + 16 + 17 + 1


@pytest.mark.parametrize("base", ["mobilenet", "resnet"])
def test_the_trunks_are_all_of_it(base, request):
    hosts = request.getfixturevalue(base)
    early, mid, late = (
        set(_patches(hosts, f"placement: {name}"))
        for name in ("EARLY", "MID", "LATE")
    )
    assert early | mid | late == set(_patches(hosts))
    assert not (early & mid or mid & late or early & late)
    assert min(map(len, (early, mid, late))) >= 10


def test_the_second_of_a_block(mobilenet, resnet):
    seconds = _patches(mobilenet, "placement: SECOND_OF_BLOCK")
    assert list(seconds) == [
        f"backbone/block_{number}_project/kernel" for number in range(1, 17)
    ]
    seconds = _patches(resnet, "placement: SECOND_OF_BLOCK")
    assert len(seconds) == 16
    assert all(name.endswith("_2_conv/kernel") for name in seconds)


def test_a_rank_is_for_1_x_1_kernels(resnet):
    for topology in ("PARALLEL", "SERIES"):
        patches = _patches(resnet, f"topology: {topology} rank: 7")
        ranks = {
            tuple(host.variable.shape[:2]): patches[host.name].rank
            for host in resnet.kernels
        }
        assert ranks == {(7, 7): 0, (3, 3): 0, (1, 1): 7}


def test_a_rank_without_1_x_1_kernels_is_refused(resnet):
    with pytest.raises(ValueError, match="rank` is for 1 x 1 kernels.* 9 and"):
        _patches(resnet, "placement: SECOND_OF_BLOCK rank: 9")


def test_dropout_is_for_the_second_adapter_of_a_block(mobilenet):
    patches = _patches(mobilenet, "dropout: 0.5")
    dropping = {name for name, patch in patches.items() if patch.dropout}
    assert {patches[name].dropout for name in dropping} == {0.5}
    assert dropping == {
        f"backbone/block_{number}_project/kernel" for number in range(1, 17)
    }


@pytest.mark.parametrize(
    ("options", "decay"),
    [
        ("", 1e-4),
        ("decay: SMALL_DATA", 0.002),
        ("decay: MEDIUM_DATA", 0.0005),
        ("decay: LARGE_DATA", 0.0001),
        ("weight_decay: 0.25", 0.25),
    ],
)
def test_weight_decay_as_in_the_paper(options, decay, small_hosts):
    layers = _patches(small_hosts, options).values()
    assert layers
    for layer in layers:
        assert layer.weight_decay == pytest.approx(decay, rel=1e-6)


def _depthwise_in_the_middle():
    return keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, name="a", input_shape=(9, 9, 3)),
            keras.layers.DepthwiseConv2D(3, name="b"),
            keras.layers.Conv2D(4, 1, name="c"),
        ]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "placement: MID",
            "must hold a convolution that is not depthwise. Received: MID, "
            "with 1 of the base's 3 kernels there, all of them depthwise",
        ),
        (
            "placement: SECOND_OF_BLOCK",
            "Received: SECOND_OF_BLOCK, with 0 of the base's 3 kernels",
        ),
        (
            "rank: 5",
            "rank` must be at most the channels of every 1 x 1 kernel. "
            "Received: 5, and backbone/c/kernel has 4",
        ),
        ("rank: -1", "`residual_adapter.rank` must be >= 0.* Received: -1"),
        (
            "dropout: 0.5",
            "dropout` is for the second adapter of each residual block. "
            "Received: 0.5 and placement ALL, which holds none",
        ),
        ("dropout: 0.95", "must be >= 0, <= 0.9 and finite. Received: 0.95"),
        (
            "weight_decay: 0.5 decay: SMALL_DATA",
            "`weight_decay` or `decay`, not both. Received: 0.5 and SMALL_DATA",
        ),
    ],
)
def test_one_clear_error_before_training(options, message):
    hosts = _hosts(_depthwise_in_the_middle())
    with pytest.raises(ValueError, match=message) as error:
        methods.build(_config(options), hosts)
    assert "pipeline.config, [object_detection_patch.patch])." in str(
        error.value
    )


def test_the_channels_of_a_series_adapter_are_the_outputs():
    model = keras.Sequential(
        [keras.layers.Conv2D(8, 1, name="a", input_shape=(9, 9, 2))]
    )
    _patches(_hosts(model), "topology: SERIES rank: 8")
    with pytest.raises(ValueError, match="backbone/a/kernel has 2"):
        _patches(_hosts(model), "rank: 3")


def test_a_kernel_without_a_centre():
    model = keras.Sequential(
        [keras.layers.Conv2D(8, 2, name="a", input_shape=(9, 9, 2))]
    )
    with pytest.raises(
        ValueError, match="odd height and width. Received: backbone/a/kernel"
    ):
        _patches(_hosts(model))
    assert _patches(_hosts(model), "topology: SERIES")


def test_more_outputs_than_a_file_can_mix():
    model = keras.Sequential(
        [keras.layers.Conv2D(4097, 1, name="a", input_shape=(1, 1, 1))]
    )
    with pytest.raises(ValueError, match="at most 4096. Received.* with 4097"):
        _patches(_hosts(model), "topology: SERIES")
    assert _patches(_hosts(model))


def _one_block():
    return keras.Sequential(
        [
            keras.layers.Conv2D(
                4, 1, name="block_1_expand", input_shape=(5, 5, 3)
            ),
            keras.layers.Conv2D(4, 1, name="block_1_project"),
        ]
    )


def test_dropout_is_active_in_training_alone():
    """Through the model, whose layers read kernels without a training flag."""
    keras.utils.set_random_seed(1)
    model = _one_block()
    patch = patch_model(model, _config("dropout: 0.5"))
    adapter = patch.host_patches["backbone/block_1_project/kernel"]
    adapter.right.assign(np.ones((4, 4), np.float32))
    images = tf.random.normal((2, 5, 5, 3))

    still = [model(images, training=False).numpy() for _ in range(2)]
    moving = [model(images, training=True).numpy() for _ in range(4)]
    assert np.array_equal(*still)
    assert any(not np.allclose(moving[0], other) for other in moving[1:])


def test_taking_the_patch_off_restores_the_base_bit_for_bit(
    make_patched, images
):
    found = make_patched(_config("topology: SERIES"))
    before = {host.name: host.variable.numpy() for host in found.hosts.kernels}
    found.patch.detach()
    outputs = found.model(images, training=False).numpy()
    found.patch.attach()
    started = found.model(images, training=False).numpy()
    assert np.array_equal(started, outputs), "not the identity at its start"
    for patch in found.patch.host_patches.values():
        patch.right.assign(tf.random.normal(patch.right.shape))
    assert not np.allclose(found.model(images, training=False), outputs)

    found.patch.detach()
    again = found.model(images, training=False).numpy()
    assert again.tobytes() == outputs.tobytes()
    for host in found.hosts.kernels:
        assert host.variable.numpy().tobytes() == before[host.name].tobytes()

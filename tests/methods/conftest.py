"""Small models with every kind of host, and patches for them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import patch_method, presets

CLASSES = 3
PIXELS = 6


def _model() -> Any:
    layers = keras.layers
    inputs = keras.Input((PIXELS, PIXELS, 3))
    outputs = inputs
    for layer in (
        layers.Conv2D(5, 3, activation="relu", name="stem"),
        layers.BatchNormalization(momentum=0.9, name="stem_bn"),
        layers.DepthwiseConv2D(2, name="dw"),
        layers.Conv2D(6, 1, use_bias=False, activation="relu", name="pw"),
        layers.BatchNormalization(momentum=0.9, name="pw_bn"),
        layers.SeparableConv2D(4, 2, name="tower_conv"),
        layers.BatchNormalization(momentum=0.9, name="tower_bn"),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(CLASSES, name="head"),
    ):
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def _blocks_model() -> Any:
    """Stem, four inverted residual blocks under MobileNetV2's names, top."""
    layers = keras.layers
    inputs = keras.Input((PIXELS, PIXELS, 3))
    outputs = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    outputs = layers.BatchNormalization(momentum=0.9, name="stem_bn")(outputs)
    for number in range(1, 5):
        outputs = _block(f"block_{number}", outputs)
    outputs = layers.Conv2D(5, 1, name="Conv_1")(outputs)
    outputs = layers.BatchNormalization(momentum=0.9, name="top_bn")(outputs)
    # Not a ReLU: with frozen statistics every channel might be dead.
    outputs = layers.Flatten()(layers.LeakyReLU()(outputs))
    return keras.Model(inputs, layers.Dense(CLASSES, name="head")(outputs))


def _block(name: str, inputs: Any) -> Any:
    layers = keras.layers
    outputs = inputs
    for role, layer in (
        ("expand", layers.Conv2D(6, 1, use_bias=False, name=f"{name}_expand")),
        (
            "depthwise",
            layers.DepthwiseConv2D(
                3, use_bias=False, padding="same", name=f"{name}_depthwise"
            ),
        ),
        (
            "project",
            layers.Conv2D(4, 1, use_bias=False, name=f"{name}_project"),
        ),
    ):
        outputs = layers.BatchNormalization(
            momentum=0.9, name=f"{name}_{role}_BN"
        )(layer(outputs))
        if role != "project":
            # As the Object Detection API makes them.
            outputs = layers.Lambda(tf.nn.relu6, name=f"{name}_{role}_relu")(
                outputs
            )
    return layers.Add(name=f"{name}_add")([inputs, outputs])


def _needs_blocks(config: Any) -> bool:
    return any(
        part.WhichOneof("part") in ("mobile_tl", "block_tuning")
        for part in presets.resolve_parts(config)
    )


def _randomise(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    for variable in model.weights:
        values = 0.5 * random.standard_normal(variable.shape)
        if "variance" in variable.name:
            values = random.uniform(0.05, 2.0, variable.shape)
        variable.assign(values.astype(np.float32))


def _place(name: str) -> str:
    if name.startswith("tower"):
        return hosts_lib.TOWER
    return hosts_lib.CLASS_HEAD if name == "head" else hosts_lib.BACKBONE


def find_hosts(model: Any) -> hosts_lib.Hosts:
    return hosts_lib.find_hosts(
        (_place(layer.name), layer) for layer in model.layers
    )


@dataclasses.dataclass
class Patched:
    """A model, its hosts and its patch, attached."""

    model: Any
    hosts: hosts_lib.Hosts
    patch: patch_method.PatchMethod


@pytest.fixture(scope="session")
def make_model():
    """Seed -> a small model with values that nothing can be equal to.

    With `blocks` it is one of inverted residual blocks.
    """

    def make(seed: int = 0, *, blocks: bool = False) -> Any:
        keras.utils.set_random_seed(seed)
        model = _blocks_model() if blocks else _model()
        _randomise(model, seed)
        return model

    return make


@pytest.fixture(scope="session")
def make_patched(make_model):
    """(config, seed) -> a small model for it, patched and started."""

    def make(config: Any, seed: int = 0) -> Patched:
        model = make_model(seed, blocks=_needs_blocks(config))
        hosts = find_hosts(model)
        patch = methods.build(config, hosts)
        model.patch = patch
        patch.attach()
        patch.initialise()
        return Patched(model, hosts, patch)

    return make


@pytest.fixture(scope="session")
def small_hosts(make_model) -> hosts_lib.Hosts:
    """Hosts of an unpatched small model; only read them."""
    return find_hosts(make_model())


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    random = np.random.default_rng(1)
    shape = (8, PIXELS, PIXELS, 3)
    return random.standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    return np.arange(8) % CLASSES


@pytest.fixture
def one_kernel():
    """values -> a built convolution with that kernel, as a host."""

    def make(values: Any, **options: Any) -> hosts_lib.HostKernel:
        values = np.asarray(values, np.float32)
        height, width, inputs, outputs = values.shape
        layer = keras.layers.Conv2D(
            outputs, (height, width), use_bias=False, name="conv", **options
        )
        layer.build((None, None, None, inputs))
        layer.kernel.assign(values)
        (host,) = hosts_lib.find_hosts([("backbone", layer)]).kernels
        return host

    return make


@pytest.fixture(scope="session")
def find_hosts_of():
    """Small model -> its hosts."""
    return find_hosts

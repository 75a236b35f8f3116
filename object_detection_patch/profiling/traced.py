"""The network of a built Keras model, from one traced forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.methods import PatchMethod, frozen_int8
from object_detection_patch.profiling import graph
from object_detection_patch.profiling.network import Network, Parameter


def of_keras_model(model: Any, batch_size: int) -> Network:
    """The network of a plain Keras model of one input, as it trains.

    Args:
      model: built, with a known shape of its input but for the batch.
    """
    shape = (batch_size, *model.input_shape[1:])
    return of_forward(model, lambda x: model(x, training=True), shape)


def of_forward(
    model: Any, forward: Callable[[Any], Any], shape: tuple[int, ...]
) -> Network:
    """The network of a function of one float32 tensor.

    Args:
      model: owns the variables that `forward` reads.
      forward: returns a tensor or a nest of tensors, all of which train.
      shape: of its argument, the batch among it.
    """
    function = tf.function(forward)
    traced = function.get_concrete_function(tf.TensorSpec(shape))
    return graph.network_of(
        traced.graph,
        tf.nest.flatten(traced.structured_outputs),
        parameters=_parameters(model),
        layer_names=set(_leaf_names(model)),
    )


def _parameters(model: Any) -> dict[int, Parameter]:
    trained = {id(variable) for variable in model.trainable_variables}
    in_int8 = set(_held_in_int8(model))
    return {
        # Numbered, because Keras gives several variables one name.
        id(variable.handle): Parameter(
            f"{variable.name}#{number}",
            variable.shape.num_elements(),
            id(variable) in trained,
            bits=frozen_int8.BITS if id(variable) in in_int8 else 32,
        )
        for number, variable in enumerate(model.variables)
    }


def _held_in_int8(model: Any) -> Iterator[int]:
    """Ids of the kernels that the model's patch, if any, holds in int8."""
    patch = getattr(model, "patch", None)
    if isinstance(patch, PatchMethod):
        for host in patch.hosts.kernels:
            held = patch.host_patches.get(host.name)
            if isinstance(held, frozen_int8.FrozenInt8):
                yield id(host.variable)


def _leaf_names(model: Any) -> Iterator[str]:
    for layer in _layers(model):
        if not any(True for _ in _layers(layer)):
            yield layer.name


def _layers(module: Any) -> Iterator[Any]:
    for found in module.submodules:
        if isinstance(found, keras.layers.Layer):
            yield found

"""Patches for any Keras model, without the Object Detection API."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import presets
from object_detection_patch.methods.patch_method import PatchMethod
from object_detection_patch.protos import patch_pb2


def patch_model(model: Any, config: patch_pb2.Patch | str) -> PatchMethod:
    """Attaches a patch to a built Keras model, in place.

    Convolutions and BatchNorms become hosts of place `backbone`; `Dense`
    layers are the task's head and train in full; other layers are frozen,
    because a patch could not ship what they learn. The base is what the model
    holds now. Compile the model afterwards: what trains has changed, and the
    patch's penalties have joined the model's losses.

    Args:
      model: built tf_keras model (Sequential, functional or subclassed).
      config: a `Patch` message, or the name of a preset.

    Returns:
      The patch, also owned by the model as `model.patch`; its `edits()` are
      what ships.

    Raises:
      ValueError: for a model that is not built, has no convolution, or is
        patched already, and for a config that it cannot carry.
    """
    _check_model(model)
    if isinstance(getattr(model, "patch", None), PatchMethod):
        raise ValueError(
            "A model carries one patch. Received: a model that already has "
            f"{model.patch.method}."
        )
    if isinstance(config, str):
        config = presets.patch_config(config)
    if config.target_file_bytes:
        raise ValueError(
            "`target_file_bytes` is kept by the OD API's training loop, which "
            "knows labels and steps. Received: it in `patch_model`."
        )
    hosts = _hosts(model)
    method = methods.build(config, hosts)
    _freeze_others(model, hosts)
    _own(model, method)
    method.attach()
    method.initialise()
    if method.penalties():
        model.add_loss(lambda: tf.add_n(list(method.penalties().values())))
    return method


def _check_model(model: Any) -> None:
    kind = type(model)
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`patch_model` needs a model of Keras 2 (tf_keras; "
            "`object_detection_patch.keras_version.keras`). Received: "
            f"{kind.__module__}.{kind.__qualname__}."
        )
    if not model.built:
        raise ValueError(
            "`patch_model` needs a built model; call it once on an input. "
            f"Received: {model.name} ({kind.__qualname__}), not built."
        )


def _hosts(model: Any) -> hosts_lib.Hosts:
    layers = list(_leaves(model))
    hosts = hosts_lib.find_hosts(
        (
            hosts_lib.CLASS_HEAD
            if isinstance(layer, keras.layers.Dense)
            else hosts_lib.BACKBONE,
            layer,
        )
        for layer in layers
    )
    if not hosts.kernels:
        raise ValueError(
            "`patch_model` needs a model with convolutions. Received: "
            f"{model.name} with {len(layers)} layers and none."
        )
    return dataclasses.replace(hosts, backbone=_backbone(model))


def _backbone(model: Any) -> hosts_lib.Backbone | None:
    # Keras' own test for a model with a graph that can be walked.
    if not getattr(model, "_is_graph_network", False) or isinstance(
        model, keras.Sequential
    ):
        return None
    return hosts_lib.Backbone(model, model, "call", model.call)


def _freeze_others(model: Any, hosts: hosts_lib.Hosts) -> None:
    kept = {id(host.layer) for host in hosts}
    for layer in _leaves(model):
        if id(layer) not in kept and not isinstance(layer, keras.layers.Dense):
            layer.trainable = False


def _own(model: Any, method: PatchMethod) -> None:
    model.patch = method
    if isinstance(model, keras.Sequential):
        # It trains and saves only what `add` put there (tf_keras 2.20);
        # called as a layer, a patch passes its input on.
        model._self_tracked_trackables.append(method)  # noqa: SLF001


def _leaves(model: Any) -> Iterator[Any]:
    # Keras offers no public way to walk the sublayers of a subclassed model.
    for layer in model._flatten_layers():  # noqa: SLF001
        inner = layer._flatten_layers(  # noqa: SLF001
            recursive=False, include_self=False
        )
        if not list(inner):
            yield layer

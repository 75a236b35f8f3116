"""Finds the hosts of an SSD of the Object Detection API, with stable names.

Nothing is listed by hand: every Keras layer of the feature extractor and the
box predictor is visited, and its place follows from its owner.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import Hosts


def find_ssd_hosts(model: Any) -> Hosts:
    """The hosts of a built SSDMetaArch with Keras parts, in network order.

    Places: `backbone` is the extractor's classification backbone, `fpn` the
    rest of the extractor, `tower` the box predictor without its heads.

    Raises:
      ValueError: if the model has no Keras extractor or no kernel.
    """
    extractor = getattr(model, "feature_extractor", None)
    if extractor is None or not extractor.is_keras_model:
        raise ValueError(
            "A patch needs an SSD with a Keras feature extractor (a type "
            "that ends in `_keras`; model.ssd.feature_extractor.type in "
            f"pipeline.config). Received: {type(model).__name__} with "
            f"{type(extractor).__name__}."
        )
    class_layers = list(_class_head_layers(model))
    hosts = hosts_lib.find_hosts(
        _placed_layers(model),
        uncounted_head_attributes={
            id(layer): _last_layer_attributes(layer) for layer in class_layers
        },
    )
    if not hosts.kernels:
        raise ValueError(
            "A patch needs a built base model. Received: "
            f"{type(extractor).__name__} without any kernel yet."
        )
    return dataclasses.replace(hosts, backbone=_backbone(extractor))


def _backbone(extractor: Any) -> hosts_lib.Backbone | None:
    attribute = "classification_backbone"
    model = getattr(extractor, attribute, None)
    if model is None:
        return None
    return hosts_lib.Backbone(model, extractor, attribute, model)


def _placed_layers(model: Any) -> Iterator[tuple[str, Any]]:
    extractor = model.feature_extractor
    backbone = getattr(extractor, "classification_backbone", None)
    if backbone is not None:
        for layer in _leaves(backbone):
            yield hosts_lib.BACKBONE, layer
    for layer in _leaves(extractor):
        yield hosts_lib.FPN, layer
    head_layers = {id(layer): place for place, layer in _head_layers(model)}
    for layer in _leaves(model._box_predictor):  # noqa: SLF001
        yield head_layers.get(id(layer), hosts_lib.TOWER), layer


def _head_layers(model: Any) -> Iterator[tuple[str, Any]]:
    for head in _heads(model):
        place = (
            hosts_lib.CLASS_HEAD if _is_class_head(head) else hosts_lib.BOX_HEAD
        )
        for layer in _leaves(head):
            yield place, layer


def _class_head_layers(model: Any) -> Iterator[Any]:
    for head in _heads(model):
        if _is_class_head(head):
            yield from _leaves(head)


def _heads(model: Any) -> Iterator[Any]:
    from object_detection.predictors.heads import head as head_lib

    for layer in model._box_predictor._flatten_layers():  # noqa: SLF001
        if isinstance(layer, head_lib.KerasHead):
            yield layer


def _is_class_head(head: Any) -> bool:
    from object_detection.predictors.heads import keras_class_head

    return type(head).__module__ == keras_class_head.__name__


def _last_layer_attributes(layer: Any) -> tuple[str, ...]:
    """What depends on the number of classes: all but a depthwise kernel."""
    if getattr(layer, "pointwise_kernel", None) is not None:
        return ("pointwise_kernel", "bias")
    return ("kernel", "bias")


def _leaves(layer: Any) -> Iterator[Any]:
    # Keras offers no public way to walk the sublayers of a subclassed layer.
    for found in layer._flatten_layers():  # noqa: SLF001
        inner = found._flatten_layers(  # noqa: SLF001
            recursive=False, include_self=False
        )
        if not list(inner):
            yield found

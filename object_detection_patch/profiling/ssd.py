"""The profile of what a pipeline.config trains."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from object_detection_patch.methods import presets
from object_detection_patch.od_api import base_model, pipeline_config
from object_detection_patch.profiling import costs, traced
from object_detection_patch.profiling.network import Network
from object_detection_patch.training import patched_model

_OUTPUTS = ("box_encodings", "class_predictions_with_background")
# Float32 values an optimizer of the OD API holds for a trained parameter.
_SLOTS = {
    "adam_optimizer": 2,
    "momentum_optimizer": 1,
    "rms_prop_optimizer": 2,
}


@dataclasses.dataclass(frozen=True)
class Profile:
    """What one training step of a config costs.

    Args:
      method: name of the patch method, or `no patch`.
      batch_size: images in a step.
      image_size: (height, width) in pixels.
      layers: costs in the order of the network.
    """

    method: str
    batch_size: int
    image_size: tuple[int, int]
    layers: list[costs.Cost]

    @property
    def total(self) -> costs.Cost:
        return costs.in_sum(self.layers)


def profile(pipeline_config_path: str) -> Profile:
    """Counts one training step of a config's SSD, without running it.

    From resized images to box and class predictions; matching of boxes and
    the losses, whose tensors are no larger than the predictions, are left
    out, and so are penalties of the patch.

    Raises:
      ValueError: for a config that cannot be built, an optimizer that is not
        known here, or images of no fixed size.
    """
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    config = pipeline_config.patch_of(pipeline)
    slots = _slots(pipeline, pipeline_config_path)
    batch_size = pipeline.train_config.batch_size
    size = _image_size(pipeline, pipeline_config_path)
    if config is None:
        model = base_model.build_model(pipeline.model, is_training=True)
    else:
        model = patched_model.build_patched(
            pipeline.model, config, is_training=True
        )
    layers = costs.by_layer(network_of(model, batch_size, size), slots=slots)
    method = "no patch" if config is None else presets.method_name(config)
    return Profile(method, batch_size, size, layers)


def network_of(
    model: Any,
    batch_size: int,
    image_size: tuple[int, int],
    *,
    is_training: bool = True,
) -> Network:
    """The forward pass of a built SSD, in the mode it trains or detects in."""
    shapes = tf.constant([[*image_size, 3]] * batch_size)
    base_model.set_training(model, is_training)
    return traced.of_forward(
        model,
        lambda images: _predictions(model, images, shapes),
        (batch_size, *image_size, 3),
    )


def _predictions(model: Any, images: Any, shapes: Any) -> list[Any]:
    found = model.predict(images, shapes)
    return [found[key] for key in _OUTPUTS]


def _slots(pipeline: Any, path: str) -> int:
    optimizer = pipeline.train_config.optimizer
    kind = optimizer.WhichOneof("optimizer")
    if kind not in _SLOTS:
        raise ValueError(
            "A profile counts the optimizer's memory, so "
            "`train_config.optimizer` must be one of "
            f"{', '.join(_SLOTS)}. Received: {kind} ({path})."
        )
    if kind == "momentum_optimizer":
        momentum = optimizer.momentum_optimizer.momentum_optimizer_value
        return 1 if momentum else 0
    return _SLOTS[kind]


def _image_size(pipeline: Any, path: str) -> tuple[int, int]:
    resizer = pipeline.model.ssd.image_resizer
    kind = resizer.WhichOneof("image_resizer_oneof")
    if kind != "fixed_shape_resizer":
        raise ValueError(
            "A profile needs images of one size: `model.ssd.image_resizer` "
            "must be a `fixed_shape_resizer`. Received: "
            f"{kind} ({path})."
        )
    fixed = resizer.fixed_shape_resizer
    return fixed.height, fixed.width

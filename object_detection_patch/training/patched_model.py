"""An SSD of the Object Detection API with a task's patch attached."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from object_detection_patch import methods
from object_detection_patch.methods import kernel_view
from object_detection_patch.od_api import base_model, host_layers
from object_detection_patch.protos import patch_pb2


def patch_ssd(
    model: Any, config: patch_pb2.Patch, *, freeze_base: bool = True
) -> Any:
    """Attaches the patch of `config` to an SSDMetaArch, in place.

    The model keeps its variables and their checkpoint keys; the patch is a
    child named `patch`, so the OD API's own loop trains, saves and restores
    it. Call it under the distribution strategy that trains the model.

    Args:
      freeze_base: see `PatchMethod.attach`.

    Raises:
      ValueError: for a model or a config that cannot be patched.
    """
    base_model.force_build(model)
    hosts = host_layers.find_ssd_hosts(model)
    method = methods.build(config, hosts)
    model.__class__ = _patched_class(type(model))
    model.patch = method
    method.attach(freeze_base=freeze_base)
    return model


def build_patched(
    model_config: Any,
    config: patch_pb2.Patch,
    *,
    is_training: bool = False,
    freeze_base: bool = True,
) -> Any:
    """Builds the SSD of a DetectionModel message and patches it."""
    with tf.init_scope():
        model = base_model.build_model(model_config, is_training=is_training)
        return patch_ssd(model, config, freeze_base=freeze_base)


@functools.cache
def _patched_class(architecture: type[Any]) -> type[Any]:
    # A mixin made when it is needed: importing SSDMetaArch needs the OD API.
    return type(
        f"Patched{architecture.__name__}", (_PatchedMixin, architecture), {}
    )


class _PatchedMixin:
    """What a patched SSD does otherwise than its base.

    `patch` has no default here: a class attribute of that name would keep
    Keras from tracking the instance's, and its variables would vanish.
    """

    def predict(self, preprocessed_inputs: Any, *args: Any, **kwargs: Any):
        # The predictor's own flag stays at True when the OD API evaluates.
        self._box_predictor._is_training = self._is_training  # noqa: SLF001
        self.patch.set_training(self._is_training)
        with kernel_view.computed_once():
            return super().predict(preprocessed_inputs, *args, **kwargs)

    def loss(self, *args: Any, **kwargs: Any) -> dict[str, tf.Tensor]:
        """The detection losses and the patch's, finite while training.

        Evaluation is not checked: its loop takes any error for the end of
        the data.
        """
        detection = dict(super().loss(*args, **kwargs))
        penalties = {
            f"Loss/{name}_loss": term
            for name, term in self.patch.penalties().items()
        }
        if not self._is_training:
            return detection | penalties
        # A patch that is not finite spoils the detection losses too; naming
        # it first tells more.
        penalties = _checked(penalties)
        with tf.control_dependencies(list(penalties.values())):
            return _checked(detection) | penalties


def _checked(losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {
        name: tf.debugging.check_numerics(value, name)
        for name, value in losses.items()
    }

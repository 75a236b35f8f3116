"""A kernel multiplied by a 1-bit mask: Piggyback."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from object_detection_patch.hosts import HostKernel
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.binarize import binarize
from object_detection_patch.patch_file import edits


@keras.utils.register_keras_serializable("object_detection_patch")
class KeepMaskKernel(base.KernelPatch):
    """kernel' = kernel * M,  M = [R > 0].

    Args:
      initial_latent: R starts here everywhere, so the task starts at the
        base model.

    Input: the frozen kernel, float [h, w, in, out]; output alike.
    Stored per host: one bit a weight.
    Reference: the PIGGYBACK baseline of SpotPatch, Section 4.
    """

    def __init__(self, *, initial_latent: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_latent = initial_latent

    def build(self, kernel_shape: Any) -> None:
        self.latent_mask = self.add_weight(
            name="latent_mask",
            shape=kernel_shape,
            initializer=keras.initializers.Constant(self.initial_latent),
        )
        self.built = True

    def call(self, kernel: tf.Tensor) -> tf.Tensor:
        frozen = tf.stop_gradient(tf.convert_to_tensor(kernel))
        return frozen * binarize(tf.convert_to_tensor(self.latent_mask))

    def edits(self, host: HostKernel) -> list[edits.Edit]:
        return [edits.KeepMasked(host.name, self.latent_mask.numpy() > 0)]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"initial_latent": self.initial_latent}


class Piggyback(base.Part):
    """A multiplicative mask on every kernel of the base model."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        base.check_option(
            "piggyback",
            "initial_latent",
            options.initial_latent,
            minimum=0.0,
            open_=True,
        )

    def patches(self, host: base.Host) -> bool:
        return isinstance(host, HostKernel)

    def attach(self, host: HostKernel) -> KeepMaskKernel:
        patch = KeepMaskKernel(
            initial_latent=self.options.initial_latent,
            name=base.layer_name(host),
        )
        patch.build(host.variable.shape)
        return patch

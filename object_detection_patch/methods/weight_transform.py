"""Affine transform of a kernel by a 1-bit mask: WeightTrans."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.hosts import HostKernel
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.binarize import binarize
from object_detection_patch.patch_file import edits


@keras.utils.register_keras_serializable("object_detection_patch")
class AffineMaskKernel(base.KernelPatch):
    """kernel' = k0 * kernel + k1 + k2 * M,  M = [R > 0].

    Args:
      latent_range: R starts uniform in [-latent_range, latent_range].
      initial_scale: with s = initial_scale times the host kernel's standard
        deviation, training starts at k0 = 1, k1 = s, k2 = -2 s, which is the
        sign residual of SpotPatch (Section 3.1).

    Input: the frozen kernel, float [h, w, in, out]; output alike.
    Stored per host: one bit a weight and three floats.
    Reference: the WEIGHTTRANS baseline of SpotPatch, Sections 3.1 and 4.
    """

    def __init__(
        self,
        *,
        latent_range: float = 0.01,
        initial_scale: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.latent_range = latent_range
        self.initial_scale = initial_scale

    def build(self, kernel_shape: Any) -> None:
        self.latent_mask = self.add_weight(
            name="latent_mask",
            shape=kernel_shape,
            initializer=keras.initializers.RandomUniform(
                -self.latent_range, self.latent_range
            ),
        )
        self.k0 = self.add_weight(name="k0", shape=(), initializer="ones")
        self.k1 = self.add_weight(name="k1", shape=(), initializer="zeros")
        self.k2 = self.add_weight(name="k2", shape=(), initializer="zeros")
        self.built = True

    def initialise(self, host: HostKernel) -> None:
        scale = self.initial_scale * float(np.std(host.variable.numpy()))
        self.k1.assign(scale)
        self.k2.assign(-2.0 * scale)

    def call(self, kernel: tf.Tensor) -> tf.Tensor:
        frozen = tf.stop_gradient(tf.convert_to_tensor(kernel))
        latent = tf.convert_to_tensor(self.latent_mask)
        return self.k0 * frozen + self.k1 + self.k2 * binarize(latent)

    def edits(self, host: HostKernel) -> list[edits.Edit]:
        return [
            edits.AffineMask(
                host.name,
                self.latent_mask.numpy() > 0,
                float(self.k0.numpy()),
                float(self.k1.numpy()),
                float(self.k2.numpy()),
            )
        ]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "latent_range": self.latent_range,
            "initial_scale": self.initial_scale,
        }


class WeightTransform(base.Part):
    """A masked affine transform of every kernel of the base model."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        for option in ("latent_range", "initial_scale"):
            base.check_option(
                "weight_transform",
                option,
                getattr(options, option),
                minimum=0.0,
                open_=True,
            )

    def patches(self, host: base.Host) -> bool:
        return isinstance(host, HostKernel)

    def attach(self, host: HostKernel) -> AffineMaskKernel:
        patch = AffineMaskKernel(
            latent_range=self.options.latent_range,
            initial_scale=self.options.initial_scale,
            name=base.layer_name(host),
        )
        patch.build(host.variable.shape)
        return patch

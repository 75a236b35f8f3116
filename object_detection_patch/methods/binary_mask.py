"""1-bit residual kernel with a learned gate: SpotPatch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.hosts import HostKernel, Hosts
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.binarize import binarize, through_sigmoid
from object_detection_patch.patch_file import edits
from object_detection_patch.protos import patch_pb2


@keras.utils.register_keras_serializable("object_detection_patch")
class BinaryMaskKernel(base.GatedKernelPatch):
    """kernel' = kernel + g * w * (1 - 2 M),  M = [R > 0],  g = [f > 0].

    `R` (latent mask) and `f` (latent gate) learn through the gradient of the
    sigmoid; `w` (residual scale) learns as it is. `f` is kept divided by
    `gate_rate`, which makes its steps that much smaller than the others'
    under optimizers that normalise gradients (Adam), and smaller by the
    square of it under SGD.

    Args:
      lambda_sps: weight of L_sps, this kernel's share being g.
      lambda_adp: weight of L_adp, this kernel's share being w^2.
      latent_range: R starts uniform in [-latent_range, latent_range].
      initial_scale: w starts at this times the standard deviation of the
        host kernel (`initialise`).
      initial_gate: f starts here.
      gate_rate: step size of f relative to the learning rate, under Adam.

    Input: the frozen kernel, float [h, w, in, out]; output alike.
    Stored per host with an open gate: one bit a weight and one float, g * w.
    Reference: SpotPatch, Ye et al., Eq. 2 to 6. The paper does not give
    initial values; ours were found by trial.
    """

    def __init__(
        self,
        *,
        lambda_sps: float = 1e-4,
        lambda_adp: float = 2e-5,
        latent_range: float = 0.01,
        initial_scale: float = 0.2,
        initial_gate: float = 0.1,
        gate_rate: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lambda_sps = lambda_sps
        self.lambda_adp = lambda_adp
        self.latent_range = latent_range
        self.initial_scale = initial_scale
        self.initial_gate = initial_gate
        self.gate_rate = gate_rate

    def build(self, kernel_shape: Any) -> None:
        self.latent_mask = self.add_weight(
            name="latent_mask",
            shape=kernel_shape,
            initializer=keras.initializers.RandomUniform(
                -self.latent_range, self.latent_range
            ),
        )
        self.residual_scale = self.add_weight(
            name="residual_scale", shape=(), initializer="zeros"
        )
        self.latent_gate = self.add_weight(
            name="latent_gate",
            shape=(),
            initializer=keras.initializers.Constant(
                self.initial_gate / self.gate_rate
            ),
        )
        self.built = True

    def initialise(self, host: HostKernel) -> None:
        deviation = float(np.std(host.variable.numpy()))
        self.residual_scale.assign(self.initial_scale * deviation)

    def gate(self) -> tf.Tensor:
        """The hard gate g, scalar 0 or 1, with the sigmoid's gradient."""
        return binarize(self.latent(), self.allowed())

    def latent(self) -> tf.Tensor:
        return self.gate_rate * self.latent_gate

    def call(self, kernel: tf.Tensor) -> tf.Tensor:
        return add_signed(
            tf.convert_to_tensor(kernel),
            tf.convert_to_tensor(self.latent_mask),
            gated(
                tf.convert_to_tensor(self.residual_scale),
                tf.convert_to_tensor(self.latent_gate),
                self.gate_rate,
                self.allowed(),
            ),
        )

    def penalties(self) -> dict[str, tf.Tensor]:
        return {
            "sparsity": self.lambda_sps * self.gate(),
            "adaptation": self.lambda_adp * tf.square(self.residual_scale),
        }

    @classmethod
    def summed_penalties(
        cls, patches: Sequence[BinaryMaskKernel]
    ) -> dict[str, tf.Tensor]:
        def vector(name: str) -> Any:
            return np.array([getattr(p, name) for p in patches], np.float32)

        latents = tf.stack([patch.latent_gate for patch in patches])
        scales = tf.stack([patch.residual_scale for patch in patches])
        allowed = tf.stack([patch.allowed() for patch in patches])
        gates = binarize(vector("gate_rate") * latents, allowed)
        return {
            "sparsity": tf.reduce_sum(vector("lambda_sps") * gates),
            "adaptation": tf.reduce_sum(
                vector("lambda_adp") * tf.square(scales)
            ),
        }

    def edits(self, host: HostKernel) -> list[edits.Edit]:
        # A residual of 0 changes nothing, and a file may not hold it.
        return super().edits(host) if self.residual_scale.numpy() else []

    def edits_if_open(self, host: HostKernel) -> list[edits.Edit]:
        scale = float(self.residual_scale.numpy())
        return [edits.AddSigned(host.name, self.latent_mask.numpy() > 0, scale)]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "lambda_sps": self.lambda_sps,
            "lambda_adp": self.lambda_adp,
            "latent_range": self.latent_range,
            "initial_scale": self.initial_scale,
            "initial_gate": self.initial_gate,
            "gate_rate": self.gate_rate,
        }


def gated(
    scale: tf.Tensor,
    latent: tf.Tensor,
    rate: float,
    allowed: tf.Tensor | bool = True,
) -> tf.Tensor:
    """scale * binarize(rate * latent, allowed) for rate > 0, in fewer
    operations."""

    @tf.custom_gradient
    def forward(scale: tf.Tensor, latent: tf.Tensor):
        is_open = tf.logical_and(latent > 0, allowed)

        def gradient(upstream):
            by_latent = through_sigmoid(
                (rate * scale) * upstream, rate * latent
            )
            return tf.where(is_open, upstream, 0.0), by_latent

        return tf.where(is_open, scale, 0.0), gradient

    return forward(scale, latent)


@tf.custom_gradient
def add_signed(kernel: tf.Tensor, latent: tf.Tensor, scale: tf.Tensor):
    """kernel + scale * (1 - 2 [latent > 0]) for a frozen kernel.

    One fused rule instead of the chain through `binarize`: no gradient for
    the kernel, no float mask kept for the backward pass.
    """
    signs = tf.where(latent > 0, -1.0, 1.0)

    def gradient(upstream):
        by_latent = through_sigmoid((-2.0 * scale) * upstream, latent)
        by_scale = tf.reduce_sum(upstream * signs)
        return None, by_latent, by_scale

    return kernel + scale * signs, gradient


class BinaryMask(base.Part):
    """A gated 1-bit residual on every kernel of the base model."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._mean_size = 0.0
        for option, open_, maximum in (
            ("lambda_sps", False, np.inf),
            ("lambda_adp", False, np.inf),
            ("latent_range", True, np.inf),
            ("initial_scale", True, np.inf),
            ("initial_gate", True, 1.0),
            ("gate_rate", True, np.inf),
        ):
            base.check_option(
                "binary_mask",
                option,
                getattr(options, option),
                minimum=0.0,
                open_=open_,
                maximum=maximum,
            )

    def check(self, hosts: Hosts) -> None:
        sizes = [host.size for host in hosts.kernels]
        self._mean_size = sum(sizes) / max(1, len(sizes))

    def patches(self, host: base.Host) -> bool:
        return isinstance(host, HostKernel)

    def attach(self, host: HostKernel) -> BinaryMaskKernel:
        patch = BinaryMaskKernel(
            lambda_sps=self.options.lambda_sps * self._share(host),
            lambda_adp=self.options.lambda_adp,
            latent_range=self.options.latent_range,
            initial_scale=self.options.initial_scale,
            initial_gate=self.options.initial_gate,
            gate_rate=self.options.gate_rate,
            name=base.layer_name(host),
        )
        patch.build(host.variable.shape)
        return patch

    def _share(self, host: HostKernel) -> float:
        """What a kernel counts in L_sps."""
        if self.options.sparsity_unit == patch_pb2.BinaryMask.KERNELS:
            return 1.0
        return host.size / self._mean_size

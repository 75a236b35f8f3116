"""Everything is trained: the baseline that patches are measured against."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from object_detection_patch.hosts import HostBatchNorm, Hosts
from object_detection_patch.methods import base


class FineTuning(base.Part):
    """Trains every kernel, bias and BatchNorm and ships them whole."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        base.check_option(
            "fine_tuning",
            "lambda_sp",
            options.lambda_sp,
            minimum=0.0,
            open_=False,
        )

    def patches(self, host: base.Host) -> bool:
        del host
        return True

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def check(self, hosts: Hosts) -> None:
        base.refuse_unfoldable(hosts, self.patches)

    def model_patch(self, hosts: Hosts) -> base.ModelPatch | None:
        if not self.options.lambda_sp:
            return None
        return StartingPoint(hosts, self.options.lambda_sp, name="start")


class StartingPoint(base.ModelPatch):
    """Pulls what trains towards the base: L2-SP.

    lambda_sp / 2 times the sum of squared differences, over kernels, biases,
    gammas and betas; heads, which start anew, are left to the weight decay
    that the config has for them.

    Args:
      hosts: all of them are trained in place.
      lambda_sp: alpha of the paper.

    Reference: Li et al., Explicit Inductive Bias for Transfer Learning with
    Convolutional Networks (L2-SP).
    """

    def __init__(self, hosts: Hosts, lambda_sp: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lambda_sp = lambda_sp
        # Owned by the base model: Keras must not count them again.
        object.__setattr__(self, "_trained", _trained(hosts))
        self.start = [
            self.add_weight(
                name=f"start_{number}",
                shape=variable.shape,
                initializer="zeros",
                trainable=False,
            )
            for number, variable in enumerate(self._trained)
        ]
        self.built = True

    def initialise(self) -> None:
        for start, variable in zip(self.start, self._trained, strict=True):
            start.assign(variable)

    def penalties(self) -> dict[str, Any]:
        distances = [
            tf.nn.l2_loss(tf.cast(variable, tf.float32) - start)
            for start, variable in zip(self.start, self._trained, strict=True)
        ]
        return {"starting_point": self._lambda_sp * tf.add_n(distances)}


def _trained(hosts: Hosts) -> list[Any]:
    found = []
    for host in hosts:
        if isinstance(host, HostBatchNorm):
            found += [host.layer.gamma, host.layer.beta]
        else:
            found.append(host.variable)
    return found

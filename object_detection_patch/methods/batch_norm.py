"""The task's own BatchNorm, everywhere in the base model."""

from __future__ import annotations

from typing import Any

from object_detection_patch.hosts import HostBatchNorm, Hosts
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.shift import TrainedShift


class BatchNorm(base.Part):
    """Trains every BatchNorm, or its shift or its statistics alone.

    Ships two folded floats a channel in all cases.
    """

    shares_base = True

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        if options.shift_only and options.statistics_only:
            raise ValueError(
                "`batch_norm` takes `shift_only` or `statistics_only`. "
                "Received: both (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        if options.shift_only or options.statistics_only:
            # What it leaves of a BatchNorm could not train with the base.
            self.shares_base = False

    def patches(self, host: base.Host) -> bool:
        return isinstance(host, HostBatchNorm)

    def attach(self, host: base.Host) -> base.HostPatch:
        if self.options.shift_only:
            patch: base.HostPatch = TrainedShift(name=base.layer_name(host))
        elif self.options.statistics_only:
            patch = AdaptedStatistics(name=base.layer_name(host))
        else:
            return base.attach_trained(host)
        patch.build(host.channels)
        return patch

    def check(self, hosts: Hosts) -> None:
        base.refuse_unfoldable(hosts, self.patches)


@keras.utils.register_keras_serializable("object_detection_patch")
class AdaptedStatistics(base.TrainedBatchNorm):
    """BatchNorm whose mean and variance follow the task's images.

    It normalises by the batch in training, as one that trains does, but gamma
    and beta stay the base's.

    Reference: Mudrarkarta et al., K for the price of 1, Appendix B.1.
    """

    def trained_in_place(self, host: HostBatchNorm) -> list[Any]:
        del host
        return []

    def private_tensors(self, host: HostBatchNorm) -> dict[str, Any]:
        return {
            name: variable
            for name, variable in host.tensors().items()
            if variable is not host.layer.gamma
            and variable is not host.layer.beta
        }

    def take_over(self, host: HostBatchNorm) -> None:
        super().take_over(host)
        trained, others = _weights(host.layer)
        others[:0] = trained
        trained.clear()

    def give_back(self, host: HostBatchNorm) -> None:
        super().give_back(host)
        layer = host.layer
        trained, others = _weights(layer)
        trained[:] = [layer.gamma, layer.beta]
        affine = {id(variable) for variable in trained}
        others[:] = [v for v in others if id(v) not in affine]


def _weights(layer: Any) -> tuple[list[Any], list[Any]]:
    # A layer that is not `trainable` would not follow the batch, and Keras has
    # no public way to freeze some weights of one that is.
    return layer._trainable_weights, layer._non_trainable_weights  # noqa: SLF001

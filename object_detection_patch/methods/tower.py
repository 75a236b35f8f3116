"""The task's own prediction tower: kernels, biases and BatchNorm."""

from __future__ import annotations

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.methods import base


class Tower(base.Part):
    """Trains the prediction tower in full; the rest of the base is frozen."""

    shares_base = True

    def patches(self, host: base.Host) -> bool:
        return host.place == hosts_lib.TOWER

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def check(self, hosts: hosts_lib.Hosts) -> None:
        if not any(map(self.patches, hosts)):
            raise ValueError(
                "`tower` needs a base model with a prediction tower "
                "(`weight_shared_convolutional_box_predictor { "
                "num_layers_before_predictor: 1 }` or more). Received: none "
                "(pipeline.config, model.ssd.box_predictor)."
            )
        base.refuse_unfoldable(hosts, self.patches)

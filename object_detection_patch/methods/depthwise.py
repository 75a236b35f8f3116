"""The task's own depthwise kernels, everywhere in the base model."""

from __future__ import annotations

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.methods import base


class Depthwise(base.Part):
    """Trains every depthwise kernel and ships it whole."""

    shares_base = True

    def patches(self, host: base.Host) -> bool:
        return (
            isinstance(host, hosts_lib.HostKernel)
            and host.kind == hosts_lib.DEPTHWISE
        )

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def check(self, hosts: hosts_lib.Hosts) -> None:
        if not any(map(self.patches, hosts)):
            raise ValueError(
                "`depthwise` needs a base model with depthwise convolutions. "
                f"Received: {len(hosts.kernels)} kernels, none of them "
                "depthwise (pipeline.config, [object_detection_patch.patch])."
            )

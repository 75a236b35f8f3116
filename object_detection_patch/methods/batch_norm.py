"""The task's own BatchNorm, everywhere in the base model."""

from __future__ import annotations

from object_detection_patch.hosts import HostBatchNorm, Hosts
from object_detection_patch.methods import base


class BatchNorm(base.Part):
    """Trains every BatchNorm; ships two folded floats a channel."""

    shares_base = True

    def patches(self, host: base.Host) -> bool:
        return isinstance(host, HostBatchNorm)

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def check(self, hosts: Hosts) -> None:
        base.refuse_unfoldable(hosts, self.patches)

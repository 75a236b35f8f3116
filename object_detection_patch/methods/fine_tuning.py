"""Everything is trained: the baseline that patches are measured against."""

from __future__ import annotations

from object_detection_patch.hosts import Hosts
from object_detection_patch.methods import base


class FineTuning(base.Part):
    """Trains every kernel, bias and BatchNorm and ships them whole."""

    def patches(self, host: base.Host) -> bool:
        del host
        return True

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def check(self, hosts: Hosts) -> None:
        base.refuse_unfoldable(hosts, self.patches)

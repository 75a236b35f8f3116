"""What a patched model costs, read off its hosts and its patch."""

from __future__ import annotations

from typing import Literal

from object_detection_patch import footprint
from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import Hosts
from object_detection_patch.methods import PatchMethod


def base_size(hosts: Hosts) -> footprint.BaseSize:
    """The counted parameters of a base model (footprint.py's convention)."""
    return footprint.BaseSize(
        kernels=sum(host.size for host in hosts.kernels),
        batch_norm=2 * sum(host.channels for host in hosts.batch_norms),
        biases=sum(host.size for host in hosts.biases),
        box_head=sum(
            head.size
            for head in hosts.heads
            if head.place == hosts_lib.BOX_HEAD
        ),
        class_head_counted=sum(
            head.size
            for head in hosts.heads
            if head.place == hosts_lib.CLASS_HEAD and head.counted
        ),
    )


def uncounted_names(hosts: Hosts) -> frozenset[str]:
    """Names of the class head's last layer, which footprints leave out."""
    return frozenset(head.name for head in hosts.heads if not head.counted)


def patch_footprint(
    method: PatchMethod,
    *,
    gates: Literal["trained", "open", "closed"] = "trained",
) -> footprint.Footprint:
    """The nominal footprint of a patch as it stands, or at a bound."""
    return footprint.nominal_footprint(
        method.edits(gates=gates), uncounted=uncounted_names(method.hosts)
    )

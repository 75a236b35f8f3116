"""Finds the inverted residual blocks of a MobileNetV2 or V3 among its hosts."""

from __future__ import annotations

import dataclasses

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostBatchNorm, Hosts
from object_detection_patch.methods.base import Host
from object_detection_patch.methods.block_layers import (
    DEPTHWISE,
    PROJECT,
    block_layer,
)


@dataclasses.dataclass(frozen=True)
class Block:
    """One inverted residual block.

    Args:
      name: as in the names of its layers, `block_3`.
      hosts: all of it, in network order.
    """

    name: str
    hosts: tuple[Host, ...]

    @property
    def inner_batch_norms(self) -> tuple[HostBatchNorm, ...]:
        """Those before activations: of expansion and depthwise convolution."""
        return tuple(
            host
            for host in self.hosts
            if isinstance(host, HostBatchNorm) and _role(host) != PROJECT
        )


def blocks_of(hosts: Hosts) -> list[Block]:
    """Every block, from the input up; empty for other architectures.

    A block has a depthwise and a projecting convolution; the first one of a
    network has no expansion.
    """
    members: dict[str, list[Host]] = {}
    for host in hosts:
        found = block_layer(host.layer)
        if host.place == hosts_lib.BACKBONE and found and found.is_inverted:
            members.setdefault(found.block, []).append(host)
    return [
        Block(name, tuple(found))
        for name, found in members.items()
        if {DEPTHWISE, PROJECT} <= set(map(_role, found))
    ]


def _role(host: Host) -> str:
    found = block_layer(host.layer)
    return found.role if found else ""

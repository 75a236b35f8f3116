"""Finds the inverted residual blocks of a MobileNetV2 or V3 among its hosts.

By the names that tf_keras gives their layers, which the Object Detection API
keeps: `block_3_expand_BN`, `expanded_conv_depthwise` (V2),
`expanded_conv_3/squeeze_excite/Conv` (V3).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostBatchNorm, Hosts
from object_detection_patch.methods.base import Host

_IN_A_BLOCK = re.compile(
    rf"{hosts_lib.BACKBONE}/(?P<block>block_\d+|expanded_conv(?:_\d+)?)[_/]"
    r"(?P<role>expand|depthwise|project|squeeze_excite)(?:$|[_/])"
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
            if isinstance(host, HostBatchNorm) and _role(host) != "project"
        )


def blocks_of(hosts: Hosts) -> list[Block]:
    """Every block, from the input up; empty for other architectures.

    A block has a depthwise and a projecting convolution; the first one of a
    network has no expansion.
    """
    members: dict[str, list[Host]] = {}
    for host in hosts:
        found = _match(host)
        if found:
            members.setdefault(found["block"], []).append(host)
    return [
        Block(name, tuple(found))
        for name, found in members.items()
        if {"depthwise", "project"} <= set(map(_role, found))
    ]


def above(hosts: Hosts, blocks: Iterable[Block]) -> list[Host]:
    """Hosts that stand on the top block: the rest of the backbone, FPN, tower.

    Args:
      blocks: all blocks of these hosts, at least one.
    """
    inside = {host.name for block in blocks for host in block.hosts}
    kernels = _after_last(hosts.kernels, inside)
    layers = {id(host.layer) for host in kernels}
    biases = [host for host in hosts.biases if id(host.layer) in layers]
    return [*kernels, *_after_last(hosts.batch_norms, inside), *biases]


def _after_last(kind: Sequence[Host], inside: set[str]) -> list[Host]:
    last = max(i for i, host in enumerate(kind) if host.name in inside)
    return [
        host
        for i, host in enumerate(kind)
        if i > last or host.place != hosts_lib.BACKBONE
    ]


def _match(host: Host) -> re.Match[str] | None:
    return _IN_A_BLOCK.match(host.name)


def _role(host: Host) -> str:
    found = _match(host)
    return found["role"] if found else ""

"""Where hosts lie in a network: its trunks, its blocks, what follows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostKernel, Hosts
from object_detection_patch.methods.base import Host
from object_detection_patch.methods.block_layers import (
    SHORTCUT,
    SQUEEZE_EXCITE,
    block_layer,
)

TRUNKS = 3


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a kernel lies.

    Args:
      trunk: 0 (early), 1 (mid) or 2 (late).
      step: 1 for the first convolution of a residual block that is not
        depthwise, 2 for the second, ...; 0 for one in no block, on a
        shortcut, depthwise, or of squeeze-and-excitation.
    """

    trunk: int
    step: int


def positions(hosts: Hosts) -> dict[str, Position]:
    """The position of every kernel, by its host's name.

    The backbone is a chain of units in network order: its residual blocks, and
    every convolution outside of them. It is cut into three trunks with equally
    many units, as Rebuffi et al., Section 3.2, cut ResNet-26, whose three
    macro blocks have four residual blocks each. What follows the backbone
    (FPN, tower) is late.
    """
    units = list(dict.fromkeys(map(_unit, _backbone(hosts))))
    steps: dict[str, int] = {}
    found = {}
    for host in hosts.kernels:
        trunk = TRUNKS - 1
        step = 0
        if host.place == hosts_lib.BACKBONE:
            unit = _unit(host)
            trunk = units.index(unit) * TRUNKS // len(units)
            if _is_step(host):
                step = steps[unit] = steps.get(unit, 0) + 1
        found[host.name] = Position(trunk, step)
    return found


def after(hosts: Hosts, inside: Collection[str]) -> list[Host]:
    """Hosts that follow some of the backbone's: its rest, FPN and tower.

    Args:
      inside: names of hosts, in the backbone or not there.
    """
    kernels = _after_last(hosts.kernels, inside)
    layers = {id(host.layer) for host in kernels}
    biases = [host for host in hosts.biases if id(host.layer) in layers]
    return [*kernels, *_after_last(hosts.batch_norms, inside), *biases]


def _after_last(kind: Sequence[Host], inside: Collection[str]) -> list[Host]:
    last = max((i for i, h in enumerate(kind) if h.name in inside), default=-1)
    return [
        host
        for i, host in enumerate(kind)
        if i > last or host.place != hosts_lib.BACKBONE
    ]


def _backbone(hosts: Hosts) -> Iterator[HostKernel]:
    for host in hosts.kernels:
        if host.place == hosts_lib.BACKBONE:
            yield host


def _unit(host: HostKernel) -> str:
    found = block_layer(host.layer)
    return found.block if found else host.layer.name


def _is_step(host: HostKernel) -> bool:
    found = block_layer(host.layer)
    return (
        found is not None
        and found.role not in (SHORTCUT, SQUEEZE_EXCITE)
        and host.kind != hosts_lib.DEPTHWISE
    )

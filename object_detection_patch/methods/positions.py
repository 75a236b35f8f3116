"""Where kernels lie in a network: its three trunks, and its residual blocks."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostKernel, Hosts

TRUNKS = 3
# Layer names of a residual block; `_0_conv` of a ResNet is on the shortcut.
_BLOCKS = (
    # Keras' MobileNetV2.
    re.compile(r"(expanded_conv|block_\d+)_(?:expand|depthwise|project)"),
    # Keras' and the OD API's ResNets.
    re.compile(r"(conv\d+_block\d+)_\d_conv"),
)
_SHORTCUT = re.compile(r"conv\d+_block\d+_0_conv")


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a kernel lies.

    Args:
      trunk: 0 (early), 1 (mid) or 2 (late).
      step: 1 for the first convolution of a residual block that is not
        depthwise, 2 for the second, ...; 0 for one in no block, on a
        shortcut, or depthwise.
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


def _backbone(hosts: Hosts) -> Iterator[HostKernel]:
    for host in hosts.kernels:
        if host.place == hosts_lib.BACKBONE:
            yield host


def _layer(host: HostKernel) -> str:
    return host.name.split("/")[-2]


def _block(host: HostKernel) -> str | None:
    for pattern in _BLOCKS:
        match = pattern.fullmatch(_layer(host))
        if match:
            return match[1]
    return None


def _unit(host: HostKernel) -> str:
    return _block(host) or _layer(host)


def _is_step(host: HostKernel) -> bool:
    return (
        _block(host) is not None
        and host.kind != hosts_lib.DEPTHWISE
        and not _SHORTCUT.fullmatch(_layer(host))
    )

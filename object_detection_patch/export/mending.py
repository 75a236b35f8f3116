"""Changes a restored base where a phone's model could not hold it."""

from __future__ import annotations

import dataclasses

import numpy as np

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export.gammas import raise_small
from object_detection_patch.export.norms import norm_of
from object_detection_patch.export.snap import snapped
from object_detection_patch.hosts import Hosts


@dataclasses.dataclass(frozen=True)
class Mended:
    """What was changed, and what should have been and could not.

    Args:
      raised_channels: channels whose gamma was raised.
      snapped_kernels: kernels rounded to the int8 grid.
      unraised_channels: BatchNorm without gamma -> how many of its channels
        have a scale, 1 / deviation, below the floor. They stay: a deviation
        is what was measured on images, and training would measure it again.
    """

    raised_channels: int
    snapped_kernels: int
    unraised_channels: dict[str, int]


def mend(hosts: Hosts, precision: str, *, snap: bool) -> Mended:
    """Raises small gammas and, if asked, rounds kernels; both in place."""
    raised = 0
    unraised: dict[str, int] = {}
    for host in hosts.batch_norms:
        norm = norm_of(host.name, _values(host), host.layer.epsilon)
        mended = raise_small(norm.gamma, norm.inverse_deviation, precision)
        if not mended.channels:
            continue
        if getattr(host.layer, "gamma", None) is None:
            unraised[host.name] = mended.channels
        else:
            host.layer.gamma.assign(mended.gamma)
            raised += mended.channels
    return Mended(raised, _snap_kernels(hosts) if snap else 0, unraised)


def _values(host: hosts_lib.HostBatchNorm) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in host.tensors().items()}


def _snap_kernels(hosts: Hosts) -> int:
    for host in hosts.kernels:
        depthwise = host.kind == hosts_lib.DEPTHWISE
        host.variable.assign(
            snapped(host.variable.numpy(), is_depthwise=depthwise)
        )
    return len(hosts.kernels)

"""Changes a restored base where a phone's model could not hold it."""

from __future__ import annotations

import dataclasses

import numpy as np

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export.gammas import raise_small
from object_detection_patch.export.publishing import norm_of
from object_detection_patch.export.snap import snapped
from object_detection_patch.hosts import Hosts


@dataclasses.dataclass(frozen=True)
class Mended:
    """What was changed.

    Args:
      raised_channels: channels whose gamma was raised.
      snapped_kernels: kernels rounded to the int8 grid.
    """

    raised_channels: int
    snapped_kernels: int


def mend(hosts: Hosts, precision: str, *, snap: bool) -> Mended:
    """Raises small gammas and, if asked, rounds kernels; both in place."""
    raised = _raise_gammas(hosts, precision)
    return Mended(raised, _snap_kernels(hosts) if snap else 0)


def _raise_gammas(hosts: Hosts, precision: str) -> int:
    count = 0
    for host in hosts.batch_norms:
        if getattr(host.layer, "gamma", None) is None:
            continue
        norm = norm_of(host.name, _values(host), host.layer.epsilon)
        raised = raise_small(norm.gamma, norm.inverse_deviation, precision)
        if raised.channels:
            host.layer.gamma.assign(raised.gamma)
            count += raised.channels
    return count


def _values(host: hosts_lib.HostBatchNorm) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in host.tensors().items()}


def _snap_kernels(hosts: Hosts) -> int:
    for host in hosts.kernels:
        depthwise = host.kind == hosts_lib.DEPTHWISE
        host.variable.assign(
            snapped(host.variable.numpy(), is_depthwise=depthwise)
        )
    return len(hosts.kernels)

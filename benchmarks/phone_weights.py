"""Seeded numbers for a base model and for patches, as training leaves them.

Nothing is trained here. Kernels are normal, BatchNorms spread as trained ones
do, masks are random bits of which half are 1: random bits do not compress, and
trained ones hardly do (0.999 bits a weight were measured).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from object_detection_patch.hosts import HostKernel, Hosts
from object_detection_patch.patch_file import (
    AddSigned,
    Edit,
    Replace,
    ScaleOffset,
)

# Share of the kernels whose gate is open.
GATES = {"all": 1.0, "30 %": 0.3, "none": 0.0}
_BASE_SEED, _TASK_SEED, _MASK_SEED, _GATE_SEED = range(4)
# Residual scale, in units of the kernel's standard deviation.
_RESIDUAL = 0.3


def fill_base(hosts: Hosts) -> None:
    """Gives every tensor of a base, heads included, its value."""
    tensors = hosts.base_tensors() | hosts.head_tensors()
    for name, variable in tensors.items():
        variable.assign(_tensor(name, tuple(variable.shape), _BASE_SEED))


def patch_edits(
    hosts: Hosts, head_shapes: Mapping[str, tuple[int, ...]], gates: str
) -> list[Edit]:
    """A SpotPatch patch: masks where gates are open, BatchNorms, heads.

    Args:
      hosts: of the base model, with its values.
      head_shapes: stable name -> shape, of each tensor of the task's heads.
      gates: a key of GATES.
    """
    # One order for all shares: what is open with 30 % is open with all.
    order = np.random.default_rng(_GATE_SEED).permutation(len(hosts.kernels))
    number = round(GATES[gates] * len(hosts.kernels))
    edits: list[Edit] = [
        _masked(hosts.kernels[index]) for index in sorted(order[:number])
    ]
    for host in hosts.batch_norms:
        random = _generator(host.name, _TASK_SEED)
        gamma, beta = host.layer.gamma.numpy(), host.layer.beta.numpy()
        edits.append(
            ScaleOffset(
                host.name,
                gamma * random.normal(1, 0.1, gamma.shape),
                beta + random.normal(0, 0.1, beta.shape),
            )
        )
    edits += [
        Replace(name, _tensor(name, shape, _TASK_SEED))
        for name, shape in head_shapes.items()
    ]
    return edits


def _tensor(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    random = _generator(name, seed)
    if name.endswith("/gamma"):
        drawn = random.lognormal(0, 0.4, shape)
    elif name.endswith("/moving_variance"):
        drawn = random.lognormal(0, 0.5, shape)
    elif name.endswith(("/beta", "/moving_mean")):
        drawn = random.normal(0, 0.5, shape)
    elif name.endswith("kernel"):
        drawn = random.normal(0, _fan_in(name, shape) ** -0.5, shape)
    else:
        drawn = random.normal(0, 0.05, shape)
    return drawn.astype(np.float32)


def _masked(host: HostKernel) -> AddSigned:
    kernel = host.variable.numpy()
    bits = _generator(host.name, _MASK_SEED).random(kernel.shape) < 0.5
    return AddSigned(host.name, bits, _RESIDUAL * float(kernel.std()))


def _generator(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _fan_in(name: str, shape: tuple[int, ...]) -> int:
    if name.endswith("/depthwise_kernel"):
        return shape[0] * shape[1]
    return int(np.prod(shape[:3]))

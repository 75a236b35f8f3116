"""The edits that lead from a base detector to a tuned one.

A kernel gets the sign of its difference and one number; all else is exact.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from object_detection_patch.hosts import HostBatchNorm, HostKernel, Hosts
from object_detection_patch.methods import base as methods_base
from object_detection_patch.patch_file import (
    AddSigned,
    Edit,
    Replace,
    ScaleOffset,
    apply_edits,
)

Tensors = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class KernelError:
    """How near a patch brings one kernel of the base to the tuned one.

    Args:
      name: stable name of the kernel.
      weights: how many it has.
      change: |B - A|, the L2 norm of what tuning changed.
      error: |W' - B|, of what the patch leaves; `change` without an edit.
      edited: whether the patch holds a mask for it.
    """

    name: str
    weights: int
    change: float
    error: float
    edited: bool

    @property
    def relative(self) -> float:
        """|W' - B| / |B - A|; 0 for a kernel that tuning left alone."""
        return self.error / self.change if self.change else 0.0


def total_relative(errors: Iterable[KernelError]) -> float:
    """|W' - B| / |B - A| over all kernels together; 0 without a change."""
    errors = list(errors)
    change = np.linalg.norm([kernel.change for kernel in errors])
    error = np.linalg.norm([kernel.error for kernel in errors])
    return float(error / change) if change else 0.0


def find_edits(hosts: Hosts, base: Tensors, tuned: Tensors) -> list[Edit]:
    """What a patch must hold, in network order, the heads last.

    Args:
      hosts: of the tuned model, whose heads ship whole.
      base: stable name -> tensor of the base, heads not among them.
      tuned: the same names of the tuned model.

    Raises:
      ValueError: for a changed BatchNorm without gamma or beta.
    """
    methods_base.refuse_unfoldable(
        hosts, lambda host: _changed(host, base, tuned)
    )
    return [
        *_kernel_edits(hosts.kernels, base, tuned),
        *(
            folded(host, base, tuned)
            for host in hosts.batch_norms
            if _changed(host, base, tuned)
        ),
        *(
            Replace(host.name, tuned[host.name])
            for host in hosts.biases
            if not np.array_equal(base[host.name], tuned[host.name])
        ),
        *(Replace(head.name, head.variable.numpy()) for head in hosts.heads),
    ]


def signed(name: str, base: np.ndarray, tuned: np.ndarray) -> AddSigned | None:
    """The sign of tuned - base and the scale that fits it best, if any helps.

    With D = tuned - base, the scale mean |D| minimises |D - scale sign(D)|,
    which leaves sqrt(1 - mean(|D|)^2 / mean(D^2)) of |D|. None where nothing
    differs, and where float32 rounding leaves more error than there was.
    """
    difference = tuned.astype(np.float64) - base
    scale = np.float32(np.abs(difference).mean())
    if not scale:
        return None
    edit = AddSigned(name, difference < 0, float(scale))
    patched = apply_edits({name: base}, [edit])[name]
    left = np.linalg.norm(patched.astype(np.float64) - tuned)
    return edit if left < np.linalg.norm(difference) else None


def folded(host: HostBatchNorm, base: Tensors, tuned: Tensors) -> ScaleOffset:
    """The tuned BatchNorm on the base's moving statistics: the same function.

    The formula is that of `methods.base.TrainedBatchNorm`.
    """
    scale, offset = methods_base.fold_batch_norm(
        gamma=tuned[f"{host.name}/gamma"],
        beta=tuned[f"{host.name}/beta"],
        mean=tuned[f"{host.name}/moving_mean"],
        variance=tuned[f"{host.name}/moving_variance"],
        base_mean=base[f"{host.name}/moving_mean"],
        base_variance=base[f"{host.name}/moving_variance"],
        epsilon=host.layer.epsilon,
    )
    return ScaleOffset(host.name, scale, offset)


def kernel_errors(
    kernels: Iterable[HostKernel],
    base: Tensors,
    tuned: Tensors,
    edits: Iterable[Edit],
) -> tuple[KernelError, ...]:
    """The error that `edits` leave in each kernel, in network order."""
    edits = [edit for edit in edits if isinstance(edit, AddSigned)]
    patched = dict(base) | apply_edits(base, edits)
    edited = {edit.target for edit in edits}

    def distance(tensors: Tensors, name: str) -> float:
        return float(
            np.linalg.norm(tensors[name].astype(np.float64) - tuned[name])
        )

    return tuple(
        KernelError(
            kernel.name,
            kernel.size,
            distance(base, kernel.name),
            distance(patched, kernel.name),
            kernel.name in edited,
        )
        for kernel in kernels
    )


def _kernel_edits(
    kernels: Iterable[HostKernel], base: Tensors, tuned: Tensors
) -> Iterator[AddSigned]:
    for kernel in kernels:
        edit = signed(kernel.name, base[kernel.name], tuned[kernel.name])
        if edit is not None:
            yield edit


def _changed(host: Any, base: Tensors, tuned: Tensors) -> bool:
    """Whether tuning moved any of a BatchNorm's tensors."""
    return any(
        not np.array_equal(base[name], tuned[name]) for name in host.tensors()
    )

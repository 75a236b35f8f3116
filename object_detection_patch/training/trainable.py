"""Which variables move while a patch is trained."""

from __future__ import annotations

from typing import Any

from object_detection_patch.hosts import Hosts


def moving_names(model: Any, hosts: Hosts) -> list[str]:
    """Stable names of the base and head tensors that training changes.

    BatchNorm statistics are listed where their layer updates them, although
    no gradient reaches them.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    names = [
        name
        for name, variable in (
            hosts.base_tensors() | hosts.head_tensors()
        ).items()
        if id(variable) in trained
    ]
    for batch_norm in hosts.batch_norms:
        if batch_norm.layer.trainable and _updates_statistics(batch_norm.layer):
            names += [
                f"{batch_norm.name}/moving_mean",
                f"{batch_norm.name}/moving_variance",
            ]
    return names


def _updates_statistics(layer: Any) -> bool:
    return getattr(layer, "_training", None) is not False

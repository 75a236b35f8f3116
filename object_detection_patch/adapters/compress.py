"""Adapters of patches to low rank: each alone, or all tasks' together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from object_detection_patch.adapters import low_rank, matrices
from object_detection_patch.adapters.files import (
    Shared,
    Task,
    shared_of,
    shared_to_bytes,
)
from object_detection_patch.adapters.frame import parse
from object_detection_patch.adapters.nominal import with_nominal_bits
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.patch_file import (
    EXACT,
    Encoding,
    Patch,
    Replace,
    errors,
)


@dataclasses.dataclass(frozen=True)
class Family:
    """A shared file's bytes, what they hold, and a task for each patch."""

    shared_bytes: bytes
    shared: Shared
    tasks: tuple[Task, ...]


def per_task(patch: Patch, rule: RankRule, *, name: str) -> Patch:
    """An ordinary patch whose adapters are products of low rank.

    Adapters that a product would not make smaller, and those that are
    products already, stay.

    Args:
      patch: as a training gave it; its releases are of what it was, and are
        left out.
      rule: of ranks.
      name: of its file, for messages.

    Raises:
      ValueError: for a patch without whole adapters, or a rule that makes
        none of them smaller.
    """
    topology = matrices.topology_of(patch, name)
    whole = _whole(patch, name)
    ranks = rule.products(matrices.shapes_of(whole), tasks=1)
    products = {
        target: matrices.product(
            topology, target, low_rank.truncated(whole[target], rank)
        )
        for target, rank in ranks.items()
    }
    edits = tuple(products.get(e.target, e) for e in patch.edits)
    record = {"kind": "per_task", "rule": str(rule)}
    return _changed(with_nominal_bits(patch, edits), record)


def joint(
    patches: Mapping[str, Patch], rule: RankRule, encoding: Encoding = EXACT
) -> Family:
    """A family: one right factor for all tasks, a left one for each.

    Args:
      patches: name of the file, for messages -> patch; two or more.
      rule: of ranks.
      encoding: of the shared file.

    Raises:
      ValueError: for patches of other bases, topologies or hosts, or as
        `per_task`.
    """
    first, *others = patches
    topology = matrices.topology_of(patches[first], first)
    all_whole = {name: _whole(patch, name) for name, patch in patches.items()}
    for name in others:
        _refuse_other_base(patches, first, name)
        _refuse_other_topology(topology, patches[name], name)
        _refuse_other_hosts(all_whole, first, name)
    shapes = matrices.shapes_of(all_whole[first])
    ranks = rule.products(shapes, tasks=len(patches))
    factors = {
        target: low_rank.joint([w[target] for w in all_whole.values()], rank)
        for target, rank in ranks.items()
    }
    data = shared_to_bytes(
        patches[first].base_fingerprint,
        topology,
        {target: right for target, (_, right) in factors.items()},
        encoding,
    )
    shared = shared_of(parse(data))
    record = {"kind": "joint", "rule": str(rule), "tasks": len(patches)}
    tasks = tuple(
        _task(
            patch,
            shared,
            {target: lefts[at] for target, (lefts, _) in factors.items()},
            record,
        )
        for at, patch in enumerate(patches.values())
    )
    return Family(data, shared, tasks)


def join(patch: Patch, shared: Shared, *, name: str) -> Task:
    """A task of a family that is there: its own left factors.

    They are the best beside the shared ones in the sense of least squares.
    A product that has the shared right factor, as `expand` and trainings
    that freeze it leave them, keeps its left one as it is.

    Raises:
      ValueError: for a patch of another base, topology or hosts.
    """
    if patch.base_fingerprint != shared.base_fingerprint:
        raise ValueError(
            "A task that joins a family must be of its base. Received: "
            f"{name} of base {patch.base_fingerprint}, and a shared file of "
            f"base {shared.base_fingerprint}."
        )
    _refuse_other_topology(shared.topology, patch, name)
    adapters = matrices.adapters_of(patch)
    lefts = {}
    for target, right in shared.factors.items():
        if target not in adapters:
            raise ValueError(
                "A task that joins a family must have its adapters. "
                f"Received: {name} without one at {errors.shown(target)}."
            )
        lefts[target] = _left_beside(adapters[target], right, shared, name)
    return _task(patch, shared, lefts, {"kind": "joined"})


def outputs_of(shared: Shared) -> dict[str, int]:
    """Target -> out of its kernel."""
    return {name: right.shape[1] for name, right in shared.factors.items()}


def _left_beside(
    adapter: matrices.Adapter, right: np.ndarray, shared: Shared, name: str
) -> np.ndarray:
    rank, outputs = right.shape
    columns = adapter.values.shape[1]
    good = columns == outputs
    if matrices.is_product(adapter):
        series = shared.topology == matrices.SERIES
        good = columns == 2 * outputs if series else columns > outputs
    if not good:
        raise ValueError(
            "A task that joins a family must have adapters of its shape. "
            f"Received: {name} with {errors.shown(adapter.values.shape)} at "
            f"{errors.shown(adapter.target)}, where the family has {outputs} "
            "outputs."
        )
    if not matrices.is_product(adapter):
        return low_rank.fitted(adapter.values, right)
    own = matrices.split(adapter, outputs)
    if np.array_equal(own.right, right):
        return own.left
    matrix = own.left.astype(np.float64) @ own.right
    return low_rank.fitted(matrix, right)


def _task(
    patch: Patch,
    shared: Shared,
    lefts: Mapping[str, np.ndarray],
    record: dict[str, Any],
) -> Task:
    edits = tuple(
        Replace(edit.target, lefts[edit.target])
        if edit.target in lefts
        else edit
        for edit in patch.edits
    )
    own = with_nominal_bits(patch, edits)
    return Task(shared.sha256, _changed(own, record))


def _changed(patch: Patch, record: dict[str, Any]) -> Patch:
    """With a note of how; without releases, which are of what it was."""
    metadata = patch.metadata | {"compression": record}
    return dataclasses.replace(patch, metadata=metadata, releases=())


def _whole(patch: Patch, name: str) -> dict[str, np.ndarray]:
    whole = matrices.whole_of(patch)
    if not whole and matrices.adapters_of(patch):
        raise ValueError(
            "Whole adapters are compressed, not products. Received: "
            f"{name}, whose adapters are all products; compress the patch "
            "that they came from."
        )
    return whole


def _refuse_other_base(
    patches: Mapping[str, Patch], first: str, name: str
) -> None:
    one, other = (patches[n].base_fingerprint for n in (first, name))
    if one != other:
        raise ValueError(
            "Tasks that share factors must be of one base. Received: "
            f"{first} of base {one}, and {name} of base {other}."
        )


def _refuse_other_topology(topology: str, patch: Patch, name: str) -> None:
    found = matrices.topology_of(patch, name)
    if found != topology:
        raise ValueError(
            "Tasks that share factors must have adapters of one topology, "
            f"here {topology}. Received: {name} with {found}."
        )


def _refuse_other_hosts(
    all_whole: Mapping[str, Mapping[str, np.ndarray]], first: str, name: str
) -> None:
    one, other = (matrices.shapes_of(all_whole[n]) for n in (first, name))
    different = sorted(
        target
        for target in one.keys() | other.keys()
        if one.get(target) != other.get(target)
    )
    if different:
        target = different[0]
        raise ValueError(
            "Tasks that share factors must have whole adapters at the same "
            "kernels. Received: "
            f"{first} with {_shape_text(one.get(target))} at "
            f"{errors.shown(target)}, and {name} with "
            f"{_shape_text(other.get(target))}."
        )


def _shape_text(shape: matrices.Shape | None) -> str:
    return "none" if shape is None else f"one of shape {shape}"

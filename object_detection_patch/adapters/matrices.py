"""The adapters of a patch: the edits that hold their matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from object_detection_patch.adapters.low_rank import Factors
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    errors,
)
from object_detection_patch.patch_file.adapter_edits import (
    ADAPTERS,
    AT_CENTRE,
    PRODUCTS,
    AdapterEdit,
)

PARALLEL, SERIES = "PARALLEL", "SERIES"
Adapter: TypeAlias = AdapterEdit
Shape: TypeAlias = tuple[int, int]


def adapters_of(patch: Patch) -> dict[str, Adapter]:
    """Target -> edit, of all adapters."""
    return {e.target: e for e in patch.edits if isinstance(e, ADAPTERS)}


def whole_of(patch: Patch) -> dict[str, np.ndarray]:
    """Target -> A (rows, out), of the adapters that are no products."""
    return {
        edit.target: edit.values
        for edit in patch.edits
        if isinstance(edit, (AddAtCentre, MixOutputs))
    }


def shapes_of(whole: Mapping[str, np.ndarray]) -> dict[str, Shape]:
    """Target -> (rows, out)."""
    return {name: (len(a), a.shape[1]) for name, a in whole.items()}


def product(topology: str, target: str, factors: Factors) -> Adapter:
    """The edit of a kernel by left right."""
    values = np.concatenate([factors.left.T, factors.right], axis=1)
    if topology == PARALLEL:
        return AddProductAtCentre(target, values)
    return MixOutputsByProduct(target, values)


def split(edit: Adapter, outputs: int) -> Factors:
    """The factors of a product."""
    rows = edit.values.shape[1] - outputs
    return Factors(edit.values[:, :rows].T, edit.values[:, rows:])


def is_product(edit: Adapter) -> bool:
    return isinstance(edit, PRODUCTS)


def topology_of(patch: Patch, name: str) -> str:
    """PARALLEL or SERIES.

    Args:
      patch: with adapters.
      name: of its file, for messages.

    Raises:
      ValueError: without adapters, or with adapters of both.
    """
    found = {
        PARALLEL if isinstance(edit, AT_CENTRE) else SERIES
        for edit in adapters_of(patch).values()
    }
    if not found:
        raise ValueError(
            "A patch to compress must hold residual adapters. Received: "
            f"{name}, of {errors.shown(patch.method)}, without any."
        )
    if len(found) > 1:
        raise ValueError(
            "The adapters of a patch must have one topology. Received: "
            f"{name} with parallel and series ones."
        )
    return found.pop()

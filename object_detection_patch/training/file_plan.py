"""What a patch's file will cost, before it is trained: `target_file_bytes`.

Masks are noise to any compressor, so the bytes of a gate are known. All else
is weighed by writing a file: of numbers of no pattern, on the grids that
training has, with nothing compressed. What is learned takes no more, but for a
few bytes of the header; extraction checks the file itself.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from object_detection_patch.hosts import HEADS
from object_detection_patch.methods.budget import Plan
from object_detection_patch.patch_file import (
    COMPACT,
    EXACT,
    Encoding,
    Numbers,
    Patch,
    edits,
    grid,
    to_bytes,
)
from object_detection_patch.training import shipped

# What headers of fewer gates or of other sizes may have more than that of all
# gates; deflate is no monotone function. Of 400 random sets of gates in two
# architectures none needed more than 9.
_SLACK = 64
_SCALE_BYTES = 4


def plan(model: Any, pipeline: Any) -> None:
    """Gives a patched model's budget its plan, if it has a budget.

    Args:
      model: patched SSD on its base.
      pipeline: TrainEvalPipelineConfig of the training that begins.

    Raises:
      ValueError: if the target is below what ships whatever gates say, with
        the figures.
    """
    budget = model.patch.budget
    if budget is None:
        return
    begins, ends = budget.target.steps_of(pipeline.train_config.num_steps)
    largest = largest_patch(model, pipeline)
    costs = np.array(
        [gate_bytes(gate.weights) for gate in model.patch.gates()], np.int64
    )
    fixed = _bytes(largest) + _SLACK - int(costs.sum())
    target = budget.target.file_bytes
    if fixed > target:
        _refuse(target, fixed, largest)
    budget.plan = Plan(target, fixed, costs, begins, ends)
    logging.getLogger(__name__).info(
        "A file of at most %s bytes: up to %s for masks, of %s that all gates "
        "would take. Gates are closed for it from step %s on, and from step "
        "%s on it is kept.",
        f"{target:,}",
        f"{budget.plan.capacity:,}",
        f"{costs.sum():,}",
        f"{begins:,}",
        f"{ends:,}",
    )


def gate_bytes(weights: int) -> int:
    """Bytes of a mask of so many weights, and of its scale."""
    return (weights + 7) // 8 + _SCALE_BYTES


def largest_patch(model: Any, pipeline: Any) -> Patch:
    """The patch with all gates open, of numbers that nothing compresses."""
    steps = pipeline.train_config.num_steps
    return dataclasses.replace(
        shipped.shipped_patch(model, pipeline, step=steps),
        edits=_patternless_edits(model.patch, "open"),
    )


def most_bytes(method: Any, gates: str) -> int:
    """Bytes of the file that extraction writes, labels and metadata apart.

    Of numbers that nothing compresses, so a real file may be smaller.

    Args:
      method: of a built model, which need not have its base's numbers.
      gates: all of them `open` or `closed`.
    """
    small = method.grid_bits() or method.target_file_bytes is not None
    edits_of_gates = _patternless_edits(method, gates)
    patch = Patch(method.method, "0" * 64, edits_of_gates)
    return len(to_bytes(patch, encoding=_UNCOMPRESSED if small else EXACT))


def _bytes(patch: Patch) -> int:
    return len(to_bytes(patch, encoding=_UNCOMPRESSED))


def _uncompressed(encoding: Encoding) -> Encoding:
    stored = {
        field.name: dataclasses.replace(
            getattr(encoding, field.name), compression="none"
        )
        for field in dataclasses.fields(encoding)
        if field.name != "masks"
    }
    return dataclasses.replace(encoding, masks="none", **stored)


_UNCOMPRESSED = _uncompressed(COMPACT)


def _patternless_edits(method: Any, gates: str) -> tuple[edits.Edit, ...]:
    bits = method.grid_bits()
    random = np.random.default_rng(0)
    return tuple(
        _patternless(edit, bits, random) for edit in method.edits(gates=gates)
    )


def _patternless(
    edit: edits.Edit, bits: Mapping[str, int], random: np.random.Generator
) -> edits.Edit:
    """An edit of the same form, of random numbers on the same grid."""
    if isinstance(edit, edits.MASKED):
        mask = random.random(edit.mask.shape) < 0.5
        # Before it is trained it may be 0, which no file holds.
        scale = {"scale": 1.0} if isinstance(edit, edits.AddSigned) else {}
        return dataclasses.replace(edit, mask=mask, **scale)
    if isinstance(edit, edits.ScaleOffset):
        scale, offset = random.normal(size=(2, *edit.scale.shape))
        found = edits.ScaleOffset(edit.target, _f4(scale), _f4(offset))
        scale, offset = _on_grid(found, np.stack([scale, offset]), bits)
        return edits.ScaleOffset(edit.target, scale, offset)
    values = _on_grid(edit, random.normal(size=edit.values.shape), bits)
    return dataclasses.replace(edit, values=values)


def _on_grid(
    edit: edits.NumberEdit, values: np.ndarray, bits: Mapping[str, int]
) -> np.ndarray:
    """The values as the grid of the edit's target holds them, if it has one."""
    if edit.target not in bits:
        return _f4(values)
    numbers = Numbers(
        "half_grid", bits=bits[edit.target], grouping="long_channel"
    )
    of_edit = numbers.grid_of(edit)
    raw = np.frombuffer(grid.encode(edit.target, _f4(values), of_edit), "u1")
    held, _ = grid.decode(edit.target, raw, of_edit, values.size)
    return held.reshape(values.shape)


def _f4(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _refuse(target: int, fixed: int, largest: Patch) -> None:
    plain = [e for e in largest.edits if not isinstance(e, edits.MASKED)]
    heads = {e.target for e in plain if edits.place_of(e.target) in HEADS}
    rest = {e.target for e in plain} - heads
    parts = {
        "heads": _weight(largest, heads),
        "BatchNorms and whatever else has no gate": _weight(largest, rest),
    }
    parts["header and labels"] = fixed - sum(parts.values())
    shares = ", ".join(f"{size:,} for {part}" for part, size in parts.items())
    raise ValueError(
        "`target_file_bytes` must leave room for what ships with all gates "
        f"closed: up to {fixed:,} bytes here ({shares}). Received: "
        f"{target:,}; raise it, or train with fewer bits (`grid`; "
        "pipeline.config, [object_detection_patch.patch])."
    )


def _weight(patch: Patch, targets: Collection[str]) -> int:
    """Bytes of the edits of these targets, their part of the header too."""
    return _bytes(patch) - _bytes(shipped.without(patch, frozenset(targets)))

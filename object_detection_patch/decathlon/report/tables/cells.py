"""Cells of runs: a value, or the word for why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Cell
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs as runs_lib

NOT_RUN, FAILED, NOT_MEASURED = "not run", "failed", "not measured"

SEED = 1
"""Of every table but the spread over seeds: all tasks have it."""

Value = Callable[[record.Outcome], float | None]


def cell(
    results: Results,
    method: str,
    task: str,
    value: Value,
    *,
    experiment: str = runs_lib.MAIN,
    variant: str = "",
) -> Cell:
    """What a run gave, or NOT_RUN, FAILED or NOT_MEASURED."""
    run = results.runs.get((experiment, method, task, variant, SEED))
    if run is None:
        return NOT_RUN
    if run.outcome is None:
        return FAILED
    found = value(run.outcome)
    return NOT_MEASURED if found is None else found


def number(cell: Cell) -> float | None:
    """The cell's number; None for a word or a gap."""
    return None if cell is None or isinstance(cell, str) else float(cell)


def percent(value: float | None) -> float | None:
    """A share as percent."""
    return None if value is None else 100 * value


def keras(outcome: record.Outcome) -> float:
    """mAP of the float32 model in Keras, COCO's definition."""
    return outcome.accuracy.coco


def keras_pascal(outcome: record.Outcome) -> float:
    """mAP of the float32 model in Keras, Pascal VOC's definition."""
    return outcome.accuracy.pascal


def litert_float32(outcome: record.Outcome) -> float | None:
    """mAP of the published float32 model in LiteRT."""
    return outcome.float32.accuracy.coco if outcome.float32 else None


def litert_int8(outcome: record.Outcome) -> float | None:
    """mAP of the published int8 model in LiteRT."""
    return outcome.int8.accuracy.coco if outcome.int8 else None


def footprint_32(outcome: record.Outcome) -> float:
    """Nominal bits of the patch over those of the base, 32-bit numbers."""
    size = outcome.footprint
    return size.bits_32 / (32 * size.base_parameters)


def footprint_8(outcome: record.Outcome) -> float:
    """The same with 8-bit numbers."""
    size = outcome.footprint
    return size.bits_8 / (8 * size.base_parameters)


def open_kernels(outcome: record.Outcome) -> float | None:
    """Share of open gates; None for a method without gates."""
    return open_share(outcome.gates)


def open_share(gates: Sequence[record.Gate]) -> float | None:
    """Share of gates that are open; None of no gates."""
    return sum(gate.open for gate in gates) / len(gates) if gates else None


def open_weights(outcome: record.Outcome) -> float | None:
    """Share of the gated kernels' weights that lie behind open gates."""
    weights = sum(gate.weights for gate in outcome.gates)
    opened = sum(gate.weights for gate in outcome.gates if gate.open)
    return opened / weights if weights else None

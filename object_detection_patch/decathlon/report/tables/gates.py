"""What a task patches: open gates, by place in the network."""

from __future__ import annotations

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.running import record


def open_gates(results: Results) -> tuple[Table, ...]:
    """For each method with gates, a row for each task."""
    return tuple(
        _table(results, method)
        for method in order.methods(results)
        if _places(results, method)
    )


def _table(results: Results, method: str) -> Table:
    places = _places(results, method)
    label = paper.sparsity_label_of_table_2(method)
    rows = tuple(
        (
            task.key,
            task.distance,
            cells.cell(results, method, task.key, cells.open_kernels),
            _printed(task.key, label),
            cells.cell(results, method, task.key, cells.open_weights),
            *(
                cells.cell(results, method, task.key, _open_in(place))
                for place in places
            ),
            cells.cell(results, method, task.key, cells.footprint_32),
        )
        for task in results.suite.tasks
    )
    return Table(
        f"gates_{method.lower()}",
        f"Patched kernels of {method}, by task",
        (
            Column("Task"),
            Column("Distance", "integer", "From the source, by design."),
            Column("Kernels", "percent", "Share of the kernels with a mask."),
            Column("paper", "percent"),
            Column("Weights", "percent", "Share of their weights."),
            *(Column(f"{place} kernels", "percent") for place in places),
            Column("Footprint", "percent", "With 32-bit numbers."),
        ),
        rows,
        (setting_note(results),),
    )


def _places(results: Results, method: str) -> list[str]:
    """Places of the gated kernels, in network order."""
    outcomes = (
        results.outcome(method, task.key, seed=cells.SEED)
        for task in results.suite.tasks
    )
    return list(
        dict.fromkeys(
            gate.place
            for outcome in outcomes
            if outcome
            for gate in outcome.gates
        )
    )


def _printed(task: str, label: str | None) -> Cell:
    if label is None:
        return None
    return paper.share(paper.sparsity(task, "patched_percent", label))


def _open_in(place: str) -> cells.Value:
    def share(outcome: record.Outcome) -> float | None:
        return cells.open_share(
            [gate for gate in outcome.gates if gate.place == place]
        )

    return share

"""How much of a difference is chance: results over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Style,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
    ratio,
)
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import MAIN

_DEVIATION = "Of a sample: the squares are divided by n - 1."
_SIZES: tuple[tuple[str, Style, cells.Value], ...] = (
    ("Kernels patched", "percent", cells.open_kernels),
    ("Footprint", "percent", cells.footprint_32),
    ("File bytes", "bytes", lambda outcome: outcome.file_bytes["small"].whole),
)


def tables(results: Results) -> tuple[Table, ...]:
    """mAP, sizes and Scores over seeds; those with two seeds or more."""
    made = over_seeds(results), sizes(results), scores(results)
    return tuple(table for table in made if table)


def over_seeds(results: Results) -> Table | None:
    """A row for each task and method with two seeds or more."""
    rows = tuple(
        (
            task,
            method,
            *_summary([100 * cells.keras(outcome) for outcome in outcomes]),
            min(map(cells.keras, outcomes)) * 100,
            max(map(cells.keras, outcomes)) * 100,
            len(outcomes),
        )
        for task, method, outcomes in _repeated(results)
    )
    if not rows:
        return None
    return Table(
        "spread",
        "Spread over seeds, mAP@0.5 in percent",
        (
            Column("Task"),
            Column("Method"),
            Column("Mean", "2"),
            Column("Standard deviation", "2", _DEVIATION),
            Column("Lowest", "2"),
            Column("Highest", "2"),
            Column("Seeds", "integer"),
        ),
        rows,
        (
            "float32 models in Keras, COCO's definition. A seed decides the "
            "order of images, their augmentation and the initial values.",
            f"All other tables but those of this section have seed "
            f"{cells.SEED} alone.",
        ),
    )


def sizes(results: Results) -> Table | None:
    """Mean and deviation of every size that training decides."""
    rows = tuple(
        (task, method, *row)
        for task, method, outcomes in _repeated(results)
        if (row := _sizes_of(outcomes))
    )
    if not rows:
        return None
    columns = (
        (Column(title, style), Column("deviation", style))
        for title, style, _ in _SIZES
    )
    return Table(
        "spread_sizes",
        "Spread over seeds, sizes of methods with gates",
        (Column("Task"), Column("Method"), *sum(columns, ())),
        rows,
        (
            "Means and standard deviations of samples. Footprint: of one "
            "patch, nominal, with 32-bit numbers. File bytes: the encoding "
            "small, class head included.",
        ),
    )


def scores(results: Results) -> Table | None:
    """Score and Score / Footprint of each seed, on the tasks of all seeds."""
    compared = _by_seed(results)
    methods = [
        method
        for method in order.methods(results)
        if all(method in one.methods for one in compared.values())
    ]
    if len(compared) < 2 or not methods:
        return None
    titles = [f"seed {seed}" for seed in compared]
    tasks = next(iter(compared.values())).tasks
    return Table(
        "spread_scores",
        "Spread over seeds, Scores",
        (
            Column("Method"),
            *(Column(f"Score, {title}", "integer") for title in titles),
            *(
                Column(f"Score / Footprint, {title}", "integer")
                for title in titles
            ),
        ),
        tuple(
            (
                method,
                *(one.score(method) for one in compared.values()),
                *(_per_footprint(one, method) for one in compared.values()),
            )
            for method in methods
        ),
        (
            f"On {', '.join(tasks)}: Scores and sums of nominal footprints "
            "(32-bit numbers) are of these tasks alone.",
        ),
    )


def _repeated(
    results: Results,
) -> Iterator[tuple[str, str, list[record.Outcome]]]:
    """Task, method and outcomes of whatever has two seeds or more."""
    for task in results.suite.tasks:
        for method in order.methods(results):
            outcomes = [
                run.outcome
                for (experiment, name, key, _, _), run in results.runs.items()
                if (experiment, name, key) == (MAIN, method, task.key)
                and run.outcome
            ]
            if len(outcomes) > 1:
                yield task.key, method, outcomes


def _sizes_of(outcomes: list[record.Outcome]) -> tuple[Cell, ...]:
    """Empty for a method whose patches are all of one size."""
    if not all(outcome.gates for outcome in outcomes):
        return ()
    found: tuple[Cell, ...] = ()
    for _, _, value in _SIZES:
        found += _summary([float(value(outcome) or 0) for outcome in outcomes])
    return found


def _summary(values: list[float]) -> tuple[Cell, Cell]:
    return statistics.fmean(values), statistics.stdev(values)


def _by_seed(results: Results) -> dict[int, Comparison]:
    """Seed -> the main experiment, on the tasks that every seed compares."""
    seeds = sorted(
        {
            seed
            for experiment, _, _, _, seed in results.runs
            if experiment == MAIN
        }
    )
    own = {seed: compare(results, cells.keras, seed=seed) for seed in seeds}
    shared = {
        task.key
        for task in results.suite.tasks
        if all(task.key in one.tasks for one in own.values())
    }
    return {
        seed: compare(results, cells.keras, seed=seed, tasks=shared)
        for seed in seeds
    }


def _per_footprint(compared: Comparison, method: str) -> float | None:
    return ratio(
        compared.score(method), compared.total(method, cells.footprint_32)
    )

"""COMPACT and its pieces beside what they are to beat, over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.report.tables.best import best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compared,
    ratio,
)
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import (
    COMPACT,
    COMPACT_PRESET,
    MAIN,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Compact

_SPOTPATCH = "SPOTPATCH"
_EXACT, _HALF, _SMALLEST = "exact", "half", "compact"

_SEEDS = 2
"""Column of how many a row has."""

Key = tuple[str, str, str]
"""Experiment, method, variant."""


def pieces(results: Results, compact: Compact) -> Table:
    """A row for each training and encoding, means over its seeds."""
    found = _by_seed(results, compact)
    rows = tuple(
        _row(name, key, encoding, found)
        for name, key, encoding in _named(results, compact)
        if any(name_of(key) in one.methods for one in found.values())
    )
    tasks = next(iter(found.values())).tasks if found else ()
    width = 3 + len(tasks)
    return Table(
        "compact",
        "Files of half the bytes",
        (
            Column("Training"),
            Column("Encoding"),
            Column("Seeds", "integer"),
            *(Column(task, "1", "Mean mAP@0.5 in percent.") for task in tasks),
            Column("Score", "integer", "Mean over seeds."),
            Column("deviation", "integer", "Of a sample of seeds."),
            Column("File bytes", "bytes", "Of all tasks, mean over seeds."),
            Column(
                "Score / byte",
                "2",
                f"Over that of {_SPOTPATCH} stored as {_HALF}, on the same "
                "seeds.",
            ),
        ),
        rows,
        (
            f"Tasks: {', '.join(tasks)}. float32 models in Keras, COCO's "
            "definition. Whole files, class head and labels included. A "
            "Score is relative to FINE_TUNING of the same seed, where it has "
            f"run, else of seed {cells.SEED}.",
            f"mAP is that of the trained numbers. {COMPACT_PRESET}'s are on "
            f"the grid that its file has; {_SPOTPATCH} stored as {_SMALLEST} "
            "is rounded afterwards, which this table does not see "
            "(benchmarks/README.md, Compact, measures it).",
            "grid_B_H: B bits for the numbers of BatchNorms and H for the "
            "heads' kernels, 0 where they are not trained on a grid (and then "
            "written with 6). late: on it from the middle of a training.",
        ),
        # Rows of other seeds cannot be laid side by side.
        best(
            rows,
            {width: "highest", width + 2: "lowest", width + 3: "highest"},
            apart=[],
        )
        if len({row[_SEEDS] for row in rows}) == 1
        else frozenset(),
    )


def name_of(key: Key) -> str:
    """How a training is called in a comparison."""
    _, method, variant = key
    return f"{method} {variant}".strip()


def _named(
    results: Results, compact: Compact
) -> Iterator[tuple[str, Key, str]]:
    usual = (MAIN, _SPOTPATCH, "")
    for encoding in (_EXACT, _HALF, _SMALLEST):
        yield _SPOTPATCH, usual, encoding
    for method in results.suite.methods:
        if method not in (_SPOTPATCH, FINE_TUNING):
            yield method, (MAIN, method, ""), _HALF
    for label in compact.options:
        key = COMPACT, COMPACT_PRESET, label
        yield name_of(key), key, _SMALLEST


def _by_seed(results: Results, compact: Compact) -> dict[int, Comparison]:
    """Seed -> every training with a result on all tasks, beside FINE_TUNING."""
    seeds = sorted({run.seed for run in results.runs.values()})
    found = {}
    for seed in seeds:
        given = {FINE_TUNING: _reference(results, compact, seed)}
        for _, key, _ in _named(results, compact):
            outcomes = _outcomes(results, compact, key, seed)
            if len(outcomes) == len(compact.tasks):
                given[name_of(key)] = outcomes
        if len(given) > 1 and given[FINE_TUNING]:
            found[seed] = compared(given, compact.tasks, cells.keras)
    return found


def _reference(
    results: Results, compact: Compact, seed: int
) -> Mapping[str, record.Outcome]:
    key = MAIN, FINE_TUNING, ""
    own = _outcomes(results, compact, key, seed)
    if len(own) == len(compact.tasks):
        return own
    return _outcomes(results, compact, key, cells.SEED)


def _outcomes(
    results: Results, compact: Compact, key: Key, seed: int
) -> dict[str, record.Outcome]:
    experiment, method, variant = key
    return {
        task: outcome
        for task in compact.tasks
        if (
            outcome := results.outcome(
                method,
                task,
                experiment=experiment,
                variant=variant,
                seed=seed,
            )
        )
    }


def _row(
    name: str, key: Key, encoding: str, found: Mapping[int, Comparison]
) -> tuple[Cell, ...]:
    having = [one for one in found.values() if name_of(key) in one.methods]
    scores = _known([one.score(name_of(key)) for one in having])
    size = _mean_bytes(having, name_of(key), encoding)
    usual = [one for one in having if _SPOTPATCH in one.methods]
    wanted = ratio(
        _mean(_known([one.score(_SPOTPATCH) for one in usual])),
        _mean_bytes(usual, _SPOTPATCH, _HALF),
    )
    return (
        name,
        encoding,
        len(having),
        *(
            100
            * statistics.fmean(
                one.accuracy[name_of(key)][task] for one in having
            )
            for task in having[0].tasks
        ),
        _mean(scores),
        statistics.stdev(scores) if len(scores) > 1 else None,
        size,
        ratio(ratio(_mean(scores), size), wanted),
    )


def _mean_bytes(
    having: Sequence[Comparison], name: str, encoding: str
) -> float | None:
    def size(outcome: record.Outcome) -> float | None:
        held = outcome.file_bytes.get(encoding)
        return float(held.whole) if held else None

    return _mean(_known([one.total(name, size) for one in having]))


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]

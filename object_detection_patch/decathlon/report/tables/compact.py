"""COMPACT and its pieces beside what they are to beat, over seeds."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, pieces
from object_detection_patch.decathlon.report.tables.best import best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    ratio,
)
from object_detection_patch.decathlon.report.tables.pieces import (
    EXACT,
    HALF,
    MASKS,
    SMALLEST,
    SPOTPATCH,
    Training,
)
from object_detection_patch.decathlon.suite.runs import COMPACT_PRESET
from object_detection_patch.decathlon.suite.suite import Compact

_SEEDS = 2
"""Column of how many a row has."""

_NOTES = (
    f"mAP is that of the trained numbers. {COMPACT_PRESET}'s are on the grid "
    f"that its file has; {SPOTPATCH} stored as {SMALLEST} is rounded "
    "afterwards, which this table does not see (benchmarks/README.md, Compact, "
    "measures it).",
    "grid_B_H: B bits for the numbers of BatchNorms and H for the heads' "
    "kernels, 0 where they are not trained on a grid (and then written with "
    "6). late: on it from the middle of a training.",
)


def table(results: Results, compact: Compact) -> Table:
    """A row for each training and encoding, means over its seeds."""
    return _table(
        "compact",
        "Files of half the bytes",
        _named(pieces.baselines(results), pieces.variants(compact)),
        pieces.by_seed(results, compact),
        (*_NOTES, *_notes_of_targets(compact)),
    )


def on_all_tasks(results: Results, compact: Compact) -> Table | None:
    """The same over the whole suite; None before COMPACT has run there."""
    tasks = [task.key for task in results.suite.tasks]
    found = pieces.by_seed(results, compact, tasks)
    whole = pieces.of_all_tasks(compact)
    if len(tasks) == len(compact.tasks) or not any(
        pieces.having(training, found) for training in whole
    ):
        return None
    return _table(
        "compact_on_all_tasks",
        "Files of half the bytes, on every task",
        _named(pieces.baselines(results), whole),
        found,
        (),
    )


def _table(
    key: str,
    title: str,
    named: Iterable[tuple[Training, str]],
    found: Mapping[int, Comparison],
    notes: tuple[str, ...],
) -> Table:
    rows = tuple(
        _row(training, encoding, found)
        for training, encoding in named
        if pieces.having(training, found)
    )
    tasks = next(iter(found.values())).tasks if found else ()
    width = 3 + len(tasks)
    return Table(
        key,
        title,
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
                f"Over that of {SPOTPATCH} stored as {HALF}, on the same "
                "seeds.",
            ),
        ),
        rows,
        (
            f"Tasks: {', '.join(tasks)}. float32 models in Keras, COCO's "
            "definition. Whole files, class head and labels included. A "
            "Score is relative to FINE_TUNING of the same seed, where it has "
            f"run, else of seed {cells.SEED}.",
            *notes,
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


def _notes_of_targets(compact: Compact) -> tuple[str, ...]:
    """What labels mean that not all suites have."""
    targets = {
        label: found[1]
        for label, options in compact.options.items()
        if (found := re.search(r"target_file_bytes: (\d+)", options))
    }
    if not targets:
        return ()
    named = ", ".join(f"{label} {int(n):,}" for label, n in targets.items())
    return (
        f"Most bytes of one file (target_file_bytes): {named}; on the grid of "
        "4 and 4 bits, late. Gates have no weight in the loss but where a "
        "label says kernels or bytes, which is what that weight counts.",
    )


def _named(
    baselines: Iterable[Training], compacts: Iterable[Training]
) -> Iterator[tuple[Training, str]]:
    for encoding in (EXACT, HALF, SMALLEST):
        yield MASKS, encoding
    for training in baselines:
        yield training, HALF
    for training in compacts:
        yield training, SMALLEST


def _row(
    training: Training, encoding: str, found: Mapping[int, Comparison]
) -> tuple[Cell, ...]:
    having = tuple(pieces.having(training, found).values())
    scores = pieces.scores(training, having)
    size = pieces.mean_bytes(training, encoding, having)
    usual = [one for one in having if SPOTPATCH in one.methods]
    wanted = ratio(
        pieces.mean(pieces.scores(MASKS, usual)),
        pieces.mean_bytes(MASKS, HALF, usual),
    )
    return (
        training.name,
        encoding,
        len(having),
        *(
            100
            * statistics.fmean(
                one.accuracy[training.name][task] for one in having
            )
            for task in having[0].tasks
        ),
        pieces.mean(scores),
        statistics.stdev(scores) if len(scores) > 1 else None,
        size,
        ratio(ratio(pieces.mean(scores), size), wanted),
    )

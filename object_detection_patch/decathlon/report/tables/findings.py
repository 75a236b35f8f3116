"""What the paper found, looked for in our runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Table
from object_detection_patch.decathlon.report.tables import (
    cells,
    checks,
    table_3,
)
from object_detection_patch.decathlon.report.tables.checks import Check
from object_detection_patch.decathlon.report.tables.claims import (
    RANK_CORRELATION,
    SPOTPATCH,
    by_distance,
)
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
    ratio,
)
from object_detection_patch.decathlon.report.tables.correlation import (
    kendall,
    spearman,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

_BN_PATCH, _PIGGYBACK = "BN_PATCH", "PIGGYBACK"
_SUFFICES_POINTS = 1.0

_MapOf = Callable[[str, str], float | None]
"""Of method and task, in percent."""


def findings(results: Results) -> Table:
    """Order of methods, the nearest task, distance, 8 bits, updating."""
    compared = compare(results, cells.keras)
    nearest = _nearest(results)
    return checks.table(
        "findings",
        "What the paper found, here",
        [
            _order(compared),
            _best_patch(compared),
            *_nearest_task(results, nearest),
            Check(
                f"Rank correlation (Spearman's rho) of a task's distance "
                f"with {SPOTPATCH}'s footprint",
                by_distance(results, cells.footprint_32),
                RANK_CORRELATION,
                at_least=True,
            ),
            _eight_bits(compared),
            *_updating(results),
        ],
        (
            *_orders(compared),
            f"Nearest by design: {', '.join(nearest) or 'not stated'}. A patch "
            f"suffices if it is at most {_SUFFICES_POINTS:g} point of mAP "
            "below.",
            *compared.notes(),
        ),
    )


def _order(compared: Comparison) -> Check:
    return Check(
        "Rank correlation (Kendall's tau) of our Scores of patches with the "
        "paper's",
        kendall(
            (compared.score(method), paper.total(method, "score"))
            for method in compared.patches
        ),
        RANK_CORRELATION,
        at_least=True,
    )


def _best_patch(compared: Comparison) -> Check:
    printed = [m for m in paper.methods() if m != FINE_TUNING]
    return Check(
        f"The greatest Score of a patch over that of {FINE_TUNING}",
        ratio(
            _greatest([compared.score(m) for m in compared.patches]),
            compared.score(FINE_TUNING),
        ),
        1.0,
        at_least=False,
        paper=ratio(
            _greatest([paper.total(m, "score") for m in printed]),
            paper.total(FINE_TUNING, "score"),
        ),
    )


def _nearest_task(results: Results, nearest: Sequence[str]) -> Iterator[Check]:
    def ours(method: str, task: str) -> float | None:
        outcome = results.outcome(method, task, seed=cells.SEED)
        return cells.percent(cells.keras(outcome)) if outcome else None

    for other in (SPOTPATCH, FINE_TUNING):
        yield Check(
            f"mAP of {_BN_PATCH} less that of {other} on the nearest task, "
            "in points",
            _mean_difference(ours, _BN_PATCH, other, nearest),
            -_SUFFICES_POINTS,
            at_least=True,
            paper=_mean_difference(
                paper.map_percent, _BN_PATCH, other, nearest
            ),
        )


def _eight_bits(compared: Comparison) -> Check:
    return Check(
        f"Footprint of {SPOTPATCH} over that of {_PIGGYBACK}, 8-bit numbers",
        ratio(
            compared.total(SPOTPATCH, cells.footprint_8),
            compared.total(_PIGGYBACK, cells.footprint_8),
        ),
        1.0,
        at_least=False,
        paper=ratio(
            paper.patch_size(SPOTPATCH, "footprint_8bit"),
            paper.patch_size(_PIGGYBACK, "footprint_8bit"),
        ),
    )


def _updating(results: Results) -> Iterator[Check]:
    updating = results.suite.updating
    if updating is None:
        return
    yield Check(
        "Rank correlation (Spearman's rho) of the share of data that a base "
        f"has seen with the footprint of {SPOTPATCH} that updates it",
        spearman(
            (
                base.percent,
                cells.number(
                    table_3.footprint(results, updating, SPOTPATCH, base)
                ),
            )
            for base in updating.bases
        ),
        -RANK_CORRELATION,
        at_least=False,
        paper=spearman(
            (
                base.percent,
                paper.updating(SPOTPATCH, "footprint_percent", base.percent),
            )
            for base in updating.bases
        ),
    )


def _orders(compared: Comparison) -> Iterator[str]:
    shared = [m for m in compared.patches if m in paper.methods()]
    for whose, score in (
        ("ours", compared.score),
        ("the paper's", lambda method: paper.total(method, "score")),
    ):
        known = {m: s for m in shared if (s := score(m)) is not None}
        if known:
            order = sorted(known, key=known.__getitem__, reverse=True)
            yield f"Patches by Score, {whose}: {', '.join(order)}."


def _nearest(results: Results) -> list[str]:
    """The tasks of the least distance."""
    distances = {
        task.key: task.distance
        for task in results.suite.tasks
        if task.distance is not None
    }
    least = min(distances.values(), default=None)
    return [key for key, distance in distances.items() if distance == least]


def _mean_difference(
    map_of: _MapOf, method: str, other: str, tasks: Sequence[str]
) -> float | None:
    pairs = [(map_of(method, task), map_of(other, task)) for task in tasks]
    known = [a - b for a, b in pairs if a is not None and b is not None]
    return statistics.fmean(known) if known else None


def _greatest(values: Sequence[float | None]) -> float | None:
    return max((v for v in values if v is not None), default=None)

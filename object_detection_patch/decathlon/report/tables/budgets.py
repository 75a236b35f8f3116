"""Score when every task may cost so many bytes and no more.

Score / Footprint alone rewards a weak patch that is tiny. Here a budget is
fixed first, in bytes of one task's patch, and Scores are compared within it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables.best import Wanted, best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
)
from object_detection_patch.decathlon.report.tables.costing import (
    Costing,
    files,
    small_files,
)
from object_detection_patch.decathlon.score import decathlon_score
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

_BUDGETS = 6
_DIGITS = 2
_ANY = "best patch of each task"

Sizes = Mapping[str, Mapping[str, float]]
"""Method -> task -> bytes."""


def tables(results: Results) -> tuple[Table, ...]:
    """For published float32 and int8 patches, else for small files."""
    published = [_table(results, files(p)) for p in ("float32", "int8")]
    made = [table for table in published if table]
    if made:
        return tuple(made)
    unpublished = _table(results, small_files())
    return (unpublished,) if unpublished else ()


def grid(least: float, greatest: float) -> list[int]:
    """Budgets in equal ratios, rounded up to two digits.

    The first admits the smallest patch, the last one the largest. Equal
    budgets are given once.

    Args:
      least, greatest: bytes, at least 1.
    """
    step = (greatest / least) ** (1 / (_BUDGETS - 1))
    exact = [least * step**index for index in range(_BUDGETS - 1)]
    return sorted({_rounded_up(budget) for budget in [*exact, greatest]})


def score_within(
    compared: Comparison, sizes: Sizes, method: str, budget: float
) -> float | None:
    """Score of a method whose too large patches count nothing.

    None where there is no Score at all.
    """
    chosen = {
        task: compared.accuracy[method][task]
        for task in compared.scored
        if sizes[method][task] <= budget
    }
    return _score(compared, chosen)


def best_within(
    compared: Comparison, sizes: Sizes, budget: float
) -> float | None:
    """Score of the most accurate patch within the budget, for each task."""
    chosen = {}
    for task in compared.scored:
        within = [
            compared.accuracy[method][task]
            for method in compared.patches
            if sizes[method][task] <= budget
        ]
        if within:
            chosen[task] = max(within)
    return _score(compared, chosen)


def _score(compared: Comparison, chosen: Mapping[str, float]) -> float | None:
    """Over all scored tasks, of which those not chosen count nothing."""
    if not compared.scored:
        return None
    if not chosen:
        return 0.0
    fine_tuning = compared.accuracy[FINE_TUNING]
    # The Score is a mean over tasks; the others add 0 to its sum.
    share = len(chosen) / len(compared.scored)
    return share * decathlon_score(chosen, {t: fine_tuning[t] for t in chosen})


def _table(results: Results, costing: Costing) -> Table | None:
    compared = compare(results, costing.accuracy)
    sizes = _sizes(compared, costing)
    known = [
        size
        for method in compared.patches
        for size in sizes[method].values()
        if math.isfinite(size)
    ]
    if not known or not compared.scored:
        return None
    budgets = grid(min(known), max(known))
    rows: list[tuple[Cell, ...]] = [
        (m, *(score_within(compared, sizes, m, budget) for budget in budgets))
        for m in compared.methods
    ]
    any_row = (best_within(compared, sizes, budget) for budget in budgets)
    highest: dict[int, Wanted] = dict.fromkeys(
        range(1, len(budgets) + 1), "highest"
    )
    return Table(
        f"budgets_{costing.key}",
        f"Score at fixed bytes a task: {costing.title}",
        (Column("Method"), *(Column(f"{b:,} B", "integer") for b in budgets)),
        (*rows, (_ANY, *any_row)),
        (*_rule(), *costing.notes[:1], *compared.notes()),
        best(rows, highest, apart=[FINE_TUNING, _ANY]),
    )


def _rule() -> tuple[str, ...]:
    return (
        "Every task may cost at most the bytes above its column, the class "
        "head and all else in the file included. A task whose patch is larger "
        "counts nothing, as if it had not been solved.",
        f"Budgets: from the smallest to the largest patch of any method but "
        f"{FINE_TUNING}, in equal ratios, rounded up to {_DIGITS} digits.",
        f"{_ANY}: within the budget and without {FINE_TUNING}, chosen on the "
        "evaluation images, so it is somewhat too good.",
    )


def _sizes(
    compared: Comparison, costing: Costing
) -> dict[str, dict[str, float]]:
    """Of the compared tasks; a patch of unknown size fits no budget."""
    return {
        method: {
            task: math.inf if size is None else size
            for task in compared.tasks
            for size in [costing.whole(compared.outcomes[method][task])]
        }
        for method in compared.methods
    }


def _rounded_up(value: float) -> int:
    unit = 10 ** max(math.floor(math.log10(value)) - _DIGITS + 1, 0)
    return math.ceil(value / unit) * unit

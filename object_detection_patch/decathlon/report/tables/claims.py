"""What was set as the bar for our own runs, computed."""

from __future__ import annotations

from collections.abc import Iterator

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Table
from object_detection_patch.decathlon.report.tables import cells, checks, int8
from object_detection_patch.decathlon.report.tables.checks import Check
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
    ratio,
)
from object_detection_patch.decathlon.report.tables.correlation import spearman

SPOTPATCH, WEIGHTTRANS = "SPOTPATCH", "WEIGHTTRANS"

RANK_CORRELATION = 0.6
_SCORE_SHARE = 0.95
_FOOTPRINT_SHARE = 0.8
_INT8_POINTS = 1.0


def claims(results: Results) -> Table:
    """Score, footprint, their ratio, gates by distance, loss of int8."""
    compared = compare(results, cells.keras)
    return checks.table(
        "claims",
        "What this decathlon was to show",
        [
            *_score_and_price(compared),
            *_gates(results),
            *_int8(results),
        ],
        (
            "Nominal footprints with 32-bit numbers; Scores of float32 models "
            f"in Keras; seed {cells.SEED}.",
            *compared.notes(),
        ),
    )


def by_distance(results: Results, value: cells.Value) -> float | None:
    """Spearman's rho of a value of SPOTPATCH's runs with the distance."""
    return spearman(
        (
            task.distance,
            cells.number(cells.cell(results, SPOTPATCH, task.key, value)),
        )
        for task in results.suite.tasks
    )


def _score_and_price(compared: Comparison) -> Iterator[Check]:
    yield Check(
        f"Score of {SPOTPATCH} over that of {WEIGHTTRANS}",
        ratio(compared.score(SPOTPATCH), compared.score(WEIGHTTRANS)),
        _SCORE_SHARE,
        at_least=True,
        paper=ratio(
            paper.total(SPOTPATCH, "score"), paper.total(WEIGHTTRANS, "score")
        ),
    )
    yield Check(
        f"Footprint of {SPOTPATCH} over that of {WEIGHTTRANS}",
        ratio(
            compared.total(SPOTPATCH, cells.footprint_32),
            compared.total(WEIGHTTRANS, cells.footprint_32),
        ),
        _FOOTPRINT_SHARE,
        at_least=False,
        paper=ratio(
            paper.total(SPOTPATCH, "footprint"),
            paper.total(WEIGHTTRANS, "footprint"),
        ),
    )
    yield Check(
        f"Score / Footprint of {SPOTPATCH} over the best of all others",
        _over_the_best(
            {
                method: _per_footprint(compared, method)
                for method in compared.methods
            }
        ),
        1.0,
        at_least=True,
        paper=_over_the_best(
            {
                method: paper.total(method, "score_per_footprint")
                for method in paper.methods()
            }
        ),
    )


def _gates(results: Results) -> Iterator[Check]:
    for what, value in (
        ("kernels", cells.open_kernels),
        ("weights", cells.open_weights),
    ):
        yield Check(
            f"Rank correlation (Spearman's rho) of a task's distance "
            f"with the share of {what} that {SPOTPATCH} patches",
            by_distance(results, value),
            RANK_CORRELATION,
            at_least=True,
        )


def _int8(results: Results) -> Iterator[Check]:
    for where, value in (
        ("in LiteRT", cells.litert_float32),
        ("in Keras", cells.keras),
    ):
        yield Check(
            f"Mean loss of patched int8 models to float32 {where}, in mAP "
            "points",
            int8.mean_loss(results, value),
            _INT8_POINTS,
            at_least=False,
        )


def _per_footprint(compared: Comparison, method: str) -> float | None:
    footprint = compared.total(method, cells.footprint_32)
    return ratio(compared.score(method), footprint)


def _over_the_best(values: dict[str, float | None]) -> float | None:
    """Of SPOTPATCH over the greatest of the other methods."""
    others = [
        value
        for method, value in values.items()
        if method != SPOTPATCH and value is not None
    ]
    return ratio(values.get(SPOTPATCH), max(others, default=None))

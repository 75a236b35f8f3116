"""What the papers of adapters and SpotTune claim, looked for in our runs."""

from __future__ import annotations

from collections.abc import Iterator

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Table
from object_detection_patch.decathlon.report.tables import (
    cells,
    checks,
    families,
    family_rows,
)
from object_detection_patch.decathlon.report.tables.checks import Check
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    less,
    ratio,
)
from object_detection_patch.decathlon.report.tables.family_rows import (
    COMPRESSED_JOINTLY,
    PARALLEL,
    ROUTED,
    SERIES,
    SPOTTUNE,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Families

_SPOTPATCH = "SPOTPATCH"
_GLOBAL, _RANDOM, _LAST = "SPOTTUNE_GLOBAL", "RANDOM_POLICY", "LAST_3"
_LOST_POINTS, _HALF = 1.0, 0.5
# A bit where SpotTune has a float.
_ROUTED_SIZE = 1 / 32
_TRAINING = 1.47


def claims(results: Results, given: Families) -> Table:
    """Order of the families, sizes, cost of a training."""
    found = families.comparison(results, given)
    return checks.table(
        "families_claims",
        "What the papers of adapters and SpotTune claim, here",
        [*_adapters(found), *_routing(found), _cost(results, given)],
        (
            "Averages over tasks, of mAP here and of accuracy there, in "
            "points. Sizes are nominal, with 32-bit numbers.",
            *found.notes(),
        ),
    )


def _adapters(found: Comparison) -> Iterator[Check]:
    adapted = family_papers.adapted_average
    yield Check(
        f"Average of {PARALLEL} less that of {SERIES}",
        _lead(found, PARALLEL, SERIES),
        0.0,
        at_least=True,
        paper=less(adapted(PARALLEL), adapted(SERIES)),
    )
    yield Check(
        f"Average of {PARALLEL} less that of {COMPRESSED_JOINTLY}",
        _lead(found, PARALLEL, COMPRESSED_JOINTLY),
        _LOST_POINTS,
        at_least=False,
        paper=less(adapted(PARALLEL), adapted(COMPRESSED_JOINTLY)),
    )
    yield Check(
        f"Size of {COMPRESSED_JOINTLY} over that of {PARALLEL}",
        ratio(
            found.total(COMPRESSED_JOINTLY, cells.footprint_32),
            found.total(PARALLEL, cells.footprint_32),
        ),
        _HALF,
        at_least=False,
        paper=ratio(
            less(family_papers.size(COMPRESSED_JOINTLY), 1.0),
            less(family_papers.size(PARALLEL), 1.0),
        ),
    )


def _routing(found: Comparison) -> Iterator[Check]:
    for method, other in (
        (SPOTTUNE, FINE_TUNING),
        (SPOTTUNE, _RANDOM),
        (SPOTTUNE, family_rows.ALWAYS_TUNED),
        (_GLOBAL, _LAST),
    ):
        yield Check(
            f"Average of {method} less that of {other}",
            _lead(found, method, other),
            0.0,
            at_least=True,
            paper=less(
                family_papers.routed_average(method),
                family_papers.routed_average(other),
            ),
        )
    yield Check(
        f"Average of {ROUTED} less that of {_SPOTPATCH}",
        _lead(found, ROUTED, _SPOTPATCH),
        0.0,
        at_least=True,
    )
    yield Check(
        f"Size of {ROUTED} over that of {SPOTTUNE}",
        ratio(
            found.total(ROUTED, cells.footprint_32),
            found.total(SPOTTUNE, cells.footprint_32),
        ),
        _ROUTED_SIZE,
        at_least=False,
    )


def _cost(results: Results, given: Families) -> Check:
    spent, usual = (
        family_rows.training_seconds(results, given, method)
        for method in (SPOTTUNE, FINE_TUNING)
    )
    return Check(
        f"Seconds of a training of {SPOTTUNE} over {FINE_TUNING}'s",
        ratio(spent, usual),
        _TRAINING,
        at_least=False,
        paper=family_papers.figure("spottune_cost", SPOTTUNE, "training"),
    )


def _lead(found: Comparison, method: str, other: str) -> float | None:
    return less(
        cells.percent(found.average(method)),
        cells.percent(found.average(other)),
    )

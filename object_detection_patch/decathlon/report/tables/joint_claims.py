"""What K for the Price of 1 claims of joint training, looked for here."""

from __future__ import annotations

from collections.abc import Iterator

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Table
from object_detection_patch.decathlon.report.tables import checks, joint_rows
from object_detection_patch.decathlon.report.tables.checks import Check
from object_detection_patch.decathlon.report.tables.comparison import (
    less,
    ratio,
)
from object_detection_patch.decathlon.report.tables.joint_rows import (
    SCALES,
    SHARED,
    JointRows,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Joint

_SHARED_PRESET, _SCALES_PRESET = "FEATURE_EXTRACTOR", "BN_PATCH"
_HALF, _LOST_POINTS = 0.5, 1.0
# 3.97 to 6.05 millions, of two tasks.
_PARAMETERS = 0.66


def claims(results: Results, joint: Joint) -> Table:
    """Private patches against sharing everything, and independent models."""
    found = joint_rows.rows(results, joint)
    return checks.table(
        "joint_claims",
        "What K for the Price of 1 claims of joint training, here",
        [*_over_sharing(found), *_beside_independent(found)],
        (
            "Averages over tasks, of mAP here and of accuracy there, in "
            "points. The gain is that of independent models over sharing "
            "everything but the heads; where there is none, its share is not "
            "known. Parameters are the fewer the more tasks share a base: the "
            f"paper has two, ours are {len(found.tasks)}.",
        ),
    )


def _over_sharing(found: JointRows) -> Iterator[Check]:
    for row in found.rows:
        if row.method not in (SHARED, FINE_TUNING):
            yield Check(
                f"Average of {row.method} less that of {SHARED}",
                less(found.average(row.method), found.average(SHARED)),
                0.0,
                at_least=True,
                paper=less(
                    family_papers.joint_average(row.preset),
                    family_papers.joint_average(_SHARED_PRESET),
                ),
            )


def _beside_independent(found: JointRows) -> Iterator[Check]:
    ours = {name: found.average(name) for name in (SHARED, SCALES, FINE_TUNING)}
    paper = {
        name: family_papers.joint_average(preset)
        for name, preset in (
            (SHARED, _SHARED_PRESET),
            (SCALES, _SCALES_PRESET),
            (FINE_TUNING, FINE_TUNING),
        )
    }
    yield Check(
        f"Share of the gain of {FINE_TUNING} that {SCALES} has",
        _gain(ours),
        _HALF,
        at_least=True,
        paper=_gain(paper),
    )
    yield Check(
        f"Average of {FINE_TUNING} less that of {SCALES}",
        less(ours[FINE_TUNING], ours[SCALES]),
        _LOST_POINTS,
        at_least=False,
        paper=less(paper[FINE_TUNING], paper[SCALES]),
    )
    yield Check(
        f"Parameters of all tasks with {SCALES} over those of independent "
        "models",
        ratio(found.parameters(SCALES), found.parameters(FINE_TUNING)),
        _PARAMETERS,
        at_least=False,
        paper=ratio(
            family_papers.joint_parameters(_SCALES_PRESET),
            family_papers.joint_parameters(FINE_TUNING),
        ),
    )


def _gain(average: dict[str, float | None]) -> float | None:
    return ratio(
        less(average[SCALES], average[SHARED]),
        less(average[FINE_TUNING], average[SHARED]),
    )

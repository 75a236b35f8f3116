"""Points where bytes and Score say, and the steps above which none lies."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.figures import compact, style
from object_detection_patch.decathlon.report.tables.pieces import MASKS
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import COMPACT
from object_detection_patch.decathlon.suite.suite import Compact
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

_KIBIBYTE = 1024


def _run(method, coco, sizes, *, seed=1, variant=""):
    outcome = msgspec.structs.replace(
        made.outcome(coco),
        file_bytes={
            name: record.FileBytes(whole=size, without_class_head=size)
            for name, size in sizes.items()
        },
    )
    experiment = {"experiment": COMPACT} if variant else {}
    return made.run(
        method, "birds", outcome, seed=seed, variant=variant, **experiment
    )


def _results(*more):
    suite = msgspec.structs.replace(
        made.suite(1, ["FINE_TUNING", "BN_PATCH", "SPOTPATCH"]),
        compact=Compact(tasks=("birds",), rate=1e-3, options={"late": ""}),
    )
    masks = {"exact": 400 * _KIBIBYTE, "half": 200 * _KIBIBYTE}
    runs = [
        _run("FINE_TUNING", 0.5, {"half": 4000 * _KIBIBYTE}),
        _run("BN_PATCH", 0.2, {"half": 100 * _KIBIBYTE}),
        *(_run("SPOTPATCH", 0.4, masks, seed=seed) for seed in (1, 2)),
        *more,
    ]
    return made.of(suite, runs)


def _compact(coco, kibibytes, seed):
    sizes = {"compact": kibibytes * _KIBIBYTE}
    return _run("COMPACT", coco, sizes, seed=seed, variant="late")


def test_most_seeds_first_then_the_first_alone():
    (figure,) = compact.compact_figures(
        _results(_compact(0.5, 50, 1), _compact(0.3, 60, 2))
    )
    several, alone = figure.alternative.split("Seed 1: ")
    # Fine-tuning at 0.5: Score = 10000 mAP^2.
    assert several.startswith(
        "Mean of 2 seeds: FINE_TUNING (half) 4,000.00 KiB, Score 2,500; "
        "SPOTPATCH (exact) 400.00 KiB, Score 1,600; "
        "SPOTPATCH (half) 200.00 KiB, Score 1,600; "
        "COMPACT late (compact) 55.00 KiB, Score 1,700."
    )
    assert "BN_PATCH (half) 100.00 KiB, Score 400;" in alone
    assert "COMPACT late (compact) 50.00 KiB, Score 2,500." in alone


def test_one_seed_is_one_panel_with_marks_in_their_places():
    (figure,) = compact.compact_figures(_results(_compact(0.5, 50, 1)))
    assert figure.alternative.startswith("Seed 1: ")
    looks = style.looks(["FINE_TUNING", "SPOTPATCH", "COMPACT", "BN_PATCH"])
    at = {
        method: svg_parts.marks(figure.svg, look.colour)[:-1]
        for method, look in looks.items()
    }
    (wide, high), (half, _) = at["SPOTPATCH"]
    ((small, top),) = at["COMPACT"]
    ((_, low),) = at["BN_PATCH"]
    assert (wide - small) / (half - small) == pytest.approx(
        math.log(400 / 50) / math.log(200 / 50), rel=0.01
    )
    assert (low - top) / (low - high) == pytest.approx(2100 / 1200, rel=0.01)
    assert {"late", "exact", "half"} <= set(svg_parts.texts(figure.svg))


def test_notes_of_points_that_lie_together_stand_apart():
    labels = [f"late_{number}" for number in range(12)]
    results = _results()
    suite = msgspec.structs.replace(
        results.suite,
        compact=Compact(
            tasks=("birds",), rate=1e-3, options=dict.fromkeys(labels, "")
        ),
    )
    runs = [
        _run("FINE_TUNING", 0.5, {"half": 4000 * _KIBIBYTE}),
        _run("SPOTPATCH", 0.4, {"half": 200 * _KIBIBYTE}),
        *(
            _run("COMPACT", 0.4, {"compact": 50 * _KIBIBYTE}, variant=label)
            for label in labels
        ),
    ]
    (figure,) = compact.compact_figures(made.of(suite, runs))
    found = sorted(svg_parts.heights(figure.svg, labels))

    assert len(found) == len(labels)
    # Letters of 8 px.
    assert min(b - a for a, b in itertools.pairwise(found)) > 9


def test_without_compact_there_is_no_figure():
    assert list(compact.compact_figures(_results())) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=9
    )
)
def test_the_frontier_is_what_nothing_beats(pairs):
    points = [
        compact.Point(MASKS, "half", size, score) for size, score in pairs
    ]
    kept = {(one.kibibytes, one.score) for one in compact.frontier(points)}
    assert kept == {
        (size, score)
        for size, score in pairs
        if not any(
            (other <= size and more > score) or (other < size and more >= score)
            for other, more in pairs
        )
    }

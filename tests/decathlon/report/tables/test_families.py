"""Families beside the suite's methods: made-up runs, sums by hand."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.tables import (
    families,
    family_claims,
    rates,
)
from tests.decathlon.report import family_results
from tests.decathlon.report import results as made


def _adapters(method, values, share, variant=""):
    return [
        family_results.run(
            method,
            task,
            made.outcome(value, share=share, file_bytes=1000, on_phone=False),
            variant=variant,
            train=90.0,
        )
        for task, value in zip(family_results.TASKS, values, strict=True)
    ]


@pytest.fixture(scope="module")
def results():
    routed = [
        family_results.run(
            "SPOTTUNE",
            task,
            family_results.routed(
                value, (0.0, 0.25, 1.0), (0, 15, 5, 0), always_tuned=0.3
            ),
            train=120.0,
        )
        for task, value in zip(family_results.TASKS, (0.6, 0.4), strict=True)
    ]
    return family_results.of(
        [
            *_adapters("PARALLEL_ADAPTERS", (0.7, 0.5), 0.9),
            *_adapters("SERIES_ADAPTERS", (0.7, 0.4), 2.0),
            *_adapters("PARALLEL_ADAPTERS", (0.69, 0.49), 0.4, "joint_svd"),
            *routed,
        ]
    )


def _cells(table, method):
    """Title -> cell of a method's row; the later of two alike is left out."""
    (row,) = (row for row in table.rows if row[0] == method)
    titles = [column.title for column in table.columns]
    return dict(zip(reversed(titles), reversed(row), strict=True))


def test_sums_and_averages_are_over_the_families_tasks(results):
    table = families.ours(results, family_results.GIVEN)
    row = _cells(table, "PARALLEL_ADAPTERS")

    assert [row["birds"], row["cars"]] == pytest.approx([70, 50])
    assert row["Average mAP"] == pytest.approx(60)
    assert row["Footprint"] == pytest.approx(1.8, rel=1e-6)
    assert row["Files"] == 2000
    assert row["over FINE_TUNING"] == pytest.approx(1.5)
    fine_tuning = _cells(table, "FINE_TUNING")
    assert fine_tuning["Footprint"] == pytest.approx(2.0)
    # By its definition; two tasks have it whole.
    assert fine_tuning["Score"] == pytest.approx(2500)
    assert "coco" not in [column.title for column in table.columns]


def test_rows_are_those_that_ran_and_their_variants(results):
    table = families.ours(results, family_results.GIVEN)

    assert [row[0] for row in table.rows] == [
        "FINE_TUNING",
        "SPOTPATCH",
        "PARALLEL_ADAPTERS",
        "SERIES_ADAPTERS",
        "SPOTTUNE",
        "PARALLEL_ADAPTERS, joint SVD",
        "SPOTTUNE, always tuned",
    ]
    tuned = _cells(table, "SPOTTUNE, always tuned")
    assert [tuned["birds"], tuned["cars"]] == pytest.approx([30, 30])


def test_printed_figures_stand_beside_ours(results):
    table = families.beside_the_papers(results, family_results.GIVEN)
    by_method = {row[0]: row for row in table.rows}

    assert by_method["PARALLEL_ADAPTERS"][2] == 78.07
    assert by_method["PARALLEL_ADAPTERS"][5] == 3412
    assert by_method["SPOTTUNE"][7] == 11
    # (84.03 + 92.40 + 96.34 + 75.77 + 80.20) / 5
    assert by_method["SPOTTUNE"][3] == pytest.approx(85.748)
    assert "SPOTPATCH" not in by_method


def test_what_images_choose_is_counted(results):
    table = families.routing(results, family_results.GIVEN)

    assert [row[:2] for row in table.rows] == [
        ("SPOTTUNE", "birds"),
        ("SPOTTUNE", "cars"),
    ]
    row = table.rows[0]
    assert row[2:4] == (pytest.approx(60), pytest.approx(30))
    # 15 images with one, 5 with two; one block of three is contested.
    assert row[4:] == (pytest.approx(1.25), 3, 1)


def _claim(results, *words):
    table = family_claims.claims(results, family_results.GIVEN)
    (row,) = (r for r in table.rows if all(word in r[0] for word in words))
    return row[1:]


def test_claims_of_the_adapters_paper(results):
    value, required, holds, paper, there = _claim(
        results, "Average of PARALLEL", "SERIES"
    )
    assert (value, required, holds) == (pytest.approx(5), "at least 0", "yes")
    assert (paper, there) == (pytest.approx(0.9), "yes")
    value, _, holds, paper, _ = _claim(results, "Average", "joint SVD")
    assert (value, holds) == (pytest.approx(1.0), "yes")
    assert paper == pytest.approx(-0.29)
    value, _, holds, paper, _ = _claim(results, "Size", "joint SVD")
    assert (value, holds, paper) == (pytest.approx(4 / 9), "yes", 0.5)


def test_claims_of_spottune(results):
    value, _, holds, paper, _ = _claim(results, "SPOTTUNE less", "FINE_TUNING")
    assert (value, holds) == (pytest.approx(0), "yes")
    assert paper == pytest.approx(85.748 - 84.09)
    assert _claim(results, "always tuned")[0] == pytest.approx(20)
    value, _, holds, paper, there = _claim(results, "Seconds")
    assert (value, holds) == (pytest.approx(2.0), "no")
    assert (paper, there) == (1.47, "yes")


def test_what_has_not_run_is_not_known():
    results = family_results.of(_adapters("PARALLEL_ADAPTERS", (0.7, 0.5), 0.9))
    for words in (("SERIES",), ("Average", "joint SVD"), ("Seconds",)):
        value, _, holds, _, _ = _claim(results, *words)
        assert (value, holds) == (None, "not known")
    assert families.routing(results, family_results.GIVEN) is None


def test_rates_that_were_tried_are_those_of_the_families(results):
    suite = family_results.suite()
    table = rates.family_trials(results, suite.tuning, family_results.GIVEN)

    assert [column.title for column in table.columns][2:-2] == ["cars"]
    assert table.rows == (
        ("SPOTTUNE", "0.01", "not run", None, "yes"),
        ("SPOTTUNE", "0.03", "not run", None, None),
    )


def test_there_is_a_section_once_one_of_them_has_run(results):
    def keys(found):
        return [section.key for section in build_tables(found)]

    assert "families" in keys(results)
    failed = family_results.run("SPOTTUNE", "birds", None)
    assert "families" not in keys(family_results.of([failed]))
    assert "families" not in keys(made.whole(made.suite(2)))

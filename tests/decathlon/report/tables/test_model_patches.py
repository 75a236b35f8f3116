"""Model patches beside their paper: made-up runs, printed figures by hand."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.tables import model_patches
from object_detection_patch.decathlon.suite.suite import Family
from object_detection_patch.protos import patch_pb2
from tests.decathlon.report import family_results
from tests.decathlon.report import results as made

_KEY = "model_patches_beside_the_paper"
_METHODS = ("FEATURE_EXTRACTOR", "SCALE_BIAS_ONLY", "BN_STATISTICS")
_GIVEN = msgspec.structs.replace(
    family_results.GIVEN,
    methods={name: Family(rate=1e-2) for name in _METHODS},
    rates={},
)


def _runs(method, values):
    return [
        family_results.run(
            method,
            task,
            made.outcome(value, share=0.25, file_bytes=10, on_phone=False),
        )
        for task, value in zip(family_results.TASKS, values, strict=True)
    ]


def _of(runs):
    found = family_results.of(runs)
    suite = msgspec.structs.replace(found.suite, families=_GIVEN)
    return dataclasses.replace(found, suite=suite)


@pytest.fixture(scope="module")
def results():
    return _of(
        [
            *_runs("FEATURE_EXTRACTOR", (0.2, 0.4)),
            *_runs("SCALE_BIAS_ONLY", (0.1, 0.2)),
            *_runs("BN_STATISTICS", (0.3, 0.4)),
        ]
    )


def test_ours_stand_beside_what_the_paper_prints(results):
    table = model_patches.beside_the_paper(results, _GIVEN)
    rows = {row[0]: row for row in table.rows}

    assert list(rows) == [
        "FEATURE_EXTRACTOR",
        "BN_STATISTICS",
        "SCALE_BIAS_ONLY",
        "FINE_TUNING",
    ]
    only = rows["SCALE_BIAS_ONLY"]
    assert only[1] == "S/B only (random last)"
    assert only[2] == pytest.approx(15)
    assert only[4] == pytest.approx(0.5)
    # (79.5 + 33 + 52.3) / 3; Table 6 has no such row.
    assert only[5] == pytest.approx(54.933333)
    assert only[6:] == (6.4, None)
    # (79.8 + 38.3 + 43.6 + 57.2) / 4
    assert rows["BN_STATISTICS"][5:] == (None, None, pytest.approx(54.725))
    assert rows["FEATURE_EXTRACTOR"][6] == 29.2


def test_a_report_has_it_where_such_patches_have_run(results):
    def keys(found):
        return [t.key for s in build_tables(found) for t in s.tables]

    assert _KEY in keys(results)
    others = _of(_runs("FEATURE_EXTRACTOR", (0.2, 0.4)))
    assert _KEY not in keys(others)
    assert model_patches.beside_the_paper(others, _GIVEN) is None


def test_every_name_is_of_a_preset():
    assert set(model_patches.NAMES) <= set(patch_pb2.Preset.keys())

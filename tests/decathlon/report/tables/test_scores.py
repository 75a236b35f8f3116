import pytest

from object_detection_patch.decathlon.report.tables import scores
from tests.decathlon.report import results as made

_MIB = 2**20


def _results(**options):
    # Of every file `made.sizes` gives 40,000 bytes to the class head.
    shares = {"FINE_TUNING": 1.0, "BN_PATCH": 0.02}
    runs = [
        made.run(
            method,
            "birds",
            made.outcome(
                value,
                share=shares[method],
                share_8=2 * shares[method],
                file_bytes=size,
                patch_bytes=size + 1000,
                float32=value - 0.05,
                int8=value - 0.1,
            ),
        )
        for method, value, size in (
            ("FINE_TUNING", 0.5, 8_000_000),
            ("BN_PATCH", 0.25, 200_000),
        )
    ]
    return made.of(made.suite(1, shares), runs, **options)


def _row(table):
    (row,) = (row for row in table.rows if row[0] == "BN_PATCH")
    return row[1:]


def test_nominal_with_the_class_head_and_without():
    wide, narrow, *_ = scores.tables(_results())
    # b = 0 and 10000 * 0.25^2; the class head has 10,000 numbers.
    head = 10_000 / made.BASE_PARAMETERS
    for table, share in ((wide, 0.02), (narrow, 0.04)):
        assert _row(table) == pytest.approx(
            (625, share, 625 / share, share + head, 625 / (share + head)),
            rel=1e-5,
        )


def test_files_over_the_base_that_was_published():
    tables = scores.tables(_results(bases=[made.base()]))
    expected = {
        "scores_float32_files": (0.45, 0.20, 9 * _MIB),
        "scores_int8_files": (0.40, 0.15, 2.5 * _MIB),
    }
    found = {table.key: table for table in tables}
    for key, (fine_tuning, value, base) in expected.items():
        baseline = 2 * fine_tuning - 1
        score = 10_000 * ((value - baseline) / (1 - baseline)) ** 2
        without, whole = 161_000 / base, 201_000 / base
        assert _row(found[key]) == pytest.approx(
            (score, without, score / without, whole, score / whole)
        )


def test_an_unknown_base_leaves_the_score_alone():
    *_, float32, int8 = scores.tables(_results())
    assert _row(float32)[0] == pytest.approx(10_000 * (0.3 / 1.1) ** 2)
    assert _row(float32)[1:] == _row(int8)[1:] == (None,) * 4


def test_what_was_not_measured_has_no_table():
    runs = [made.run("BN_PATCH", "birds", made.outcome(0.5, on_phone=False))]
    tables = scores.tables(made.of(made.suite(1, phone=False), runs))
    keys = [table.key for table in tables]
    assert keys == ["scores_nominal_32", "scores_nominal_8"]
    assert scores.tables(made.of(made.suite(1))) == ()

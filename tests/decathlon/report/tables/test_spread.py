import pytest

from object_detection_patch.decathlon.report.tables import spread
from tests.decathlon.report import results as made


def test_by_hand():
    runs = [
        made.run("BN_PATCH", "birds", made.outcome(value), seed=seed)
        for seed, value in enumerate((0.5, 0.6, 0.7), 1)
    ]
    runs += [
        made.run("BN_PATCH", "birds", None, seed=4),
        made.run("BN_PATCH", "cars", made.outcome(0.5)),
        made.run("DW_PATCH", "cars", made.outcome(0.5)),
        made.run("DW_PATCH", "cars", made.outcome(0.5), seed=2),
        made.run(
            "SPOTPATCH",
            "cars",
            made.outcome(0.5),
            experiment="sparsity",
            variant="1e-3",
        ),
        made.run("SPOTPATCH", "cars", made.outcome(0.5)),
    ]
    table = spread.over_seeds(made.of(made.suite(2), runs))
    first, second = table.rows
    assert first[:2] == ("birds", "BN_PATCH")
    # Squares 100, 0, 100 over n - 1 = 2.
    assert first[2:] == pytest.approx((60.0, 10.0, 50.0, 70.0, 3))
    assert second == ("cars", "DW_PATCH", 50.0, 0.0, 50.0, 50.0, 2)


def test_one_seed_is_no_table():
    assert spread.over_seeds(made.whole(made.suite(2))) is None

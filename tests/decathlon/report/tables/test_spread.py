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


def test_sizes_by_hand():
    runs = [
        made.run(
            "SPOTPATCH",
            "birds",
            made.outcome(
                0.5, opened=made.gates(opened, 4), file_bytes=file_bytes
            ),
            seed=seed,
        )
        for seed, (opened, file_bytes) in enumerate([(2, 100), (4, 300)], 1)
    ]
    runs += [
        made.run("BN_PATCH", "birds", made.outcome(0.5), seed=seed)
        for seed in (1, 2)
    ]
    table = spread.sizes(made.of(made.suite(2), runs))
    (row,) = table.rows
    assert row[:2] == ("birds", "SPOTPATCH")
    # 1/4 and 100 from the means, squared, twice, over n - 1 = 1.
    assert row[2:4] == pytest.approx((0.75, (2 / 16) ** 0.5))
    assert row[6:] == pytest.approx((200.0, 20_000**0.5))


def test_scores_are_of_the_tasks_that_all_seeds_have():
    runs = [
        made.run(method, task, made.outcome(value), seed=seed)
        for seed, tasks in ((1, ("birds", "cars")), (2, ("birds",)))
        for task in tasks
        for method, value in (("FINE_TUNING", 0.5), ("BN_PATCH", 0.75))
    ]
    table = spread.scores(made.of(made.suite(2), runs))
    assert table.notes[0].startswith("On birds: ")
    fine_tuning, patch = table.rows
    assert fine_tuning[1:3] == pytest.approx((2500, 2500))
    # A baseline of 2 * 0.5 - 1 = 0: 10000 * 0.75^2, over 0.05.
    assert patch[1:3] == pytest.approx((5625, 5625))
    assert patch[3:] == pytest.approx((112_500, 112_500))


def test_one_seed_is_no_table():
    assert spread.tables(made.whole(made.suite(2))) == ()

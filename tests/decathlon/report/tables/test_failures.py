import msgspec

from object_detection_patch.decathlon.report.tables import failures
from tests.decathlon.report import results as made


def test_failed_runs_with_their_errors():
    runs = [
        made.run("BN_PATCH", "birds", None, seed=2),
        made.run("BN_PATCH", "birds", made.outcome(0.5)),
        made.run(
            "SPOTPATCH", "birds", None, experiment="sparsity", variant="1e-3"
        ),
    ]
    table = failures.failed_runs(made.of(made.suite(1), runs))
    error = "ValueError: Received: nothing | at all."
    assert table.rows == (
        ("main", "BN_PATCH", "birds", None, 2, error),
        ("sparsity", "SPOTPATCH", "birds", "1e-3", 1, error),
    )
    assert failures.failed_runs(made.whole(made.suite(1))) is None


def test_progress_counts_the_suites_runs():
    suite = made.suite(2, ["BN_PATCH", "SPOTPATCH"])
    runs = [
        made.run("BN_PATCH", "birds", made.outcome(0.5)),
        made.run("BN_PATCH", "cars", None),
        # Of another seed.
        made.run("SPOTPATCH", "cars", made.outcome(0.5), seed=2),
    ]
    rows = failures.progress(made.of(suite, runs)).rows
    assert rows == (
        ("main", 1, 1, 2),
        # Four bases, two methods.
        ("updating", 0, 0, 8),
        # Two values that are not the method's own, two tasks.
        ("sparsity", 0, 0, 4),
        # Two methods, two rates, two tasks.
        ("tuning", 0, 0, 8),
        ("phone", 1, 0, 3),
    )


def test_a_patch_that_failed_on_the_phone_keeps_its_outcome():
    outcome = made.outcome(0.5, on_phone=False)
    run = made.run("BN_PATCH", "birds", outcome)
    run = msgspec.structs.replace(run, error="on the phone: OSError")
    results = made.of(made.suite(1, ["BN_PATCH"], updating=False), [run])
    assert failures.failed_runs(results).rows[0][-1] == "on the phone: OSError"
    rows = {row[0]: row[1:] for row in failures.progress(results).rows}
    assert rows["main"] == (1, 0, 0)
    assert rows["phone"] == (0, 1, 0)

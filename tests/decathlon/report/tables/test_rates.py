from object_detection_patch.decathlon.report.tables import rates
from tests.decathlon.report import results as made


def _trial(method, task, rate, value):
    outcome = None if value is None else made.outcome(value)
    return made.run(
        method,
        f"{task}_held_out",
        outcome,
        experiment="tuning",
        variant=f"{rate:g}",
    )


def test_every_rate_and_which_was_taken():
    suite = made.suite(2, ["BN_PATCH"])
    runs = [
        _trial("BN_PATCH", "birds", 1e-3, 0.5),
        _trial("BN_PATCH", "cars", 1e-3, 0.7),
        _trial("BN_PATCH", "birds", 1e-2, 0.9),
        _trial("BN_PATCH", "cars", 1e-2, None),
    ]
    table = rates.trials(made.of(suite, runs), suite.tuning)
    assert [column.title for column in table.columns] == [
        *("Method", "Rate", "birds", "cars", "Mean", "Taken"),
    ]
    assert table.rows == (
        ("BN_PATCH", "0.001", 50.0, 70.0, 60.0, "yes"),
        ("BN_PATCH", "0.01", 90.0, "failed", None, None),
    )

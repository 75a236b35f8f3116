import pytest

from object_detection_patch.decathlon.report.tables import cells, int8
from tests.decathlon.report import results as made

_METHODS = ("FINE_TUNING", "BN_PATCH", "SPOTPATCH")


def _run(method, task, keras, float32, eight):
    outcome = made.outcome(keras, float32=float32, int8=eight)
    return made.run(method, task, outcome)


@pytest.fixture
def results():
    return made.of(
        made.suite(2, _METHODS),
        [
            _run("FINE_TUNING", "birds", 0.9, 0.9, 0.5),
            _run("FINE_TUNING", "cars", 0.9, 0.9, 0.5),
            _run("BN_PATCH", "birds", 0.60, 0.61, 0.58),
            _run("BN_PATCH", "cars", 0.50, 0.50, 0.51),
            _run("SPOTPATCH", "birds", 0.70, 0.70, 0.70),
            _run("SPOTPATCH", "cars", 0.80, 0.79, 0.75),
        ],
    )


def test_losses_by_hand(results):
    rows = {row[0]: row[1:] for row in int8.accuracies(results).rows}
    assert rows["BN_PATCH"] == pytest.approx(
        (55.0, 55.5, 54.5, 1.0, 0.5, 3.0, 54.7)
    )
    assert rows["SPOTPATCH"] == pytest.approx(
        (75.0, 74.5, 72.5, 2.0, 2.5, 4.0, 64.4)
    )
    assert rows["all patches"][:-1] == pytest.approx(
        (65.0, 65.0, 63.5, 1.5, 1.5, 4.0)
    )


def test_the_mean_loss_is_of_patches_alone(results):
    # (3 - 1 + 0 + 4) / 4 and (2 - 1 + 0 + 5) / 4 points.
    assert int8.mean_loss(results, cells.litert_float32) == pytest.approx(1.5)
    assert int8.mean_loss(results, cells.keras) == pytest.approx(1.5)


def test_without_phones_there_is_nothing_to_say():
    runs = [
        made.run(method, "birds", made.outcome(0.5, on_phone=False))
        for method in _METHODS
    ]
    results = made.of(made.suite(1, _METHODS, phone=False), runs)
    assert int8.accuracies(results) is None
    assert int8.mean_loss(results, cells.keras) is None

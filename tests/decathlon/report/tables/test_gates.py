import pytest

from object_detection_patch.decathlon.report.tables import gates
from tests.decathlon.report import results as made


def test_by_place_beside_the_paper():
    # Six kernels of 1 + i weights, two in each place.
    outcome = made.outcome(0.5, share=0.03, opened=made.gates(3, 6, weights=1))
    runs = [
        made.run("SPOTPATCH", "birds", outcome),
        made.run("BN_PATCH", "birds", made.outcome(0.5)),
        made.run("SPOTPATCH", "cars", None),
    ]
    (table,) = gates.open_gates(made.of(made.suite(3), runs))
    titles = [column.title for column in table.columns]
    assert titles[5:8] == [f"{p} kernels" for p in ("backbone", "fpn", "tower")]
    birds, cars, coco = table.rows
    assert birds[:2] == ("birds", 4)
    assert birds[2:] == pytest.approx(
        (0.5, 0.085, (1 + 2 + 3) / 21, 1.0, 0.5, 0.0, 0.03), abs=1e-6
    )
    assert cars == ("cars", 5, "failed", 0.254, *("failed",) * 5)
    assert coco == ("coco", 2, "not run", 0.423, *("not run",) * 5)


def test_methods_without_gates_have_no_table():
    runs = [made.run("BN_PATCH", "birds", made.outcome(0.5))]
    assert gates.open_gates(made.of(made.suite(1), runs)) == ()

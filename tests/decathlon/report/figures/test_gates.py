"""gates: whose they are, in which order."""

import pytest

from object_detection_patch.decathlon.report.figures.gates import gates_of
from object_detection_patch.decathlon.running.record import Gate
from tests.decathlon.report import results as made


def _gate(name, place, is_open):
    return Gate(name=name, place=place, open=is_open, weights=10)


def _results(gates_by_task, method="SPOTPATCH", **more):
    suite = made.suite(len(gates_by_task))
    tasks = [task.key for task in suite.tasks]
    return made.of(
        suite,
        [
            made.run(
                method, task, made.outcome(0.5, opened=tuple(gates)), **more
            )
            for task, gates in zip(tasks, gates_by_task, strict=True)
        ],
    )


def test_tasks_with_fewer_open_gates_come_first():
    found = gates_of(
        _results([made.gates(9), made.gates(0), made.gates(71), made.gates(9)])
    )
    assert list(found.tasks) == ["cars", "birds", "dogs", "coco"]
    assert found.counts("birds") == (9, 71)
    assert found.counts("coco") == (71, 71)


def test_kernels_are_grouped_by_place_in_order_of_the_network():
    rows = [
        _gate("a", "tower", True),
        _gate("b", "backbone", False),
        _gate("c", "tower", False),
        _gate("d", "backbone", True),
    ]
    found = gates_of(_results([rows]))
    assert found.kernels == [
        ("tower", "a"),
        ("tower", "c"),
        ("backbone", "b"),
        ("backbone", "d"),
    ]
    assert found.places == ["tower", "backbone"]
    assert found.counts("birds", "tower") == (1, 2)
    assert found.counts("birds", "nowhere") == (0, 0)


def test_kernels_of_all_tasks_are_there():
    found = gates_of(
        _results([[_gate("a", "fpn", True)], [_gate("b", "fpn", False)]])
    )
    assert found.kernels == [("fpn", "a"), ("fpn", "b")]


def test_the_first_method_with_gates_has_them():
    suite = made.suite(1)
    runs = [
        made.run("SPOTPATCH", "birds", made.outcome(0.5, opened=made.gates(1))),
        made.run("PIGGYBACK", "birds", made.outcome(0.5, opened=made.gates(2))),
        made.run("BN_PATCH", "birds", made.outcome(0.5)),
    ]
    found = gates_of(made.of(suite, runs))
    assert found.method == "PIGGYBACK"
    assert found.counts("birds") == (2, 71)


@pytest.mark.parametrize(
    "results",
    [
        made.of(made.suite()),
        _results([[]]),
        _results([made.gates(3)], experiment="updating"),
        made.of(made.suite(), [made.run("SPOTPATCH", "birds", None)]),
    ],
    ids=["nothing", "no gates", "another experiment", "failed"],
)
def test_no_gates_are_none(results):
    assert gates_of(results) is None

"""Claims and findings, each made true and false by hand-made runs."""

import pytest

from object_detection_patch.decathlon.report.tables import claims, findings
from tests.decathlon.report import results as made

_METHODS = (
    *("FINE_TUNING", "BN_PATCH", "PIGGYBACK"),
    *("WEIGHTTRANS", "SPOTPATCH"),
)


def _run(method, task, value, **options):
    return made.run(method, task, made.outcome(value, **options))


def _by_words(table, *words):
    """The one row whose claim has all the words."""
    (row,) = (
        row for row in table.rows if all(word in row[0] for word in words)
    )
    return row[1:4]


def _gated(opened):
    """SPOTPATCH on five tasks of distances 4, 5, 2, 3 and 6."""
    return made.of(
        made.suite(5, _METHODS),
        [
            _run("SPOTPATCH", task, 0.5, opened=made.gates(count, 10))
            for task, count in zip(made.TASKS, opened, strict=False)
        ],
    )


def test_gates_follow_distance():
    table = claims.claims(_gated((4, 5, 2, 3, 6)))
    assert _by_words(table, "share of kernels") == (1.0, "at least 0.6", "yes")
    assert _by_words(table, "share of weights")[0] == 1.0
    # Ranks 3 4 1 2 5 and 3 4 2 1 5 differ by 1 twice: 1 - 6 * 2 / 120.
    table = claims.claims(_gated((4, 5, 3, 2, 6)))
    assert _by_words(table, "share of kernels")[0] == pytest.approx(0.9)
    table = claims.claims(_gated((4, 3, 6, 5, 2)))
    value, _, holds = _by_words(table, "share of kernels")
    assert (value, holds) == (pytest.approx(-1.0), "no")


def test_gates_that_are_all_alike_say_nothing():
    table = claims.claims(_gated((4, 4, 4, 4, 4)))
    assert _by_words(table, "share of kernels")[::2] == (None, "not known")


def test_a_small_share_of_weights_is_told_from_one_of_kernels():
    results = made.of(
        made.suite(4, _METHODS),
        [
            _run("SPOTPATCH", task, 0.5, opened=gates)
            for task, gates in {
                "birds": made.gates(2, 3, weights=1),
                "cars": made.gates(3, 4, weights=1),
                "coco": made.gates(1, 2, weights=1),
                "dogs": made.gates(3, 5, weights=1),
            }.items()
        ],
    )
    # Kernel i has 1 + i weights. Distances 4, 5, 2, 3; kernels 2/3, 3/4, 1/2,
    # 3/5; weights 3/6, 6/10, 1/3, 6/15.
    table = claims.claims(results)
    assert _by_words(table, "share of weights")[0] == pytest.approx(1.0)


def test_int8_losses():
    results = made.of(
        made.suite(1, _METHODS),
        [_run("SPOTPATCH", "birds", 0.5, float32=0.48, int8=0.475)],
    )
    table = claims.claims(results)
    value, required, holds = _by_words(table, "int8", "LiteRT")
    assert (required, holds) == ("at most 1", "yes")
    assert value == pytest.approx(0.5)
    value, _, holds = _by_words(table, "int8", "Keras")
    assert (value, holds) == (pytest.approx(2.5), "no")


def test_without_runs_nothing_is_known():
    results = made.of(made.suite())
    for table in (claims.claims(results), findings.findings(results)):
        assert {row[1] for row in table.rows} == {None}
        assert {row[3] for row in table.rows} == {"not known"}


def _scored(maps, shares=(1.0, 0.02, 0.03, 0.05, 0.04)):
    return made.of(
        made.suite(1, _METHODS),
        [
            _run(method, "birds", value, share=share, share_8=4 * share)
            for method, value, share in zip(_METHODS, maps, shares, strict=True)
        ],
    )


def test_order_of_the_methods():
    # In the paper: BN_PATCH < PIGGYBACK < SPOTPATCH < WEIGHTTRANS.
    same = findings.findings(_scored((0.5, 0.1, 0.2, 0.4, 0.3)))
    assert _by_words(same, "Kendall") == (1.0, "at least 0.6", "yes")
    # One of six pairs the other way: (5 - 1) / 6.
    swapped = findings.findings(_scored((0.5, 0.1, 0.2, 0.3, 0.4)))
    assert _by_words(swapped, "Kendall")[0] == pytest.approx(4 / 6)
    (order,) = (note for note in swapped.notes if "Score, ours" in note)
    assert order.endswith("SPOTPATCH, WEIGHTTRANS, PIGGYBACK, BN_PATCH.")
    (order,) = (note for note in swapped.notes if "the paper's" in note)
    assert order.endswith("WEIGHTTRANS, SPOTPATCH, PIGGYBACK, BN_PATCH.")


def test_no_patch_beats_fine_tuning_or_one_does():
    below = findings.findings(_scored((0.5, 0.1, 0.2, 0.4, 0.3)))
    # b = 0: (0.4 / 0.5)^2.
    assert _by_words(below, "greatest Score")[::2] == (
        pytest.approx(0.64),
        "yes",
    )
    above = findings.findings(_scored((0.5, 0.1, 0.2, 0.6, 0.3)))
    assert _by_words(above, "greatest Score")[2] == "no"


def test_eight_bits_nominal():
    table = findings.findings(_scored((0.5, 0.1, 0.2, 0.4, 0.3)))
    value, _, holds = _by_words(table, "8-bit")
    assert (value, holds) == (pytest.approx(4 / 3, rel=1e-5), "no")


def test_the_nearest_task():
    # voc is the nearest by DISTANCES, coco the second.
    results = made.of(
        made.suite(9, _METHODS),
        [
            _run("BN_PATCH", "voc", 0.70),
            _run("SPOTPATCH", "voc", 0.705),
            _run("FINE_TUNING", "voc", 0.75),
            _run("BN_PATCH", "coco", 0.1),
            _run("SPOTPATCH", "coco", 0.9),
            _run("FINE_TUNING", "coco", 0.9),
        ],
    )
    table = findings.findings(results)
    value, required, holds = _by_words(table, "nearest", "of SPOTPATCH")
    assert (required, holds) == ("at least -1", "yes")
    assert value == pytest.approx(-0.5)
    value, _, holds = _by_words(table, "nearest", "of FINE_TUNING")
    assert (value, holds) == (pytest.approx(-5.0), "no")
    papers = [row[4] for row in table.rows if "nearest" in row[0]]
    assert papers == pytest.approx([71.1 - 70.6, 71.1 - 68.3])


def test_tasks_that_are_equally_near_count_alike():
    results = made.of(
        made.suite(3, _METHODS, distances=(1, 1, 2)),
        [
            _run(method, task, value)
            for method, values in {
                "BN_PATCH": (0.5, 0.6, 0.0),
                "SPOTPATCH": (0.6, 0.9, 0.9),
            }.items()
            for task, value in zip(made.TASKS, values, strict=False)
        ],
    )
    table = findings.findings(results)
    value = _by_words(table, "nearest", "of SPOTPATCH")[0]
    assert value == pytest.approx((-10 - 30) / 2)
    assert any("birds, cars" in note for note in table.notes)


def test_footprint_follows_distance_and_data():
    table = findings.findings(made.whole(made.suite()))
    assert _by_words(table, "distance", "footprint") == (
        *(pytest.approx(1.0), "at least 0.6", "yes"),
    )
    assert _by_words(table, "has seen") == (
        *(pytest.approx(-1.0), "at most -0.6", "yes"),
    )


def test_a_suite_without_updating_makes_no_claim_of_it():
    table = findings.findings(made.whole(made.suite(updating=False)))
    assert not any("has seen" in row[0] for row in table.rows)

"""Which runs a suite has, and what their digests stand for."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.decathlon.suite import mini, runs
from object_detection_patch.decathlon.suite.suite import Drawn, Method
from tests.decathlon.suite.suites_to_test import (
    OTHER,
    USUAL,
    base,
    suite,
    task,
)


def _ids(selected):
    return [run.id for run in selected]


def test_main_is_every_method_on_every_task():
    assert _ids(runs.select(suite())) == [
        "main__fine_tuning__birds__seed1",
        "main__spotpatch__birds__seed1",
        "main__fine_tuning__coco__seed1",
        "main__spotpatch__coco__seed1",
    ]


def test_updating_patches_each_base_of_its_own_task():
    selected = runs.select(suite(), experiments=["updating"])

    assert _ids(selected) == [
        "updating__fine_tuning__coco__coco_10__seed1",
        "updating__spotpatch__coco__coco_10__seed1",
    ]
    assert {run.base for run in selected} == {"coco_10"}


def test_sparsity_leaves_out_what_the_main_experiment_has():
    selected = runs.select(suite(), experiments=["sparsity"])

    assert _ids(selected) == [
        "sparsity__spotpatch__birds__b__seed1",
        "sparsity__spotpatch__coco__b__seed1",
    ]
    assert {run.training.options for run in selected} == {OTHER}


def test_tuning_splits_training_images():
    selected = runs.select(suite(), experiments=["tuning"])

    assert [(run.task.key, run.training.rate) for run in selected] == [
        ("birds_held_out", 1e-3),
        ("birds_held_out", 1e-2),
    ]
    assert {run.training.options for run in selected} == {USUAL}
    task = selected[0].task
    assert (task.train_images, task.eval_images) == (6, 2)
    assert task.eval_records != suite().tasks[0].eval_records
    assert task.label_map == suite().tasks[0].label_map


def test_selection_narrows_and_seeds_repeat():
    selected = runs.select(
        suite(), methods=["SPOTPATCH"], tasks=["coco"], seeds=3
    )

    assert [run.seed for run in selected] == [1, 2, 3]


def test_variants_narrow_the_runs_that_have_one():
    selected = runs.select(
        mini.suite(),
        experiments=["main", "compact"],
        methods=["SPOTPATCH", "COMPACT"],
        tasks=["voc"],
        variants=["late_4_4"],
    )

    assert _ids(selected) == [
        "main__spotpatch__voc__seed1",
        "compact__compact__voc__late_4_4__seed1",
    ]


def test_every_task_has_what_is_compared_on_all():
    selected = runs.select(
        mini.suite(), experiments=["compact"], tasks=["voc", "pet"]
    )
    of_pet = [run for run in selected if run.task.key == "pet"]

    assert sorted(_ids(of_pet)) == [
        "compact__compact__pet__late_4_4__seed1",
        "compact__compact__pet__late_5_4__seed1",
        "compact__compact__pet__late_5_4_budget_75__seed1",
    ]
    assert len(selected) - 3 == len(mini.suite().compact.options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variants": ["late"]}, "A variant must be one of .* Received: late"),
        ({"methods": ["SPOTPACH"]}, "A method must be one of FINE_TUNING"),
        (
            {"tasks": ["bird"]},
            "one of birds, coco, birds_held_out",
        ),
        ({"experiments": ["main", "mian"]}, "An experiment must be one of"),
        ({"seeds": 0}, "`--seeds` must be 1 or more"),
        ({"tasks": ["birds_held_out"]}, "must have something to run"),
    ],
)
def test_what_a_suite_has_not_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        runs.select(suite(), **arguments)


def test_the_mini_suite_has_the_runs_of_the_paper():
    mini_suite = mini.suite()

    assert len(runs.select(mini_suite)) == 9 * 8
    assert len(runs.select(mini_suite, experiments=["updating"])) == 4 * 8
    assert len(runs.select(mini_suite, experiments=["sparsity"])) == 9 * 2


def test_run_ids_are_unique_over_all_experiments_and_seeds():
    ids = [
        run.id for seed in (1, 2) for run in runs.all_runs(mini.suite(), seed)
    ]

    assert len(ids) == len(set(ids))


def test_bases_come_in_order_and_only_if_needed():
    both = runs.select(suite(), experiments=["updating", "main"])

    assert runs.bases_of(suite(), both) == ["source", "coco_10"]
    assert runs.bases_of(suite(), []) == []


def _changed(**changes):
    run = runs.select(suite())[1]
    other = suite(**changes)
    same_run = next(r for r in runs.all_runs(other, 1) if r.id == run.id)
    return runs.config_sha256(suite(), run) != runs.config_sha256(
        other, same_run
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "narrow_320"},
        {"tasks": (task("birds", flip=False), task("coco"))},
        {"tasks": (task("birds", honoured_flags=("difficult",)),)},
        {"methods": {"SPOTPATCH": Method(rate=2e-2, options=USUAL)}},
        {"methods": {"SPOTPATCH": Method(rate=1e-2, options=OTHER)}},
        {"base": base("source", "source", 50)},
        {"phone": True},
    ],
)
def test_a_digest_changes_with_whatever_decides_a_run(changes):
    assert _changed(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": ("Said better.",)},
        {"tasks": (task("birds"),)},
        {
            "methods": {
                "FINE_TUNING": Method(rate=9.0),
                "SPOTPATCH": Method(rate=1e-2, options=USUAL),
            }
        },
        {"updating": None},
    ],
)
def test_a_digest_stays_when_other_runs_change(changes):
    assert not _changed(**changes)


def test_a_run_is_found_by_its_id_alone():
    for run in runs.all_runs(mini.suite(), 2):
        assert runs.find_run(mini.suite(), run.id) == run
    for wrong in ("main__spotpatch__voc__seed0", "main__spotpatch__voc", ""):
        with pytest.raises(ValueError, match="one of the suite's"):
            runs.find_run(mini.suite(), wrong)


def test_names_that_a_suite_has_not_are_refused():
    with pytest.raises(ValueError, match="A base must be one of source, coco"):
        runs.base_of(suite(), "sauce")
    with pytest.raises(ValueError, match="A task must be one of source, bird"):
        runs.task_of(suite(), "cats")


def test_drawn_data_have_a_digest_of_their_own():
    drawn = Drawn(side=96, seed=7)

    def digest(drawn=drawn, **changes):
        birds = task("birds", **changes)
        return runs.data_sha256(suite(drawn=drawn, tasks=(birds,)), birds)

    others = [
        digest(drawn=Drawn(side=128, seed=7)),
        digest(drawn=Drawn(side=96, seed=8)),
        digest(train_images=9),
        digest(eval_images=9),
    ]
    assert len({digest(), *others}) == 5
    assert digest(flip=False, name="Other") == digest()


def test_seed_is_part_of_the_digest():
    first, second = runs.select(
        suite(), methods=["SPOTPATCH"], tasks=["birds"], seeds=2
    )

    assert runs.config_sha256(suite(), first) != runs.config_sha256(
        suite(), second
    )


def test_a_base_has_a_digest_of_its_task():
    changed = msgspec.structs.replace(
        suite(), source=task("source", train_images=9)
    )

    assert runs.base_sha256(suite(), "source") != runs.base_sha256(
        changed, "source"
    )

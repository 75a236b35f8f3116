"""Families of a suite: which runs they add, and how they are trained."""

from __future__ import annotations

import msgspec
import pytest
from google.protobuf import text_format

from object_detection_patch.decathlon.suite import (
    checks,
    families,
    mini,
    paper,
    runs,
)
from object_detection_patch.decathlon.suite.suite import (
    Compressed,
    Families,
    Family,
)
from object_detection_patch.methods import presets
from object_detection_patch.protos import patch_pb2
from tests.decathlon.suite.suites_to_test import suite

_COMPRESSED = {
    "tasks": ("birds", "coco"),
    "methods": {
        "PARALLEL_ADAPTERS": Family(rate=1e-2),
        "SPOTTUNE": Family(rate=1e-3),
    },
    "rates": {},
    "compressed": {
        "svd": Compressed(rate=2e-2, options="a", share=0.5),
        "joint_svd": Compressed(rate=3e-2, options="b", share=0.5),
    },
}
_GIVEN = Families(
    tasks=("coco",),
    methods={
        "SPOTTUNE": Family(rate=1e-3, options="a"),
        "L2_SP": Family(rate=2e-3, options_of={"coco": "b", "birds": "c"}),
    },
    rates={"L2_SP": (1e-3, 3e-3)},
    tuned_on=("birds",),
)


def _suite(**changes):
    given = msgspec.structs.replace(_GIVEN, **changes)
    return suite(families=given)


def test_a_run_for_each_family_and_task():
    found = runs.select(_suite(), experiments=["families"])

    assert [run.id for run in found] == [
        "families__spottune__coco__seed1",
        "families__l2_sp__coco__seed1",
    ]
    assert [run.training.options for run in found] == ["a", "b"]
    assert {run.base for run in found} == {"source"}


def test_variants_are_trained_at_the_rate_of_their_method():
    found = runs.select(
        _suite(variants={"SPOTTUNE": {"few": "b", "many": "c"}}),
        experiments=["families"],
        methods=["SPOTTUNE"],
    )

    assert [
        (run.id, run.training.rate, run.training.options) for run in found
    ] == [
        ("families__spottune__coco__seed1", 1e-3, "a"),
        ("families__spottune__coco__few__seed1", 1e-3, "b"),
        ("families__spottune__coco__many__seed1", 1e-3, "c"),
    ]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({"BN_PATCH": {}}, "`families.variants` must be of one of SPOTTUNE"),
        ({"SPOTTUNE": {"few": "a part"}}, "`options` of SPOTTUNE must be"),
    ],
)
def test_variants_that_cannot_be_trained_are_refused(variants, message):
    given = _suite(
        variants=variants, methods={"SPOTTUNE": Family(rate=1e-3)}, rates={}
    )
    with pytest.raises(ValueError, match=message):
        checks.check(given, "suite.json")


def test_mini_trains_a_few_top_blocks_with_and_without_mobile_tl():
    given = mini.suite().families
    found = {}
    for label, options in given.variants["MOBILE_TL"].items():
        patch = presets.patch_config("MOBILE_TL")
        text_format.Merge(options, patch)
        (part,) = presets.resolve_parts(patch)
        blocks = part.mobile_tl
        found[label] = blocks.trainable_blocks, blocks.approximate

    assert found == {
        "blocks_1": (1, True),
        "blocks_6": (6, True),
        "exact_1": (1, False),
        "exact_3": (3, False),
        "exact_6": (6, False),
    }


def test_rates_are_tried_on_the_tasks_that_are_named():
    found = runs.select(_suite(), experiments=["tuning"], methods=["L2_SP"])

    assert [run.id for run in found] == [
        "tuning__l2_sp__birds_held_out__0.001__seed1",
        "tuning__l2_sp__birds_held_out__0.003__seed1",
    ]
    assert {run.training.options for run in found} == {"c"}


def test_adapters_are_compressed_and_trained_on():
    found = {
        (run.task.key, run.variant): run
        for run in runs.select(
            _suite(**_COMPRESSED),
            experiments=["families"],
            methods=["PARALLEL_ADAPTERS"],
        )
    }
    whole = {task: found[task, ""].id for task in ("birds", "coco")}

    assert len(found) == 6
    for task, run_id in whole.items():
        alone, together = found[task, "svd"], found[task, "joint_svd"]
        assert alone.starts_from.patches_of == (run_id,)
        assert together.starts_from.patches_of == tuple(whole.values())
        assert (alone.training.rate, alone.training.options) == (2e-2, "a")
        assert (together.training.rate, together.training.options) == (
            3e-2,
            "b",
        )
        assert found[task, ""].starts_from is None
        assert runs.find_run(_suite(**_COMPRESSED), together.id) == together


def test_what_starts_from_runs_that_are_not_asked_for_is_left_out():
    found = runs.select(
        _suite(**_COMPRESSED),
        experiments=["families"],
        methods=["PARALLEL_ADAPTERS"],
        tasks=["coco"],
    )
    assert [run.variant for run in found] == ["", "svd"]


def test_what_a_run_starts_from_decides_its_result():
    def digests(**changes):
        given = _suite(**(_COMPRESSED | changes))
        return {
            (run.task.key, run.variant): runs.config_sha256(given, run)
            for run in runs.all_runs(given, 1)
            if run.method == "PARALLEL_ADAPTERS"
        }

    usual = digests()
    less = digests(
        compressed={
            name: msgspec.structs.replace(compressed, share=0.25)
            for name, compressed in _COMPRESSED["compressed"].items()
        }
    )
    faster = digests(
        methods={
            "PARALLEL_ADAPTERS": Family(
                rate=1e-2, options_of={"birds": "part { batch_norm {} }"}
            )
        }
    )

    def changed(other):
        return {key for key in usual if other[key] != usual[key]}

    assert changed(less) == {key for key in usual if key[1]}
    # Together with birds' patch, coco's is compressed otherwise.
    assert changed(faster) == {
        ("birds", ""),
        ("birds", "svd"),
        ("birds", "joint_svd"),
        ("coco", "joint_svd"),
    }


def test_families_leave_the_other_runs_as_they_were():
    with_them = {run.id: run for run in runs.all_runs(_suite(), 1)}
    for run in runs.all_runs(suite(), 1):
        assert with_them[run.id] == run
        assert runs.config_sha256(_suite(), run) == runs.config_sha256(
            suite(), run
        )


def test_where_a_method_has_runs_is_said():
    with pytest.raises(ValueError, match="it has some in: families"):
        runs.select(_suite(), methods=["SPOTTUNE"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ("cats",)}, "`families.tasks` must be one of birds, coco"),
        ({"rates": {"LAST_1": (1.0,)}}, "`families.rates` must be of one of"),
        ({"tuned_on": ("coco",)}, "must be of `tuning`, one of birds"),
        (
            {"tuned_on": (), "rates": {"SPOTTUNE": (1.0,)}},
            "need tasks in `families.tuned_on`",
        ),
        ({"methods": {"SPOTTUN": Family(rate=1.0)}, "rates": {}}, "A method"),
        (
            {"methods": {"SPOTPATCH": Family(rate=1.0)}, "rates": {}},
            "key of a method must be used once. Received: 'SPOTPATCH' twice",
        ),
        (
            {
                "methods": {
                    "SPOTTUNE": Family(rate=1.0, options_of={"birds": ""})
                },
                "rates": {},
            },
            "`options_of` must be of `families.tasks`, one of coco",
        ),
        (
            {"compressed": {"svd": Compressed(rate=1.0, share=0.5)}},
            "`families.compressed` needs PARALLEL_ADAPTERS",
        ),
        (
            {"compressed": {"halved": Compressed(rate=1.0, share=0.5)}},
            "must be one of svd, joint_svd. Received: 'halved'",
        ),
    ],
)
def test_what_cannot_run_is_refused(changes, message):
    usual = {"methods": {"SPOTTUNE": Family(rate=1.0)}, "rates": {}}
    with pytest.raises(ValueError, match=message) as error:
        checks.check(_suite(**(usual | changes)), "mine.json")
    assert "(mine.json)" in str(error.value)


def test_options_of_one_task_are_checked_too():
    family = Family(rate=1.0, options_of={"coco": "part { nothing {} }"})
    with pytest.raises(ValueError, match="of SPOTTUNE must be fields"):
        checks.check(
            _suite(methods={"SPOTTUNE": family}, rates={}), "mine.json"
        )


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        # Rebuffi et al., Section 4.1 and Table 1: Flowers and DTD, Aircraft;
        # UCF101, OmniGlot, Pedestrian; GTSRB, CIFAR100, SVHN.
        *[(1000 * n, "SMALL_DATA") for n in (2, 4, 7)],
        *[(1000 * n, "MEDIUM_DATA") for n in (9, 26, 30)],
        *[(1000 * n, "LARGE_DATA") for n in (40, 50, 70)],
    ],
)
def test_decay_is_that_of_the_papers_data_set_of_this_size(images, expected):
    assert families.decay(images) == expected


@pytest.mark.parametrize("known", [mini.suite, paper.suite])
def test_our_suites_have_every_preset_once(known):
    found = known()

    joint = set(map(runs.joint_method, found.joint.private))
    assert set(runs.all_methods(found)) - joint == set(presets.preset_names())
    assert found.families.tasks == ("voc", "birds", "kitti")
    checks.check(found, found.name)


def _adapter(run):
    patch = presets.patch_config(run.method)
    text_format.Merge(run.training.options, patch)
    return next(
        part.residual_adapter
        for part in presets.resolve_parts(patch)
        if part.WhichOneof("part") == "residual_adapter"
    )


def test_adapters_decay_by_the_images_of_their_task():
    # 16,551, 3,000 and 6,981 training images.
    found = runs.select(
        paper.suite(), experiments=["families"], methods=["SERIES_ADAPTERS"]
    )
    kinds = patch_pb2.ResidualAdapter

    assert {run.task.key: _adapter(run).decay for run in found} == {
        "voc": kinds.MEDIUM_DATA,
        "birds": kinds.SMALL_DATA,
        "kitti": kinds.SMALL_DATA,
    }
    assert {_adapter(run).topology for run in found} == {kinds.SERIES}
    low_rank = runs.select(
        mini.suite(), experiments=["families"], methods=["LOW_RANK_ADAPTERS"]
    )
    assert {_adapter(run).rank for run in low_rank} == {4}


def test_the_shared_factor_stays_shared():
    found = runs.select(
        mini.suite(), experiments=["families"], methods=["PARALLEL_ADAPTERS"]
    )
    assert len(found) == 9
    for run in found:
        assert _adapter(run).left_only == (run.variant == "joint_svd")
        assert _adapter(run).decay == patch_pb2.ResidualAdapter.SMALL_DATA
        share = run.starts_from.share if run.variant else None
        # Rebuffi et al., Section 3.4: half of the channels.
        assert share == (0.5 if run.variant else None)


def test_routed_masks_are_given_the_options_of_masks():
    found = mini.suite()
    assert (
        found.families.methods["ROUTED_SPOTPATCH"].options
        == found.methods["SPOTPATCH"].options
        != ""
    )


def test_mini_tries_three_rates_on_the_tasks_of_the_families():
    found = mini.suite()
    trials = [
        run
        for run in runs.select(found, experiments=["tuning"])
        if run.method in found.families.methods
    ]

    assert {run.task.key for run in trials} == {
        f"{task}_held_out" for task in found.families.tasks
    }
    tried = {}
    for run in trials:
        tried.setdefault(run.method, set()).add(run.training.rate)
    assert set(found.families.methods) - set(tried) == {"ALWAYS_TUNED"}
    for method, rates in tried.items():
        assert found.families.methods[method].rate in rates
        assert len(rates) == 3
    usual = found.methods["FINE_TUNING"].rate
    assert found.families.methods["ALWAYS_TUNED"].rate == usual

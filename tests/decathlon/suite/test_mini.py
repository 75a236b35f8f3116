"""The miniature suite: its tasks, its distances, its rates."""

from __future__ import annotations

import glob
import json
import math
import os

import pytest
from google.protobuf import text_format

from object_detection_patch.decathlon import tasks
from object_detection_patch.decathlon.suite import checks, mini, paper, runs
from object_detection_patch.methods import presets
from tfrecords_tools.synthetic.worlds import worlds

_RESULTS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "results")


def test_its_tasks_are_the_papers():
    suite = mini.suite()

    assert [task.key for task in suite.tasks] == [
        task.key for task in tasks.TARGET_TASKS
    ]
    assert suite.source.key == "oid"
    assert {task.key for task in suite.tasks} | {"oid"} == set(worlds())
    assert set(suite.methods) == set(presets.spotpatch_names())
    checks.check(suite, "mini")


def test_distance_is_designed_for_each_task_from_voc_to_kitti():
    distances = {task.key: task.distance for task in mini.suite().tasks}

    assert min(distances, key=distances.get) == "voc"
    assert max(distances, key=distances.get) == "kitti"
    assert None not in distances.values()


def test_rates_are_tuned_on_no_evaluation_image():
    suite = mini.suite()
    evaluated = {task.eval_records for task in suite.tasks}

    for task in runs.held_out_tasks(suite):
        assert task.train_records not in evaluated
        assert task.eval_records not in evaluated
    for method, rates in suite.tuning.rates.items():
        assert suite.methods[method].rate in rates
        assert len(rates) == 3


def test_budgets_are_the_papers_by_the_ratio_of_parameters():
    def targets(suite):
        found = {}
        for label, options in suite.compact.options.items():
            patch = text_format.Parse(options, presets.patch_config("COMPACT"))
            if patch.target_file_bytes:
                found[label] = patch.target_file_bytes
                thousands = int(label.split("budget_")[1].split("_")[0])
                assert suite.name == "mini" or (
                    patch.target_file_bytes == 1000 * thousands
                )
                assert patch.grid.begin_step > 0
        return found

    of_paper = targets(paper.suite())
    assert set(of_paper.values()) == {50_000, 75_000, 100_000}
    for label, size in targets(mini.suite()).items():
        assert size == int(of_paper[label] * 1_140_216 / 2_095_512)


@pytest.mark.parametrize("suite", [mini.suite, paper.suite])
def test_labels_of_grids_say_their_bits(suite):
    of_labels = {
        label: presets.grid(
            text_format.Parse(options, presets.patch_config("COMPACT"))
        )
        for label, options in suite().compact.options.items()
    }
    named = [label for label in of_labels if not label.startswith("budget_")]

    assert len(named) > 6
    for label in named:
        kind, batch_norm, head = label.split("_")[:3]
        grid = of_labels[label]
        assert (grid.batch_norm_bits, grid.head_bits) == (
            int(batch_norm),
            int(head),
        )
        late = kind == "late" or label == "bytes_4_4"
        assert bool(grid.begin_step) == late
    assert of_labels["budget_50"].batch_norm_bits == 4


@pytest.mark.parametrize(
    ("label", "weight", "unit"),
    [
        ("late_5_4", 3e-3, "KERNELS"),
        ("bytes_4_4", 3e-3, "BYTES"),
        ("budget_50", 0.0, "KERNELS"),
        ("budget_50_kernels", 3e-3, "KERNELS"),
        ("budget_50_bytes", 3e-3, "BYTES"),
    ],
)
def test_what_open_gates_cost_in_the_loss(label, weight, unit):
    options = mini.suite().compact.options[label]
    patch = text_format.Parse(options, presets.patch_config("COMPACT"))
    masks = presets.resolve_parts(patch)[0].binary_mask

    assert masks.lambda_sps == pytest.approx(weight)
    assert masks.SparsityUnit.Name(masks.sparsity_unit) == unit
    assert masks.gate_rate == pytest.approx(0.03)


@pytest.mark.skipif(
    not os.path.isdir(_RESULTS), reason="results/ is not in this checkout"
)
def test_rates_are_those_that_tuning_chose():
    values = {}
    for path in glob.glob(os.path.join(_RESULTS, "*", "runs", "tuning__*")):
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
        by_rate = values.setdefault(run["method"], {})
        # A rate at which a training does not end well is no choice.
        outcome = run["outcome"]
        value = outcome["accuracy"]["coco"] if outcome else -math.inf
        by_rate.setdefault(run["rate"], []).append(value)

    suite = mini.suite()
    known = {
        name: method.rate
        for name, method in (
            *suite.families.methods.items(),
            *suite.methods.items(),
        )
    } | {
        runs.joint_method(name): rate
        for name, rate in suite.joint.private.items()
    }
    # Others may be tuned in another directory, or not yet.
    assert set(suite.methods) <= set(values) <= set(known)
    for method, by_rate in values.items():
        best = max(by_rate, key=lambda rate: sum(by_rate[rate]))
        assert known[method] == best, method

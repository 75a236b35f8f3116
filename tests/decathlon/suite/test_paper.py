"""The paper's suite: its data sets, its settings, our configs' schedule."""

from __future__ import annotations

import importlib.resources
import json

import pytest

from object_detection_patch.decathlon import report
from object_detection_patch.decathlon.suite import checks, paper

_TABLES = json.loads(
    importlib.resources.files(report)
    .joinpath("paper_figures.json")
    .read_bytes()
)


def test_counts_are_those_of_table_1():
    suite = paper.suite()
    printed = _TABLES["table1_datasets"]

    for task in (suite.source, *suite.tasks):
        row = {key.lower(): value for key, value in printed.items()}[task.key]
        assert task.train_images == row["trainval"]
        assert row["eval"] in (task.eval_images, None)
    checks.check(suite, "paper")


def test_lambdas_are_those_of_table_5_and_4_is_its_default():
    sparsity = paper.suite().sparsity

    columns = _TABLES["table5_sparsity_ablation"]["columns"]
    assert [f"map_{label}" for label in sparsity.options] == columns[6:]
    usual = paper.suite().methods["SPOTPATCH"].options
    assert sparsity.options["1e-4"] == usual


@pytest.mark.parametrize(
    ("key", "steps"),
    # 50 x 118,287 / 32 is beyond the ceiling, 50 x 3,000 / 32 below the floor,
    # 50 x 16,551 / 32 = 25,860.
    [("coco", 100_000), ("birds", 8_000), ("voc", 26_000)],
)
def test_schedules_are_passes_within_bounds(key, steps):
    task = next(task for task in paper.suite().tasks if task.key == key)

    assert task.schedule.steps == steps
    assert task.schedule.batch_size == 32


def test_bases_of_model_updating_are_the_papers_shares():
    bases = paper.suite().updating.bases

    assert [base.percent for base in bases] == [10, 20, 40, 80]

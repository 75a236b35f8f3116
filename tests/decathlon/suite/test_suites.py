"""Suites by name and from files, and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import suites
from object_detection_patch.decathlon.suite.suite import (
    Drawn,
    GivenBase,
    Method,
    Sparsity,
    Tuning,
    Updating,
)
from tests.decathlon.suite.suites_to_test import base, suite, task

_BROKEN = Method(rate=1.0, options="lambda_spss: 3")


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_our_suites_survive_their_file(tmp_path, name):
    path = tmp_path / "suite.json"
    record.write_json(path, suites.load(name))

    assert suites.load(str(path)) == suites.load(name)


def test_a_suite_of_ones_own_with_a_base_that_exists(tmp_path):
    given = GivenBase(
        key="zoo", pipeline_config="zoo/pipeline.config", checkpoint="zoo/ckpt"
    )
    path = tmp_path / "mine.json"
    record.write_json(path, suite(base=given))

    assert suites.load(str(path)).base == given


def test_neither_name_nor_file_is_refused():
    with pytest.raises(ValueError, match="must be mini, paper or the JSON"):
        suites.load("minni")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"setings": []}, "unknown field `setings`"),
        ({"tasks": [{"key": "Birds"}]}, r"\$.tasks\[0\].key"),
        ({"phone": "yes"}, "Expected `bool`"),
        ({"methods": {"SPOTPATCH": {"rate": 0}}}, "> 0"),
        (
            {"sparsity": {"method": "SPOTPATCH", "options": {"../a": ""}}},
            "matching regex",
        ),
    ],
)
def test_a_file_with_a_fault_names_it(tmp_path, change, message):
    content = msgspec.to_builtins(suite()) | change
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(record.RecordError, match=message) as raised:
        suites.load(str(path))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "resnet"}, "`architecture` must be one of narrow"),
        ({"tasks": (task("birds"),) * 2}, "key of a task must be used once"),
        ({"tasks": ()}, "needs tasks and methods"),
        ({"methods": {"SPOT": Method(rate=1.0)}}, "A method must be one of"),
        ({"base": base("source", "sauce")}, "A base's `task` must be"),
        ({"updating": Updating(task="x", bases=())}, "`updating.task`"),
        (
            {"sparsity": Sparsity(method="BN_PATCH", options={})},
            "`sparsity.method`",
        ),
        (
            {
                "tuning": Tuning(
                    tasks=(), percent=20, rates={"BN_PATCH": (1.0,)}
                )
            },
            "`tuning.rates`",
        ),
        (
            {"tuning": Tuning(tasks=("cats",), percent=20, rates={})},
            "`tuning.tasks`",
        ),
        ({"quick": (("cats",), ())}, "`quick` must name"),
        ({"quick": ((), ("BN_PATCH",))}, "`quick` must name"),
        (
            {"tasks": (task("birds", honoured_flags=("hard",)), task("coco"))},
            "`honoured_flags` of birds",
        ),
        (
            {"drawn": Drawn(side=48, seed=1)},
            "A task of a suite with `drawn` must be one of birds, .*'source'",
        ),
        (
            {"methods": {**suite().methods, "BN_PATCH": _BROKEN}},
            "`options` of BN_PATCH must be fields .* refused with: .*lambda",
        ),
        (
            {"sparsity": Sparsity(method="SPOTPATCH", options={"a": "part {"})},
            "`options` of SPOTPATCH must be fields .* refused with: ",
        ),
        (
            # Both are 0.003 in an id.
            {
                "tuning": Tuning(
                    tasks=("birds",),
                    percent=25,
                    rates={"SPOTPATCH": (3e-3, 3.000000001e-3)},
                )
            },
            "key of a run must be used once. Received: 'tuning__spotpatch__",
        ),
    ],
)
def test_what_cannot_run_is_refused(tmp_path, changes, message):
    path = tmp_path / "mine.json"
    record.write_json(path, suite(**changes))

    with pytest.raises(ValueError, match=message):
        suites.load(str(path))


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "mine.json"
    record.write_json(path, suite())
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('"rate": 0.001', '"rate": 0.9, "rate": 0.001', 1),
        encoding="utf-8",
    )

    with pytest.raises(ValueError, match="'rate' twice .*mine.json"):
        suites.load(str(path))


def test_a_suite_of_ours_needs_no_tensorflow():
    code = (
        "import sys\n"
        "from object_detection_patch.decathlon.running import run\n"
        "from object_detection_patch.decathlon.suite import suites\n"
        "suites.load('mini'), suites.load('paper')\n"
        "sys.exit('tensorflow' in sys.modules)\n"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

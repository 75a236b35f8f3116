"""What is left to do, and what must not be mixed."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.decathlon.running import plan, record
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.decathlon.suite.suite import Method
from tests.decathlon.running.records_to_test import base_record, run_record
from tests.decathlon.suite.suites_to_test import suite, task


@pytest.fixture
def folder(tmp_path):
    found = open_folder(tmp_path / "out")
    found.root.mkdir()
    plan.settle_suite(found, suite())
    return found


def _keep(folder, run, **changes):
    path = folder.run_record(run.id)
    path.parent.mkdir(exist_ok=True)
    record.write_json(path, run_record(suite(), run, **changes))


def test_all_is_to_do_at_first(folder):
    selected = runs.select(suite())

    assert plan.plan(folder, suite(), selected).todo == tuple(selected)


def test_finished_runs_are_skipped(folder):
    first, *others = runs.select(suite())
    _keep(folder, first)
    planned = plan.plan(folder, suite(), [first, *others])

    assert planned.finished == (first,)
    assert planned.todo == tuple(others)


def test_failed_runs_wait_until_they_are_asked_for(folder):
    first, *others = runs.select(suite())
    _keep(folder, first, outcome=None, error="no memory")
    waiting = plan.plan(folder, suite(), [first, *others])
    again = plan.plan(folder, suite(), [first, *others], retry_failed=True)

    assert (waiting.failed, waiting.todo) == ((first,), tuple(others))
    assert (again.failed, again.todo[0]) == ((), first)


def test_a_half_written_record_is_named(folder):
    first, *_ = runs.select(suite())
    _keep(folder, first)
    path = folder.run_record(first.id)
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(record.RecordError, match=str(path)):
        plan.plan(folder, suite(), [first])


def test_a_changed_method_is_not_mixed_with_its_results(folder):
    first, *_ = runs.select(suite())
    _keep(folder, first)
    changed = suite(methods={**suite().methods, first.method: Method(rate=0.5)})

    for refused in (
        lambda: plan.settle_suite(folder, changed),
        lambda: plan.plan(folder, changed, runs.select(changed)),
    ):
        with pytest.raises(FolderError, match="must not be mixed") as raised:
            refused()
        assert first.id in str(raised.value)
    assert record.read_suite(folder.suite) == suite()


def test_a_suite_may_grow(folder):
    _keep(folder, runs.select(suite())[0])
    grown = suite(tasks=(*suite().tasks, task("cars")))
    plan.settle_suite(folder, grown)

    assert record.read_suite(folder.suite) == grown


def test_failed_runs_do_not_hold_a_suite(folder):
    first, *_ = runs.select(suite())
    _keep(folder, first, outcome=None, error="no memory")
    changed = suite(methods={**suite().methods, first.method: Method(rate=0.5)})
    plan.settle_suite(folder, changed)

    assert record.read_suite(folder.suite) == changed


def test_another_suite_is_refused(folder):
    with pytest.raises(FolderError, match="suite other for"):
        plan.settle_suite(folder, suite(name="other"))


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "photo.jpg").touch()

    with pytest.raises(FolderError, match="which has no suite.json"):
        plan.require_decathlon(open_folder(tmp_path))
    plan.require_decathlon(open_folder(tmp_path / "new"))


def test_bases_are_made_once(folder):
    selected = runs.select(suite(), experiments=["main", "updating"])
    assert plan.bases_todo(folder, suite(), selected) == ["source", "coco_10"]

    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite(), "source"))
    folder.checkpoint("source").mkdir(parents=True)
    assert plan.bases_todo(folder, suite(), selected) == ["coco_10"]


def test_records_without_their_work_need_the_base_again(folder):
    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite(), "source"))

    assert plan.bases_todo(folder, suite(), runs.select(suite())) == ["source"]


def test_a_changed_base_is_refused(folder):
    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite(), "source"))
    base = msgspec.structs.replace(suite().base, rate=0.5)

    with pytest.raises(FolderError, match="base source, whose settings"):
        plan.bases_todo(folder, suite(base=base), runs.select(suite()))

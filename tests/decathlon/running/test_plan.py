"""What is left to do, and what must not be mixed."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.decathlon.running import plan, record
from object_detection_patch.decathlon.running.folder import (
    PRECISIONS,
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.suite import mini, runs
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


def test_a_kept_base_lacks_publishing_until_phones_have_it(tmp_path):
    folder, kept = open_folder(tmp_path), mini.suite()
    accuracy = record.Accuracy(coco=0.5, pascal=0.5)
    found = [plan.lacks_publishing(folder, kept)]
    phones = {}, dict.fromkeys(PRECISIONS, accuracy)
    folder.checkpoint("oid").mkdir(parents=True)
    folder.base_record("oid").parent.mkdir()
    for phone in phones:
        record.write_json(
            folder.base_record("oid"), base_record(kept, "oid", phone=phone)
        )
        found.append(plan.lacks_publishing(folder, kept))
    for precision in PRECISIONS:
        folder.published("oid", precision).mkdir()
    found.append(plan.lacks_publishing(folder, kept))

    # A record without the work beside it does not help.
    assert found == [True, True, True, False]
    assert not plan.lacks_publishing(folder, suite())


def test_a_changed_base_is_refused(folder):
    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite(), "source"))
    base = msgspec.structs.replace(suite().base, rate=0.5)

    with pytest.raises(FolderError, match="base source, whose settings"):
        plan.bases_todo(folder, suite(base=base), runs.select(suite()))


def test_a_failure_with_other_settings_is_none(folder):
    first, *_ = runs.select(suite())
    _keep(
        folder, first, outcome=None, error="no memory", config_sha256="0" * 64
    )

    assert plan.plan(folder, suite(), [first]).todo == (first,)


@pytest.mark.parametrize("content", [b"", b"{}", b"null"])
@pytest.mark.parametrize("name", ["run", "base", "suite"])
def test_an_empty_record_is_named(folder, name, content):
    first, *_ = runs.select(suite())
    path = {
        "run": folder.run_record(first.id),
        "base": folder.base_record("source"),
        "suite": folder.suite,
    }[name]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)

    with pytest.raises(record.RecordError, match=str(path)):
        plan.settle_suite(folder, suite())
        plan.plan(folder, suite(), [first])
        plan.bases_todo(folder, suite(), [first])


def test_a_base_that_a_run_needs_is_asked_for(folder):
    with pytest.raises(FolderError, match=r"\(--base source\). Received: no "):
        plan.require_base(folder, suite(), "source")
    path = folder.base_record("source")
    record.write_json(path, base_record(suite(), "source"))
    with pytest.raises(FolderError, match="or no .*checkpoint"):
        plan.require_base(folder, suite(), "source")
    folder.checkpoint("source").mkdir(parents=True)

    held = plan.require_base(folder, suite(), "source")
    assert held == base_record(suite(), "source")


def test_a_base_with_other_weights_is_refused(folder):
    mine, other = "ab" * 32, "cd" * 32
    plan.refuse_results_of_others(folder, "source", other)
    record.write_json(
        folder.base_record("source"), base_record(suite(), "source")
    )
    plan.refuse_results_of_others(folder, "source", mine)
    plan.refuse_other_base(folder, "coco_10", other)

    for refused in (plan.refuse_other_base, plan.refuse_results_of_others):
        with pytest.raises(FolderError, match=f"base {other[:12]}, made here"):
            refused(folder, "source", other)


def test_results_on_a_base_outlast_its_record(folder):
    updating = runs.select(suite(), experiments=["updating"])
    first, *_ = runs.select(suite())
    _keep(folder, first)
    _keep(folder, updating[0], outcome=None, error="no memory")

    with pytest.raises(FolderError, match=first.id):
        plan.refuse_results_of_others(folder, "source", "cd" * 32)
    plan.refuse_results_of_others(folder, "source", "ab" * 32)
    plan.refuse_results_of_others(folder, "coco_10", "cd" * 32)


def test_a_result_of_another_base_than_the_recorded_is_refused(folder):
    first, *_ = runs.select(suite())
    _keep(folder, first)
    held = base_record(suite(), first.base)
    record.write_json(folder.base_record(first.base), held)
    plan.refuse_mixed_bases(folder)

    other = base_record(suite(), first.base, fingerprint="ef" * 32)
    record.write_json(folder.base_record(first.base), other)
    with pytest.raises(FolderError, match=f"base efefefefefef, .*{first.id}"):
        plan.refuse_mixed_bases(folder)


def test_half_a_base_is_refused_when_nothing_is_left(folder):
    path = folder.base_record("source")
    path.parent.mkdir()
    path.write_bytes(b"{")
    with pytest.raises(record.RecordError, match="source.json must hold"):
        plan.refuse_mixed_bases(folder)


@pytest.mark.parametrize("option", ["--out_dir", "--data_dir"])
def test_a_file_is_no_directory(tmp_path, option):
    path = tmp_path / "file"
    path.touch()
    given = {"--out_dir": (path, None), "--data_dir": (tmp_path / "o", path)}
    with pytest.raises(FolderError, match=f"`{option}` must be a directory"):
        plan.require_decathlon(open_folder(*given[option]))

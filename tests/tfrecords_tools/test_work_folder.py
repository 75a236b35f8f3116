"""The hidden folder: what survives a stop, and who may write into it."""

import subprocess
import sys
import uuid

import pytest

from tfrecords_tools.counts import Counts
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.files import to_path
from tfrecords_tools.work_folder import WorkFolder

HOLD_UNTIL_KILLED = """
import pathlib, sys, time
from tfrecords_tools.work_folder import WorkFolder
with WorkFolder(pathlib.Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=["disk", "store"])
def work(request, tmp_path):
    if request.param == "disk":
        folder = tmp_path / "out" / ".pet_train.partial"
    else:
        folder = to_path(f"memory://{uuid.uuid4().hex}/.pet_train.partial")
    folder.mkdir(parents=True)
    return WorkFolder(folder)


@pytest.fixture
def local(tmp_path):
    return WorkFolder(tmp_path / "deep" / "work")


def fill(work):
    for index in (0, 1):
        work.spool(index).write_bytes(b"annotations")
        work.shard(index).write_bytes(b"records")
        work.counts(index).write_bytes(b"{}")


def names(work):
    return sorted(path.name for path in work.path.iterdir())


def test_names_sort_by_index(work):
    for name in (work.spool, work.shard, work.counts, work.faults):
        paths = [name(index) for index in (0, 9, 10, 12345)]
        assert sorted(path.name for path in paths) == [p.name for p in paths]
        assert {path.parent for path in paths} == {work.path}


def test_equal_work_goes_on_where_it_stopped(work):
    work.start("same")
    fill(work)
    before = names(work)
    work.start("same")
    assert names(work) == before


@pytest.mark.parametrize("stamp", [b"other", b"", None])
def test_shards_of_other_work_are_thrown_away(work, stamp):
    fill(work)
    if stamp is not None:
        (work.path / "identity").write_bytes(stamp)
    work.start("new")
    # Annotations are spooled before the identity is known.
    assert names(work) == [
        "annotations-00000.jsonl.gz",
        "annotations-00001.jsonl.gz",
        "identity",
    ]
    assert (work.path / "identity").read_bytes() == b"new"


def test_a_kill_while_throwing_away_leaves_no_claim(work, monkeypatch):
    """Counts without their shard, under the old identity, would be a lie."""
    work.start("old")
    fill(work)
    kind = type(work.path)
    unlink = kind.unlink

    def stop_at_counts(path, **options):
        if path.name.startswith("counts-"):
            raise KeyboardInterrupt
        unlink(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "unlink", stop_at_counts)
        with pytest.raises(KeyboardInterrupt):
            work.start("new")
    work.start("old")
    assert not work.counts(0).exists()


def test_finishing_is_remembered_for_the_same_work_alone(work):
    assert not work.is_finishing("a")
    work.begin_finishing("a")
    assert work.is_finishing("a")
    assert not work.is_finishing("b")


def test_counts_are_read_back(work):
    counts = Counts()
    counts.drop({"zero width": 2}, "é.jpg")
    text = '{"images": {}, "boxes": {"annotated": 2}, "unusable": {}, '
    text += '"re_encoded": {}, "remarks": {}, "dropped": {"zero width": 2}, '
    text += '"classes": {}, "named": {"zero width": ["é.jpg"]}}'
    work.counts(3).write_bytes(text.encode())
    assert work.read_counts(work.counts(3)) == counts


def test_removed_with_all_that_is_in_it(work):
    work.start("a")
    fill(work)
    with work.locked():
        work.remove()
    assert not work.shard(0).exists()
    assert not work.path.exists() or not names(work)


def test_lock_makes_the_folder(local):
    with local.locked():
        assert local.path.is_dir()


def test_second_conversion_is_kept_out_until_the_first_ends(local):
    with local.locked():
        with pytest.raises(DatasetError, match=f"works: {local.path}$"):
            with local.locked():
                pytest.fail("locked twice")
    with pytest.raises(KeyError), local.locked():
        raise KeyError
    with local.locked():
        pass


def test_lock_ends_with_a_killed_process(local):
    command = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(local.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(DatasetError), local.locked():
            pytest.fail("locked twice")
        process.kill()
    with local.locked():
        pass


def test_stores_without_locks_are_used_without(work):
    with work.locked():
        work.start("a")
    assert (work.path / "identity").exists()

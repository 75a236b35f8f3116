"""Paths of this machine and of stores that only act like a file system."""

import uuid
from pathlib import Path

import pytest

from tfrecords_tools.files import is_local, move, to_path


@pytest.fixture
def memory_folder():
    """A folder in fsspec's store in memory; no two tests share one."""
    folder = to_path(f"memory://{uuid.uuid4().hex}")
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("text", ["a/b.jpg", "/a", "~/x", "C:/x", "a:/b"])
def test_paths_of_this_machine_are_plain(text):
    path = to_path(text)
    assert (path, type(path)) == (Path(text), type(Path()))
    assert is_local(path)


def test_paths_are_handed_through(memory_folder):
    for path in (Path("a"), memory_folder):
        assert to_path(path) is path


def test_paths_in_a_store_act_like_paths(memory_folder):
    path = memory_folder / "deep" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"hello")
    assert not is_local(path)
    again = to_path(str(path))
    assert (again.read_bytes(), again.name) == (b"hello", "a.txt")
    assert [p.name for p in memory_folder.iterdir()] == ["deep"]


def test_an_unknown_kind_of_store_is_refused():
    text = "nope://bucket/a"
    with pytest.raises(ValueError) as error:
        to_path(text)
    assert str(error.value).startswith("Paths of this kind need a package")
    assert str(error.value).endswith(f"Received: {text}")


@pytest.mark.parametrize("where", ["tmp_path", "memory_folder"])
def test_moving_replaces_what_has_the_name(request, where):
    folder = request.getfixturevalue(where)
    source, target = folder / "new", folder / "old"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    move(source, target)
    assert target.read_bytes() == b"new"
    assert not source.exists()

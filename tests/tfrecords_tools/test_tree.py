"""Files are found in official trees and one folder deeper, or named."""

import pytest

from tfrecords_tools.errors import MissingDataError
from tfrecords_tools.tree import Tree


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def put(folder, *parts):
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_official_place_comes_first(tree):
    deeper = put(tree.root, "aaa", "lists", "train.txt")
    assert tree.file("lists/train.txt", archive="lists.tgz") == deeper
    official = put(tree.root, "lists", "train.txt")
    assert tree.file("lists/train.txt", archive="lists.tgz") == official


def test_alternatives_are_tried_in_order_at_the_root_first(tree):
    put(tree.root, "deep", "first.txt")
    second = put(tree.root, "second.txt")
    found = tree.optional_file("first.txt", "second.txt")
    assert found == second
    first = put(tree.root, "first.txt")
    assert tree.optional_file("first.txt", "second.txt") == first


def test_of_several_deeper_folders_the_first_by_name_is_taken(tree):
    put(tree.root, "b", "x.csv")
    first = put(tree.root, "a", "x.csv")
    assert tree.file("x.csv", archive="x.zip") == first


def test_two_folders_deeper_is_not_searched(tree):
    put(tree.root, "a", "b", "x.csv")
    assert tree.optional_file("x.csv") is None


def test_files_and_folders_are_not_confused(tree):
    put(tree.root, "images")
    (tree.root / "deep" / "images").mkdir(parents=True)
    (tree.root / "x.csv").mkdir()
    assert tree.folder("images", archive="i") == tree.root / "deep" / "images"
    assert tree.optional_file("x.csv", "images/below") is None


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_miss_names_alternatives_archive_and_root(tree, kind):
    with pytest.raises(MissingDataError) as error:
        getattr(tree, kind)("Images", "images", archive="images.tar")
    assert str(error.value) == (
        f"`--data_dir` must hold the {kind} Images or images, which comes in "
        f"images.tar. Received: {tree.root}"
    )


def test_root_must_be_a_folder(tmp_path):
    for root in (tmp_path / "absent", put(tmp_path, "file")):
        with pytest.raises(MissingDataError, match=f"folder. .*: {root}"):
            Tree(root)

"""Stanford Dogs: breeds from lists, boxes from XML."""

import argparse

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from tfrecords_tools.converters.dogs import DogsConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

HOUND = "n02085621-black-and-tan_coonhound"


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("dogs").build(tmp_path, pictures)
    return tmp_path


@pytest.fixture(scope="module")
def fuzzed_root(tmp_path_factory, dataset_builder, pictures):
    root = tmp_path_factory.mktemp("dogs")
    dataset_builder("dogs").build(root, pictures)
    return root


def converter(root):
    return DogsConverter(root, argparse.Namespace())


def read(root, split):
    return list(converter(root).annotated_images(split))


def write_list(path, files, labels):
    cell = np.empty((len(files), 1), object)
    cell[:, 0] = files
    column = np.array([labels], np.uint8).T
    savemat(path, {"file_list": cell, "labels": column})


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = read(root, split)
    assert found == records(expected("dogs")[split], root, EdgeRule.PIXELS)
    assert all(image.path.is_file() for image in found)


def test_lists_hold_bytes_in_columns(root):
    lists = loadmat(root / "train_list.mat")
    assert lists["labels"].dtype == np.uint8
    assert lists["labels"].shape == lists["file_list"].shape == (2, 1)


def test_one_file_lies_about_its_encoding(root):
    path = root / f"Images/{HOUND}/n02085621_1.jpg"
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("has_whole_list", [True, False])
def test_breed_is_all_that_follows_the_first_hyphen(root, has_whole_list):
    if not has_whole_list:
        (root / "file_list.mat").unlink()
    found = [(item.id, item.name) for item in converter(root).label_map()]
    assert found == [(1, "Chihuahua"), (2, "black-and-tan_coonhound")]


@pytest.mark.parametrize(
    ("images", "annotations"),
    [("images", "annotations"), ("Images", "annotation")],
)
def test_folders_as_the_readme_spells_them(root, images, annotations):
    (root / "Images").rename(root / images)
    (root / "Annotation").rename(root / annotations)
    assert len(read(root, "train")) == 2


def test_lists_may_lie_in_a_folder_of_their_own(root):
    (root / "lists").mkdir()
    for path in root.glob("*_list.mat"):
        path.rename(root / "lists" / path.name)
    assert len(read(root, "eval")) == 2


def test_image_without_dogs_is_kept(root):
    path = root / f"Annotation/{HOUND}/n02085621_2"
    path.write_text("<annotation/>", "utf-8")
    assert read(root, "eval")[1].objects == ()


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        ("train_list.mat", "lists.tar"),
        ("test_list.mat", "lists.tar"),
        ("Images", "images.tar"),
        ("Annotation", "annotation.tar"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, name, archive):
    (root / name).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=f"{name}.*{archive}"):
        converter(root)


def test_missing_annotation_is_named(root):
    (root / f"Annotation/{HOUND}/n02085621_2").unlink()
    with pytest.raises(MissingDataError, match="n02085621_2"):
        read(root, "eval")


@pytest.mark.parametrize(
    ("files", "labels", "message"),
    [
        ([f"{HOUND}/n02085621_1.jpg"], [1], r"folder in all.*2\. Received: 1"),
        (["n02085622-Pug/n02085622_1.jpg"], [3], "in all lists, none"),
        ([f"{HOUND}/n02085621_1.jpg"], [2, 2], "each of 1 files.*: 2 .*labels"),
        ([f"{HOUND}/n02085620_1.jpg"], [2], r"<synset>.*file_list\{1,1\}"),
        ([f"../{HOUND}/n02085621_1.jpg"], [2], "<synset>"),
        ([f"{HOUND}/n02085621_1"], [2], "<synset>"),
        ([7], [2], "text of printable characters. Received: 7"),
    ],
)
def test_list_is_refused(root, files, labels, message):
    write_list(root / "test_list.mat", files, labels)
    with pytest.raises(ParseError, match=message):
        read(root, "eval")


def test_labels_that_do_not_follow_the_folders_are_refused(root):
    files = ["n02085620-Chihuahua/n02085620_1.jpg", f"{HOUND}/n02085621_1.jpg"]
    write_list(root / "file_list.mat", files, [2, 1])
    message = r"greater than 2\. Received: 1 .*file_list.mat, file_list\{2,1\}"
    with pytest.raises(ParseError, match=message):
        converter(root).label_map()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_wrong_byte_gives_records_or_a_clear_error(fuzzed_root, data):
    intact = (fuzzed_root / "file_list.mat").read_bytes()
    at = data.draw(st.integers(124, len(intact) - 1))
    wrong = bytes([data.draw(st.integers(0, 255))])
    path = fuzzed_root / "test_list.mat"
    path.write_bytes(intact[:at] + wrong + intact[at + 1 :])
    try:
        for image in converter(fuzzed_root).annotated_images("eval"):
            assert {o.label for o in image.objects} <= {1, 2}
    except DatasetError as error:
        assert "Received" in str(error)

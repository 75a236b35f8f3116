"""Birds of 2010: names from folders, boxes from MATLAB files."""

import argparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrecords_tools.converters.birds import BirdsConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

TERN = "003.Artic_Tern/Artic_Tern_0001"


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("birds").build(tmp_path, pictures)
    return tmp_path


@pytest.fixture(scope="module")
def fuzzed_root(tmp_path_factory, dataset_builder, pictures):
    root = tmp_path_factory.mktemp("birds")
    dataset_builder("birds").build(root, pictures)
    return root


def converter(root):
    return BirdsConverter(root, argparse.Namespace())


def read_eval(root):
    return list(converter(root).annotated_images("eval"))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = list(converter(root).annotated_images(split))
    rule = EdgeRule.ONE_BASED_INCLUSIVE
    assert found == records(expected("birds")[split], root, rule)
    assert all(image.path.is_file() for image in found)


def test_labels_are_line_numbers_and_spellings_stay(root):
    found = [(item.id, item.name) for item in converter(root).label_map()]
    assert found == [
        (1, "Black_footed_Albatross"),
        (2, "Chuck_will_Widow"),
        (3, "Artic_Tern"),
    ]


def test_class_is_all_that_follows_the_first_dot(root):
    (root / "lists/classes.txt").write_text("001.St.Lucia_Oriole\n", "utf-8")
    assert converter(root).label_map()[0].name == "St.Lucia_Oriole"


def test_folder_of_annotations_may_have_an_underscore(root):
    (root / "annotations-mat").rename(root / "annotations_mat")
    assert len(read_eval(root)) == 2


def test_lists_need_no_newline_at_their_end(root):
    path = root / "lists/test.txt"
    path.write_bytes(path.read_bytes().rstrip())
    assert len(read_eval(root)) == 2


def test_edition_of_2011_is_refused(tmp_path):
    (tmp_path / "images.txt").write_text("1 001.A/a.jpg\n", "utf-8")
    boxes = tmp_path / "bounding_boxes.txt"
    boxes.write_text("1 60.0 27.0 325.0 304.0\n", "utf-8")
    with pytest.raises(MissingDataError, match=r"of 2010.*: CUB-200-2011"):
        converter(tmp_path)


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        ("lists/train.txt", "lists.tgz"),
        ("images", "images.tgz"),
        ("annotations-mat", "annotations.tgz"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, name, archive):
    (root / name).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=f"{name}.*{archive}"):
        converter(root)


def test_missing_annotation_is_named(root):
    (root / f"annotations-mat/{TERN}.mat").unlink()
    with pytest.raises(MissingDataError, match=r"Artic_Tern_0001\.mat"):
        read_eval(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("001.A\n003.B\n", "002.<name>.*'003.B' .*classes.txt, line 2"),
        ("1 001.A\n", "001.<name>.*'1 001.A' .*line 1"),
        ("001.\n", "001.<name>.*line 1"),
        ("001.A\n\n002.B\n", "003.<name>.*line 3"),
    ],
)
def test_class_list_is_refused(root, text, message):
    (root / "lists/classes.txt").write_text(text, "utf-8")
    with pytest.raises(ParseError, match=message):
        converter(root).label_map()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{TERN}.png\n", "<folder>/<name>.jpg.*test.txt, line 1"),
        (f"{TERN}.jpg\nArtic_Tern_0001.jpg\n", "<folder>.*line 2"),
        (f"../{TERN}.jpg\n", "<folder>/<name>.jpg.*line 1"),
        ("003.Artic_Tern/a\0.jpg\n", "<folder>/<name>.jpg.*line 1"),
        ("004.Owl/a.jpg\n", "one of classes.txt.*'004.Owl' .*line 1"),
    ],
)
def test_list_of_images_is_refused(root, text, message):
    (root / "lists/test.txt").write_text(text, "utf-8")
    with pytest.raises(ParseError, match=message):
        read_eval(root)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_in_a_list_give_records_or_a_clear_error(fuzzed_root, data):
    path = fuzzed_root / "lists/test.txt"
    line = st.sampled_from([f"{TERN}.jpg".encode(), b"\n", b"/", b".jpg"])
    parts = data.draw(st.lists(st.one_of(line, st.binary(max_size=9))))
    path.write_bytes(b"".join(parts))
    try:
        for image in converter(fuzzed_root).annotated_images("eval"):
            assert image.source_id == "Artic_Tern_0001"
    except DatasetError as error:
        assert "Received" in str(error)

"""Lists of Oxford-IIIT Pet: one id a breed, one line an image."""

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import DatasetError, ParseError
from tfrecords_tools.formats.pet_lists import (
    PetEntry,
    read_class_list,
    read_image_list,
)

LINES = ["Bengal_1 2 1 2", "Abyssinian_100 1 1 1", "shiba_inu_7 3 2 1"]
LABELS = {"Abyssinian": 1, "Bengal": 2, "shiba_inu": 3}


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "list.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


def test_classes_come_by_id_and_comments_are_skipped(write):
    path = write("#Image CLASS-ID", "#", *LINES)
    assert list(read_class_list(path).items()) == list(LABELS.items())


def test_breed_ends_at_the_last_underscore(write):
    assert read_image_list(write(LINES[2]), LABELS) == (
        PetEntry("shiba_inu_7", "shiba_inu", 3, "dog"),
    )


def test_entries_come_in_the_order_of_the_file(write):
    entries = read_image_list(write(*LINES), LABELS)
    assert [entry.label for entry in entries] == [2, 1, 3]
    assert entries[0].species == "cat"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Bengal_2 1 1 2", "one breed. Received: Bengal 1 .*line 4"),
        ("Birman_2 2 1 2", "one breed. Received: Birman 2 .*line 4"),
        ("Birman_2 0 1 2", "CLASS-ID must be 1 or more. Received: 0.*line 4"),
        ("Birman_2 4 3 2", "species 1 or 2.*line 4"),
        ("Birman_2 4 1", "line 4"),
        ("Birman_2 4 1 2 9", "line 4"),
        ("Birman 4 1 2", "<Breed>_<number>"),
        ("../Birman_2 4 1 2", "<Breed>_<number>"),
        ("Birman_2.jpg 4 1 2", "<Breed>_<number>"),
    ],
)
def test_inconsistent_class_list_is_refused(write, line, message):
    with pytest.raises(ParseError, match=message):
        read_class_list(write(*LINES, line))


def test_classes_may_be_some_of_the_official_ones(write):
    labels = read_class_list(write("pug_1 26 2 18", "Bengal_1 6 1 2"))
    assert list(labels.items()) == [("Bengal", 6), ("pug", 26)]


def test_class_list_without_classes_is_refused(write):
    with pytest.raises(ParseError, match="must name a class"):
        read_class_list(write("# nothing"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([LINES[0], LINES[0]], "listed once. Received again: Bengal_1 .*2"),
        (["Bengal_1 1 1 2"], "class list, 2. Received: Bengal 1"),
        (["Birman_1 4 1 2"], "which lacks it. Received: Birman 4"),
        ([], "at least one image"),
    ],
)
def test_list_that_contradicts_the_classes_is_refused(write, lines, message):
    with pytest.raises(ParseError, match=message):
        read_image_list(write(*lines), LABELS)


@hypothesis.given(
    st.lists(
        st.sampled_from([*LINES, "Bengal_2 2 1 2", "Bengal_3 7 1 2", "#", "?"])
    ).map("\n".join)
    | st.text(st.characters(codec="utf-8"), max_size=40)
)
def test_any_text_gives_consistent_classes_or_a_dataset_error(
    tmp_path_factory, text
):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(text.encode())
    try:
        labels = read_class_list(path)
        entries = read_image_list(path, labels)
    except DatasetError:
        return
    numbers = list(labels.values())
    assert numbers == sorted(set(numbers)) and numbers[0] >= 1
    assert all(labels[entry.breed] == entry.label for entry in entries)

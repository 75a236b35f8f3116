"""Stanford Cars: two packagings, fields by name, classes by number."""

import argparse

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from tfrecords_tools.converters.cars import CarsConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

LABELS = "cars_test_annos_withlabels.mat"
RULE = EdgeRule.ONE_BASED_INCLUSIVE


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("cars").build(tmp_path, pictures)
    return tmp_path


@pytest.fixture
def combined_root(tmp_path, dataset_builder, pictures):
    dataset_builder("cars").build_combined(tmp_path, pictures)
    return tmp_path


@pytest.fixture(scope="module")
def fuzzed_root(tmp_path_factory, dataset_builder, pictures):
    root = tmp_path_factory.mktemp("cars")
    dataset_builder("cars").build(root, pictures)
    return root


def converter(root):
    return CarsConverter(root, argparse.Namespace())


def read(root, split):
    return list(converter(root).annotated_images(split))


def change(path, **values):
    """Puts values into the second struct of `annotations`."""
    variables = loadmat(path)
    for name, value in values.items():
        variables["annotations"][name][0, 1] = value
    savemat(path, {k: v for k, v in variables.items() if k[0] != "_"})


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = read(root, split)
    assert found == records(expected("cars")[split], root, RULE)
    assert all(image.path.is_file() for image in found)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_other_packaging_as_written_by_hand(combined_root, expected, split):
    found = read(combined_root, split)
    listed = expected("cars")["combined"][split]
    assert found == records(listed, combined_root, RULE)
    assert all(image.path.is_file() for image in found)


def test_class_names_keep_slash_and_case(root):
    assert [item.name for item in converter(root).label_map()] == [
        "AM General Hummer SUV 2000",
        "Ram C/V Cargo Van Minivan 2012",
        "smart fortwo Convertible 2012",
    ]


def test_order_of_fields_does_not_matter(root, expected):
    path = root / "devkit/cars_train_annos.mat"
    annotations = loadmat(path)["annotations"]
    names = ("fname", "class", "bbox_x1", "bbox_x2", "bbox_y1", "bbox_y2")
    turned = np.empty(annotations.shape, [(name, object) for name in names])
    for name in names:
        turned[name] = annotations[name]
    savemat(path, {"annotations": turned})
    assert read(root, "train") == records(expected("cars")["train"], root, RULE)


@pytest.mark.parametrize("folder", ["devkit", "elsewhere"])
def test_labels_of_the_test_set_may_be_in_the_devkit(root, folder):
    (root / folder).mkdir(exist_ok=True)
    (root / LABELS).rename(root / folder / LABELS)
    assert converter(root).splits == ("train", "eval")
    assert len(read(root, "eval")) == 2


def test_folder_within_a_folder_of_the_same_name_is_found(root):
    (root / "cars_train").rename(root / "inner")
    (root / "cars_train").mkdir()
    (root / "inner").rename(root / "cars_train" / "cars_train")
    (first, _) = read(root, "train")
    assert first.path == root / "cars_train/cars_train/00001.jpg"
    assert first.filename == "cars_train/00001.jpg"


def test_no_eval_split_without_labels_of_the_test_set(root):
    (root / LABELS).unlink()
    assert (root / "devkit/cars_test_annos.mat").is_file()
    assert converter(root).splits == ("train",)
    with pytest.raises(MissingDataError, match=LABELS):
        read(root, "eval")


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        ("devkit/cars_meta.mat", "car_devkit.tgz"),
        ("devkit/cars_train_annos.mat", "car_devkit.tgz"),
        ("cars_train", "cars_train.tgz"),
        ("cars_test", "cars_test.tgz"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, name, archive):
    (root / name).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=f"{name}.*{archive}"):
        converter(root)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"class": 0},
            r"from 1 to 3\. Received: 0 .*annotations\(1,2\)\.class",
        ),
        ({"class": 4}, r"from 1 to 3\. Received: 4"),
        ({"bbox_x1": "7"}, r"a vector of numbers.*'7' .*\(1,2\)\.bbox_x1"),
        ({"bbox_x1": 7.5}, r"whole numbers.*7\.5"),
        ({"bbox_y2": [[1, 2]]}, r"a single number.*1x2"),
        ({"fname": "../a.jpg"}, r"<name>\.jpg.*\(1,2\)\.fname"),
        ({"fname": 3}, r"text.*3 "),
    ],
)
def test_annotation_is_refused(root, values, message):
    change(root / "devkit/cars_train_annos.mat", **values)
    with pytest.raises(ParseError, match=message):
        read(root, "train")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"test": 2}, r"0 or 1\. Received: 2 .*annotations\(1,2\)\.test"),
        ({"relative_im_path": "000002.jpg"}, r"car_ims/<name>\.jpg"),
    ],
)
def test_annotation_of_the_other_packaging_is_refused(
    combined_root, values, message
):
    change(combined_root / "cars_annos.mat", **values)
    with pytest.raises(ParseError, match=message):
        read(combined_root, "eval")


def test_file_without_classes_is_refused(root):
    (root / "devkit/cars_test_annos.mat").replace(root / LABELS)
    with pytest.raises(
        ParseError, match=r"Received: bbox_x1.*fname .*\(1,1\)\.class"
    ):
        read(root, "eval")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_wrong_byte_gives_records_or_a_clear_error(fuzzed_root, data):
    intact = (fuzzed_root / "devkit/cars_train_annos.mat").read_bytes()
    at = data.draw(st.integers(124, len(intact) - 1))
    wrong = bytes([data.draw(st.integers(0, 255))])
    path = fuzzed_root / LABELS
    path.write_bytes(intact[:at] + wrong + intact[at + 1 :])
    try:
        for image in converter(fuzzed_root).annotated_images("eval"):
            assert image.objects[0].label in (1, 2, 3)
    except DatasetError as error:
        assert LABELS in str(error)

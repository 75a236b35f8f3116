"""The native layout of Stanford Cars, as its own authors ship it."""

import argparse

import numpy as np
import pytest
from scipy.io import loadmat

from tfrecords_tools.converters.cars import CarsConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.cars import write

CLASS_NAMES = ("Ram C/V 2012", "smart 2012")
BOX_FIELDS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


def image(name, edges, count=1):
    xmin, ymin, xmax, ymax = edges
    car = NativeObject(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    return NativeImage(
        encoded=b"\xff\xd8\xff" + bytes(edges[:2]),
        width=300,
        height=20,
        objects=(car,) * count,
        owners=np.zeros((20, 300), np.uint8),
    )


TRAIN = [image("smart 2012", (39, 1, 290, 18))]
EVAL = [
    image("Ram C/V 2012", (5, 6, 70, 19)),
    image("smart 2012", (0, 0, 9, 20)),
]


def files(root):
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(p.relative_to(root)): p.read_bytes() for p in paths}


def test_tree_is_the_official_one_and_splits_share_names(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    assert set(files(tmp_path)) == {
        "cars_train/00001.jpg",
        "cars_test/00001.jpg",
        "cars_test/00002.jpg",
        "devkit/cars_meta.mat",
        "devkit/cars_train_annos.mat",
        "devkit/cars_test_annos.mat",
        "cars_test_annos_withlabels.mat",
    }


def test_fields_have_the_order_and_types_of_real_files(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    path = tmp_path / "devkit/cars_train_annos.mat"
    record = loadmat(path)["annotations"][0, 0]
    assert record.dtype.names == (*BOX_FIELDS, "class", "fname")
    assert [record[name].item() for name in BOX_FIELDS] == [40, 2, 290, 18]
    assert record["bbox_x1"].dtype == record["class"].dtype == np.uint8
    assert record["bbox_x2"].dtype == np.uint16
    assert record["fname"].item() == "00001.jpg"


def test_devkit_gives_no_classes_of_the_test_set(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    path = tmp_path / "devkit/cars_test_annos.mat"
    annotations = loadmat(path)["annotations"]
    assert annotations.shape == (1, 2)
    assert annotations.dtype.names == (*BOX_FIELDS, "fname")


def test_class_names_are_a_row(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    meta = loadmat(tmp_path / "devkit/cars_meta.mat")
    assert meta["class_names"].shape == (1, 2)


def test_converter_reads_back_what_was_drawn(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    converter = CarsConverter(tmp_path, argparse.Namespace())
    first, second = converter.annotated_images("eval")
    assert first.objects[0].name == "Ram C/V 2012"
    assert first.objects[0].edges == (6, 7, 70, 19)
    assert second.objects[0].label == 2
    assert second.path.read_bytes() == EVAL[1].encoded


def test_equal_arguments_give_equal_bytes(tmp_path):
    roots = tmp_path / "a", tmp_path / "b"
    for root in roots:
        root.mkdir()
        write(root, TRAIN, EVAL, class_names=CLASS_NAMES)
    assert files(roots[0]) == files(roots[1])


@pytest.mark.parametrize("count", [0, 2])
def test_image_must_hold_one_object(tmp_path, count):
    images = [image("smart 2012", (1, 2, 3, 4), count)]
    with pytest.raises(ValueError, match=f"one object. Received: {count}"):
        write(tmp_path, images, [], class_names=CLASS_NAMES)

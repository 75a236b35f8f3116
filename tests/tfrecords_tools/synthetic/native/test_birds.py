"""The native layout of Birds 2010, as its own authors ship it."""

import argparse

import numpy as np
import pytest
from scipy.io import loadmat

from tfrecords_tools.converters.birds import BirdsConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.birds import write

CLASS_NAMES = ("Owl", "Grey_Tern")
STEM = "002.Grey_Tern/Grey_Tern_0001"


def image(name, edges, count=1):
    xmin, ymin, xmax, ymax = edges
    owners = np.zeros((20, 300), np.uint8)
    owners[ymin:ymax, xmin:xmax] = 1
    bird = NativeObject(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    return NativeImage(
        encoded=b"\xff\xd8\xff" + name.encode(),
        width=300,
        height=20,
        objects=(bird,) * count,
        owners=owners,
    )


TRAIN = [image("Grey_Tern", (39, 1, 290, 18)), image("Owl", (0, 0, 9, 20))]
EVAL = [image("Grey_Tern", (5, 6, 7, 8))]


def files(root):
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(p.relative_to(root)): p.read_bytes() for p in paths}


def test_tree_is_the_official_one(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    stems = ["001.Owl/Owl_0001", STEM, "002.Grey_Tern/Grey_Tern_0002"]
    lists = ("classes.txt", "files.txt", "test.txt", "train.txt", "splits.mat")
    assert set(files(tmp_path)) == {
        *(f"images/{stem}.jpg" for stem in stems),
        *(f"annotations-mat/{stem}.mat" for stem in stems),
        *(f"lists/{name}" for name in lists),
    }


def test_lists_are_sorted_and_hold_names_only(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    found = files(tmp_path / "lists")
    assert found["classes.txt"] == b"001.Owl\n002.Grey_Tern\n"
    assert (
        found["train.txt"] == (f"001.Owl/Owl_0001.jpg\n{STEM}.jpg\n").encode()
    )
    assert found["files.txt"].count(b"\n") == 2
    assert not found["files.txt"].endswith(b"\n")
    splits = loadmat(tmp_path / "lists/splits.mat")["splits"]
    assert splits["train_labels"][0, 0].tolist() == [[1], [2]]
    assert splits["train_labels"][0, 0].dtype == np.uint8


def test_fields_have_the_order_and_types_of_real_files(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    variables = loadmat(tmp_path / f"annotations-mat/{STEM}.mat")
    bbox = variables["bbox"][0, 0]
    assert bbox.dtype.names == ("left", "top", "right", "bottom")
    assert [bbox[name].item() for name in bbox.dtype.names] == [40, 2, 290, 18]
    assert bbox["left"].dtype == np.uint8
    assert bbox["right"].dtype == np.uint16


def test_mask_agrees_with_the_box(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    seg = loadmat(tmp_path / f"annotations-mat/{STEM}.mat")["seg"]
    assert (seg.dtype, seg.shape) == (np.uint8, (20, 300))
    columns, rows = np.flatnonzero(seg.any(0)), np.flatnonzero(seg.any(1))
    assert (columns[0] + 1, columns[-1] + 1) == (40, 290)
    assert (rows[0] + 1, rows[-1] + 1) == (2, 18)


def test_converter_reads_back_what_was_drawn(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    converter = BirdsConverter(tmp_path, argparse.Namespace())
    owl, tern = converter.annotated_images("train")
    assert (owl.objects[0].name, owl.objects[0].label) == ("Owl", 1)
    assert owl.objects[0].edges == (1, 1, 9, 20)
    assert tern.path.read_bytes() == TRAIN[0].encoded
    assert tern.size == (300, 20)


def test_equal_arguments_give_equal_bytes(tmp_path):
    roots = tmp_path / "a", tmp_path / "b"
    for root in roots:
        root.mkdir()
        write(root, TRAIN, EVAL, class_names=CLASS_NAMES)
    assert files(roots[0]) == files(roots[1])


@pytest.mark.parametrize("count", [0, 2])
def test_image_must_hold_one_object(tmp_path, count):
    images = [image("Owl", (1, 2, 3, 4), count)]
    with pytest.raises(ValueError, match=f"one object. Received: {count}"):
        write(tmp_path, images, [], class_names=CLASS_NAMES)

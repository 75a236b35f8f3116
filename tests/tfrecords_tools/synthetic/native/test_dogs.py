"""The native layout of Stanford Dogs, as its own authors ship it."""

import argparse

import numpy as np
import pytest
from scipy.io import loadmat

from tfrecords_tools.converters.dogs import DogsConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.dogs import write

CLASS_NAMES = ("Shih-Tzu", "Pug & Co")
XML = """\
<annotation>
	<folder>02085621</folder>
	<filename>n02085621_1</filename>
	<source>
		<database>ImageNet database</database>
	</source>
	<size>
		<width>30</width>
		<height>20</height>
		<depth>3</depth>
	</size>
	<segment>0</segment>
	<object>
		<name>Pug &amp; Co</name>
		<pose>Left</pose>
		<truncated>1</truncated>
		<difficult>1</difficult>
		<bndbox>
			<xmin>0</xmin>
			<ymin>2</ymin>
			<xmax>30</xmax>
			<ymax>18</ymax>
		</bndbox>
	</object>
</annotation>
"""


def dog(name, edges, truncated=False, **flags):
    xmin, ymin, xmax, ymax = edges
    return NativeObject(
        name=name,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        truncated=truncated,
        flags=flags,
    )


def image(*dogs):
    return NativeImage(
        encoded=b"\xff\xd8\xff" + bytes([len(dogs)]),
        width=30,
        height=20,
        objects=dogs,
        owners=np.zeros((20, 30), np.uint8),
    )


PUG = dog("Pug & Co", (0, 2, 30, 18), truncated=True, pose="Left", difficult=1)
TRAIN = [image(PUG), image(dog("Shih-Tzu", (1, 2, 3, 4)))]
EVAL = [image(dog("Shih-Tzu", (5, 6, 9, 9)), dog("Shih-Tzu", (1, 1, 4, 4)))]


def files(root):
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(p.relative_to(root)): p.read_bytes() for p in paths}


def test_tree_is_the_official_one(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    shih_tzu, pug = "n02085620-Shih-Tzu", "n02085621-Pug & Co"
    stems = [
        f"{shih_tzu}/n02085620_1",
        f"{shih_tzu}/n02085620_2",
        f"{pug}/n02085621_1",
    ]
    assert set(files(tmp_path)) == {
        *(f"Images/{stem}.jpg" for stem in stems),
        *(f"Annotation/{stem}" for stem in stems),
        *(f"{name}_list.mat" for name in ("train", "test", "file")),
    }


def test_xml_has_no_extension_and_the_tags_of_real_files(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    path = tmp_path / "Annotation/n02085621-Pug & Co/n02085621_1"
    assert path.read_text("utf-8") == XML


def test_lists_are_columns_in_the_order_of_labels(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    found = loadmat(tmp_path / "file_list.mat")
    assert found["labels"].tolist() == [[1], [1], [2]]
    assert found["labels"].dtype == np.uint8
    assert found["file_list"].shape == found["annotation_list"].shape == (3, 1)
    stem = found["annotation_list"][2, 0].item()
    assert stem == "n02085621-Pug & Co/n02085621_1"
    assert found["file_list"][2, 0].item() == f"{stem}.jpg"


def test_converter_reads_back_what_was_drawn(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    converter = DogsConverter(tmp_path, argparse.Namespace())
    _, pug = converter.annotated_images("train")
    (found,) = pug.objects
    assert (found.name, found.label) == ("Pug & Co", 2)
    assert found.edges == (0, 2, 30, 18)
    assert (found.truncated, found.difficult) == (True, True)
    assert found.extra == {"view": "Left"}
    (pair,) = converter.annotated_images("eval")
    assert [o.edges for o in pair.objects] == [(5, 6, 9, 9), (1, 1, 4, 4)]
    assert pair.path.read_bytes() == EVAL[0].encoded
    assert (pair.size, pair.remarks) == ((30, 20), ())


def test_breed_without_an_image_leaves_no_gap_in_the_labels(tmp_path):
    write(tmp_path, TRAIN[:1], [], class_names=CLASS_NAMES)
    converter = DogsConverter(tmp_path, argparse.Namespace())
    (pug,) = converter.annotated_images("train")
    assert pug.objects[0].label == 1
    assert pug.source_id == "n02085621_1"


def test_equal_arguments_give_equal_bytes(tmp_path):
    roots = tmp_path / "a", tmp_path / "b"
    for root in roots:
        root.mkdir()
        write(root, TRAIN, EVAL, class_names=CLASS_NAMES)
    assert files(roots[0]) == files(roots[1])


@pytest.mark.parametrize("dogs", [(), (PUG, dog("Shih-Tzu", (1, 2, 3, 4)))])
def test_image_must_show_one_breed(tmp_path, dogs):
    with pytest.raises(ValueError, match=r"one breed. Received: \["):
        write(tmp_path, [image(*dogs)], [], class_names=CLASS_NAMES)

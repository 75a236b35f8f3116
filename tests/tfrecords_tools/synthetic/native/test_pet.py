"""Oxford-IIIT Pet's native layout: lists by class, heads, trimaps."""

import argparse

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.converters.pet import PetConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.pet import write

BREEDS = ["Bengal", "beagle", "Persian", "shiba_inu"]


def image(*objects):
    owners = np.zeros((8, 12), np.uint8)
    owners[2:6, 3:9] = 1
    return NativeImage(
        encoded=b"\xff\xd8\xff",
        width=12,
        height=8,
        objects=objects,
        owners=owners,
    )


def drawn(name, **fields):
    return NativeObject(name=name, xmin=5, ymin=2, xmax=9, ymax=4, **fields)


TRAIN = [
    image(drawn("shiba_inu", visible=0.9)),
    image(drawn("Persian"), drawn("Persian", truncated=True)),
    image(drawn("beagle", flags={"difficult": 1, "pose": "<left>"})),
]
EVAL = [image(drawn("shiba_inu"))]


@pytest.fixture
def root(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=BREEDS)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    PetConverter.add_flags(parser)
    flags = (*flags, "--eval_images", "0")
    return PetConverter(root, parser.parse_args(flags))


def test_converter_reads_what_was_written(root):
    reader = converter(root)
    found = list(reader.annotated_images("train"))
    assert [item.name for item in reader.label_map()] == BREEDS
    assert [i.source_id for i in found] == [
        "beagle_1",
        "Persian_1",
        "shiba_inu_1",
        "shiba_inu_2",
    ]
    assert {o.edges for i in found for o in i.objects} == {(5, 2, 9, 4)}
    assert found[0].objects[0].difficult
    assert found[0].objects[0].extra == {"view": "<left>"}
    assert [o.truncated for o in found[1].objects] == [False, True]
    assert [i.objects[0].occluded for i in found[2:]] == [1, 0]
    assert not any(i.remarks for i in found)
    assert {i.size for i in found} == {(12, 8)}
    assert all(i.path.read_bytes() == b"\xff\xd8\xff" for i in found)


def test_lists_are_sorted_by_class(root):
    annotations = root / "annotations"
    assert (annotations / "trainval.txt").read_text().splitlines() == [
        "beagle_1 2 2 1",
        "Persian_1 3 1 2",
        "shiba_inu_1 4 2 2",
        "shiba_inu_2 4 2 2",
    ]
    lines = (annotations / "list.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in lines[:6])
    assert lines[6:] == [
        "Bengal_1 1 1 1",
        "beagle_1 2 2 1",
        "beagle_2 2 2 1",
        "Persian_1 3 1 2",
        "Persian_2 3 1 2",
        "shiba_inu_1 4 2 2",
        "shiba_inu_2 4 2 2",
        "shiba_inu_3 4 2 2",
    ]


def test_class_list_is_whole_without_an_image_of_each_breed(root):
    text = (root / "annotations" / "test.txt").read_text()
    assert text.splitlines()[0] == "Bengal_1 1 1 1"
    assert not (root / "images" / "Bengal_1.jpg").exists()


def test_xml_is_one_line_and_names_the_species(root):
    xmls = root / "annotations" / "xmls"
    text = (xmls / "Persian_1.xml").read_text()
    assert text.count("\n") == 1
    assert text.count("<name>cat</name>") == 2
    assert "<name>dog</name>" in (xmls / "beagle_1.xml").read_text()


def test_trimap_has_a_border_within_the_animal(root):
    path = root / "annotations" / "trimaps" / "beagle_1.png"
    with Image.open(path) as trimap:
        values = np.asarray(trimap)
    assert (values[3:5, 4:8] == 1).all()
    assert (values[2:6, 3:9] == 1).sum() == 8
    assert (values == 3).sum() == 24 - 8
    assert (values == 2).sum() == 96 - 24


def test_image_without_a_pet_has_no_name(tmp_path):
    with pytest.raises(ValueError, match="must show one"):
        write(tmp_path, [image()], [], class_names=BREEDS)


def test_equal_images_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write(again, TRAIN, EVAL, class_names=BREEDS)
    assert contents(root) == contents(again)


def contents(root):
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root): path.read_bytes() for path in files}

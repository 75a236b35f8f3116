"""WIDER FACE's native layout: events, blocks, rows."""

import argparse

import numpy as np
import pytest

from tfrecords_tools.converters.face import FaceConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.face import write


def image(*objects):
    return NativeImage(
        encoded=b"\xff\xd8\xff",
        width=40,
        height=30,
        objects=objects,
        owners=np.zeros((30, 40), np.uint8),
    )


def face(visible, **flags):
    return NativeObject(
        name="face",
        xmin=3,
        ymin=4,
        xmax=10,
        ymax=20,
        visible=visible,
        flags=flags,
    )


TRAIN = [image(face(1.0, blur=1, pose=1)), image(), image(face(0.7))]
EVAL = [image(face(0.69, invalid=1), face(0.98, expression=1))]


@pytest.fixture
def root(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=["face"])
    return tmp_path


def test_converter_reads_what_was_written(root):
    options = argparse.Namespace(drop_invalid=False)
    converter = FaceConverter(root, options)
    train = list(converter.annotated_images("train"))
    evaluated = list(converter.annotated_images("eval"))
    assert [len(i.objects) for i in train] == [1, 0, 1]
    assert train[0].objects[0].edges == (3, 4, 10, 20)
    assert train[0].objects[0].extra == {"blur": 1}
    assert [o.occluded for o in evaluated[0].objects] == [2, 1]
    assert [o.difficult for o in evaluated[0].objects] == [True, False]
    for found, original in zip(train + evaluated, TRAIN + EVAL, strict=True):
        assert found.path.read_bytes() == original.encoded


def test_text_is_that_of_the_original(root):
    text = root / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    assert text.read_text("ascii") == (
        "0--Parade/0_Parade_Parade_0_1.jpg\n"
        "1\n"
        "3 4 7 16 1 0 0 0 0 1 \n"
        "2--Demonstration/2_Demonstration_Demonstration_2_2.jpg\n"
        "0\n"
        "0 0 0 0 0 0 0 0 0 0 \n"
        "39--Ice_Skating/39_Ice_Skating_Ice_Skating_39_3.jpg\n"
        "1\n"
        "3 4 7 16 0 0 0 0 1 0 \n"
    )


def test_flag_of_occlusion_comes_before_the_visible_share(tmp_path):
    write(tmp_path, TRAIN, [image(face(0.9, occlusion=2))], class_names=[])
    options = argparse.Namespace(drop_invalid=False)
    found = next(FaceConverter(tmp_path, options).annotated_images("eval"))
    assert found.objects[0].occluded == 2


def test_split_without_images_has_its_folder(tmp_path):
    write(tmp_path, TRAIN, [], class_names=["face"])
    options = argparse.Namespace(drop_invalid=False)
    converter = FaceConverter(tmp_path, options)
    assert list(converter.annotated_images("eval")) == []


def test_equal_images_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write(again, TRAIN, EVAL, class_names=["face"])
    assert contents(root) == contents(again)


def contents(root):
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root): path.read_bytes() for path in files}

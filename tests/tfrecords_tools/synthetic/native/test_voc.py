"""Pascal VOC's native layout: years, sets, tags."""

import argparse
import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.converters.voc import CLASS_NAMES, VocConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.voc import write


def image(*objects):
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (1, 2, 3)).save(file, "JPEG")
    return NativeImage(
        encoded=file.getvalue(),
        width=40,
        height=30,
        objects=objects,
        owners=np.zeros((30, 40), np.uint8),
    )


def drawn(name, **fields):
    return NativeObject(name=name, xmin=0, ymin=2, xmax=40, ymax=9, **fields)


TRAIN = [
    image(drawn("cat", visible=0.5)),
    image(drawn("dog", truncated=True, visible=0.5)),
    image(drawn("dog", visible=0.94)),
    image(drawn("cat", visible=0.96)),
]
EVAL = [image(drawn("cat", flags={"difficult": 1, "pose": "A&B"})), image()]


@pytest.fixture
def root(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASS_NAMES)
    return tmp_path


def test_converter_reads_what_was_written(root):
    options = argparse.Namespace(drop_difficult=False)
    converter = VocConverter(root, options)
    train = list(converter.annotated_images("train"))
    evaluated = list(converter.annotated_images("eval"))
    assert [i.objects[0].name for i in train] == ["cat", "dog", "dog", "cat"]
    assert {i.objects[0].edges for i in train} == {(1, 3, 40, 9)}
    assert [i.objects[0].truncated for i in train] == [0, 1, 0, 0]
    assert [i.objects[0].occluded for i in train] == [0, 0, 1, 0]
    assert evaluated[0].objects[0].difficult
    assert evaluated[0].objects[0].extra == {"view": "A&B"}
    assert evaluated[1].objects == ()
    for found, original in zip(train + evaluated, TRAIN + EVAL, strict=True):
        assert found.size == (40, 30)
        assert found.path.read_bytes() == original.encoded


def test_years_share_the_training_images(root):
    main = "ImageSets/Main/trainval.txt"
    old = (root / "VOCdevkit" / "VOC2007" / main).read_text()
    new = (root / "VOCdevkit" / "VOC2012" / main).read_text()
    assert old == "000001\n000002\n"
    assert new == "2008_000001\n2008_000002\n"


def test_sets_of_a_class_tell_absent_difficult_and_present(root):
    main = root / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    assert (main / "cat_test.txt").read_text() == "000003  0\n000004 -1\n"
    assert (main / "cat_trainval.txt").read_text() == "000001  1\n000002 -1\n"


def test_only_the_later_year_has_occluded(root):
    xml = "Annotations/{}.xml"
    devkit = root / "VOCdevkit"
    old = (devkit / "VOC2007" / xml.format("000001")).read_text()
    new = (devkit / "VOC2012" / xml.format("2008_000001")).read_text()
    assert "<occluded>" not in old and "<owner>" in old
    assert "<occluded>1<" in new and "<owner>" not in new
    assert "\n\t\t\t<xmin>1</xmin>\n" in old


def test_equal_images_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write(again, TRAIN, EVAL, class_names=CLASS_NAMES)
    assert contents(root) == contents(again)


def contents(root):
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root): path.read_bytes() for path in files}

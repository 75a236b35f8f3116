"""Examples made from annotations and bytes, and everything counted."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.boxes import BoxConvention
from tfrecords_tools.counts import Counts
from tfrecords_tools.example import ExampleObject
from tfrecords_tools.images import ImageError
from tfrecords_tools.prepare import EXIF_TURNED, SIZE_DIFFERS, Rules, prepare
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule

CAT = AnnotatedObject(
    name="cat",
    label=3,
    xmin=10,
    ymin=5,
    xmax=20,
    ymax=15,
    difficult=True,
    truncated=True,
    occluded=2,
    is_crowd=True,
    group_of=True,
    extra={"view": "Left"},
)


def picture(kind="PNG", size=(40, 20), **options):
    file = io.BytesIO()
    Image.new("RGB", size, (10, 200, 90)).save(file, kind, **options)
    return file.getvalue()


def image_of(*objects, **fields):
    values = {"path": Path("d/a.png"), "filename": "a.png", "source_id": "a"}
    return AnnotatedImage(objects=objects, **(values | fields))


@pytest.fixture
def counts():
    return Counts()


def test_an_object_keeps_everything_but_its_edges(counts):
    image = image_of(CAT, extra={"level": "easy"})
    example = prepare(image, picture(), Rules(), counts)
    assert example.objects == [
        ExampleObject(
            name="cat",
            label=3,
            xmin=0.25,
            ymin=0.25,
            xmax=0.5,
            ymax=0.75,
            area=100,
            difficult=True,
            truncated=True,
            occluded=2,
            is_crowd=True,
            group_of=True,
            extra={"view": "Left"},
        )
    ]
    assert (example.filename, example.source_id) == ("a.png", "a")
    assert (example.encoded, example.encoding) == (picture(), "png")
    assert (example.width, example.height) == (40, 20)
    assert example.extra == {"level": "easy"}


def test_counts_of_a_mixed_image(counts):
    boxes = [
        CAT,
        dataclasses.replace(CAT, name="dog", xmin=-5),
        dataclasses.replace(CAT, xmax=10),
        dataclasses.replace(CAT, xmax=10),
        dataclasses.replace(CAT, ymin=20, ymax=30),
    ]
    image = image_of(*boxes, dropped={"unknown class": 2}, remarks=("odd",))
    example = prepare(image, picture(), Rules(), counts)
    assert [box.name for box in example.objects] == ["cat", "dog"]
    assert counts.to_json() == {
        "images": {"without boxes": 0, "written": 1},
        "boxes": {"annotated": 7, "clipped": 1, "kept": 2},
        "unusable": {},
        "left_out": {},
        "re_encoded": {},
        "remarks": {"odd": 1},
        "dropped": {
            "outside the image": 1,
            "unknown class": 2,
            "zero width": 2,
        },
        "classes": {"cat": 1, "dog": 1},
        "named": {
            reason: ["a.png"]
            for reason in sorted(counts.remarks | counts.dropped)
        },
    }


def test_an_image_that_loses_its_last_box_is_written_without_boxes(counts):
    image = image_of(dataclasses.replace(CAT, xmax=10))
    assert prepare(image, picture(), Rules(), counts).objects == []
    prepare(image_of(), picture(), Rules(), counts)
    assert counts.images == {"written": 2, "without boxes": 2}


def test_an_undecodable_image_counts_nothing(counts):
    image = image_of(CAT, dropped={"unknown class": 2}, remarks=("odd",))
    with pytest.raises(ImageError, match="empty file"):
        prepare(image, b"", Rules(), counts)
    assert counts == Counts()


@pytest.mark.parametrize(
    ("convention", "xmin"),
    [(BoxConvention.STRICT, 9 / 40), (BoxConvention.ODAPI, 10 / 40)],
)
def test_the_user_chooses_the_convention(counts, convention, xmin):
    image = image_of(CAT, edge_rule=EdgeRule.ONE_BASED_INCLUSIVE)
    example = prepare(image, picture(), Rules(convention=convention), counts)
    assert example.objects[0].xmin == np.float32(xmin)


def test_a_smaller_image_keeps_fractions_and_shrinks_areas(counts):
    measured = dataclasses.replace(CAT, area=36)
    image = image_of(CAT, measured, size=(40, 20))
    example = prepare(image, picture(), Rules(max_side=20), counts)
    assert (example.width, example.height) == (20, 10)
    box, measured = example.objects
    assert (box.xmin, box.ymin, box.xmax, box.ymax) == (0.25, 0.25, 0.5, 0.75)
    assert (box.area, measured.area) == (25, 9)
    assert counts.re_encoded == {"larger than max_side": 1}
    assert counts.named == {"larger than max_side": ["a.png"]}
    assert not counts.remarks


def test_boxes_and_areas_of_a_larger_picture_follow_the_stored_one(counts):
    """Annotated at 80 x 40, on disk at 40 x 20."""
    boxes = [
        dataclasses.replace(CAT, xmin=40, ymin=20, xmax=80, ymax=40),
        dataclasses.replace(CAT, xmin=0, xmax=80, area=400),
    ]
    example = prepare(
        image_of(*boxes, size=(80, 40)), picture(), Rules(), counts
    )
    box, measured = example.objects
    assert (box.xmin, box.ymin, box.xmax, box.ymax) == (0.5, 0.5, 1, 1)
    assert (box.area, measured.area) == (200, 100)
    assert counts.remarks == {SIZE_DIFFERS: 1}
    assert counts.boxes["clipped"] == 0


def test_a_clipped_box_has_the_area_that_is_left(counts):
    wide = dataclasses.replace(CAT, xmin=-100)
    example = prepare(image_of(wide), picture(), Rules(), counts)
    assert example.objects[0].area == 20 * 10


def test_fractions_are_taken_as_they_are(counts):
    half = dataclasses.replace(CAT, xmin=0, ymin=0, xmax=0.5, ymax=1)
    image = image_of(half, edge_rule=EdgeRule.FRACTIONS)
    box = prepare(image, picture(), Rules(), counts).objects[0]
    assert (box.xmax, box.ymax, box.area) == (0.5, 1, 400)


def test_turned_images_are_told(counts):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = picture("JPEG", exif=exif)
    example = prepare(image_of(size=(40, 20)), data, Rules(), counts)
    assert (example.width, example.height) == (40, 20)
    assert counts.remarks == {EXIF_TURNED: 1}
    assert counts.named == {EXIF_TURNED: ["a.png"]}


def test_re_encoded_images_are_told(counts):
    example = prepare(image_of(), picture("GIF"), Rules(), counts)
    assert example.encoding == "jpeg"
    assert counts.re_encoded == {"GIF": 1}
    assert counts.named == {"GIF": ["a.png"]}

"""Figures counted by hand, and the table that shows them."""

import json

import pytest

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.stats import Statistics
from tfrecords_tools.look.table import format_table

LABEL_MAP = [LabelMapItem(1, "cat", "Cat"), LabelMapItem(2, "cow", "Cow")]


def example(*boxes, size=(400, 200), encoded=b"\xff\xd8\xff1234567", **more):
    """A record as the reader gives it; boxes are (x0, y0, x1, y1, name)."""
    return {
        "image/encoded": [encoded],
        "image/width": [size[0]],
        "image/height": [size[1]],
        "image/object/bbox/xmin": [box[0] for box in boxes],
        "image/object/bbox/ymin": [box[1] for box in boxes],
        "image/object/bbox/xmax": [box[2] for box in boxes],
        "image/object/bbox/ymax": [box[3] for box in boxes],
        "image/object/class/text": [box[4] for box in boxes],
        **{f"image/object/{key}": value for key, value in more.items()},
    }


def summarize(*examples, label_map=(), limit=100):
    statistics = Statistics(label_map, max_number_of_boxes=limit)
    for one in examples:
        statistics.add(one)
    return statistics.summary(file_bytes=5000)


SMALL = (0.0, 0.0, 0.0625, 0.125, b"dog")  # 25 x 25 pixels
MEDIUM = (0.0, 0.0, 0.125, 0.25, b"cat")  # 50 x 50
LARGE = (0.0, 0.0, 0.5, 0.5, b"cat")  # 200 x 100


def test_counts():
    found = summarize(
        example(SMALL, MEDIUM, LARGE, difficult=[0, 1, 1], occluded=[0, 0, 2]),
        example(),
        example(LARGE, size=(50, 50), encoded=b"\x89PNG\r\n"),
    )
    assert (found["images"], found["boxes"]) == (3, 4)
    assert found["images_without_boxes"] == 1
    assert list(found["classes"].items()) == [("cat", 3), ("dog", 1)]
    assert found["flags"] == {
        "difficult": 2,
        "truncated": 0,
        "occluded": 1,
        "is_crowd": 0,
        "group_of": 0,
    }
    # The last box is 25 x 25 pixels of its small image.
    assert found["coco_sizes"] == {"small": 2, "medium": 1, "large": 1}
    assert found["formats"] == {"jpeg": 2, "png": 1}
    assert (found["encoded_bytes"], found["file_bytes"]) == (26, 5000)
    assert found["image_sizes"]["most_common"] == [
        {"width": 400, "height": 200, "images": 2},
        {"width": 50, "height": 50, "images": 1},
    ]
    assert found["image_sizes"]["different"] == 2


@pytest.mark.parametrize(
    ("side", "size"),
    [(31, "small"), (32, "medium"), (95, "medium"), (96, "large")],
)
def test_bounds_of_coco(side, size):
    box = (0.0, 0.0, side / 128, side / 128, b"cat")
    found = summarize(example(box, size=(128, 128)))
    assert found["coco_sizes"][size] == 1


def test_percentiles_are_values_that_occur():
    boxes = [(0.0, 0.0, k / 20, k / 20, b"cat") for k in range(1, 21)]
    found = summarize(*(example(*boxes[:k]) for k in range(1, 21)))
    assert found["boxes_per_image"]["percentiles"] == {
        "5": 1,
        "25": 5,
        "50": 10,
        "75": 15,
        "95": 19,
    }
    assert found["boxes_per_image"]["max"] == 20
    assert found["boxes_per_image"]["mean"] == 10.5
    sides = summarize(example(*boxes))["box_side_percentiles"]
    assert sides == {
        "5": pytest.approx(0.05),
        "25": pytest.approx(0.25),
        "50": pytest.approx(0.5),
        "75": pytest.approx(0.75),
        "95": pytest.approx(0.95),
    }


def test_side_is_the_root_of_the_share_of_area():
    found = summarize(example((0.0, 0.0, 0.5, 0.125, b"cat")))
    assert found["box_side_percentiles"]["50"] == pytest.approx(0.25)


def test_boxes_beyond_the_limit():
    found = summarize(
        example(SMALL, SMALL, SMALL), example(SMALL), example(), limit=2
    )
    assert found["beyond_max_number_of_boxes"] == {
        "limit": 2,
        "images": 1,
        "images_share": pytest.approx(1 / 3),
        "boxes": 1,
        "boxes_share": 0.25,
    }


def test_the_label_map_names_labels_and_lists_absent_classes():
    bare = example(SMALL)
    del bare["image/object/class/text"]
    bare["image/object/class/label"] = [1]
    found = summarize(bare, label_map=LABEL_MAP)
    assert found["classes"] == {"Cat": 1, "Cow": 0}
    assert summarize(bare)["classes"] == {"class 1": 1}


def test_what_cannot_be_counted_is_counted_apart():
    found = summarize(
        example(SMALL, difficult=[0, 0]),
        example(SMALL, (0.5, 0.5, 0.5, 0.7, b"dog"), size=(0, 1)),
        {},
    )
    assert found["unreadable_images"] == 1
    assert found["images_without_size"] == 2
    assert found["unusable_boxes"] == 1
    assert (found["images"], found["boxes"]) == (3, 2)
    assert found["images_without_boxes"] == 1
    assert found["formats"] == {"jpeg": 2, "other": 1}
    assert sum(found["coco_sizes"].values()) == 0


def test_nothing_at_all_is_no_error():
    found = summarize()
    assert found["boxes_per_image"]["percentiles"]["50"] is None
    assert "images                0\n" in format_table(found)


def test_the_summary_is_json():
    found = summarize(example(SMALL, LARGE), example())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_table():
    boxes = [MEDIUM] * 8 + [SMALL] * 2
    table = format_table(
        summarize(
            example(*boxes, truncated=[1] * 5 + [0] * 5),
            example(),
            limit=4,
            label_map=LABEL_MAP,
        )
    ).split("\n")
    for line in (
        "images                2",
        "  without boxes       1",
        "boxes                 10",
        "  truncated           5 (50.0 %)",
        "boxes per class, 3 classes",
        "  Cat        8 " + "#" * 40,
        "  dog        2 " + "#" * 10,
        "  Cow        0",
        "most boxes per image  10",
        "beyond 4 boxes        6 boxes (60.0 %) in 1 images (50.0 %)",
        "small                 2 (20.0 %): area below 32 x 32 pixels",
        "formats               2 jpeg",
        "  400 x 200           2 images",
    ):
        assert line in table
    assert max(map(len, table)) <= 80


def test_names_stay_on_their_line_of_the_table():
    long = (*SMALL[:4], b"two\nlines" + b"x" * 60)
    table = format_table(summarize(example(long)))
    assert "  two?linesxxxxxxxxxxxxxxxxx..        1 ####" in table

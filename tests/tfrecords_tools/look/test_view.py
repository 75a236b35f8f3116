"""Boxes are drawn where and as the record says, whatever the record is."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look import lettering
from tfrecords_tools.look.marks import box_colour, box_pixels, tag_text
from tfrecords_tools.look.seen import ClassNames, SeenBox
from tfrecords_tools.look.tile import CAPTION_HEIGHT, draw_tile
from tfrecords_tools.look.view import write_sheet
from tfrecords_tools.reader import parse_example

SIDE = 200
RED = (190, 20, 30)
BOX = SeenBox(name="cat", label=1, xmin=0.25, ymin=0.5, xmax=0.75, ymax=1.0)
FLAGS = ("difficult", "truncated", "occluded", "is_crowd", "group_of")


@pytest.fixture
def make_example(handmade):
    """A plain record with the given boxes, as the view reads it."""

    def make(*boxes, size=(400, 400), **changes):
        lists = {
            f"bbox/{edge}": ("float", [getattr(box, edge) for box in boxes])
            for edge in ("xmin", "ymin", "xmax", "ymax")
        }
        lists["class/text"] = ("bytes", [box.name.encode() for box in boxes])
        lists["class/label"] = ("int64", [box.label for box in boxes])
        for flag in FLAGS:
            values = [int(getattr(box, flag)) for box in boxes]
            lists[flag] = ("int64", values)
        encoded = handmade.picture(size=size, colour="white")
        options = {"encoded": encoded, "boxes": lists} | changes
        payload = handmade.record("a", **options)
        columns = parse_example(payload)
        return {key: column.values for key, column in columns.items()}

    return make


def draw(example, side=SIDE, classes=None):
    tile = draw_tile(example, side, classes or ClassNames())
    return np.asarray(tile.picture).astype(int), tile.problem


def is_colour(pixels, colour):
    return (pixels == colour).all(axis=-1)


def test_frame_is_at_the_edges_in_the_colour_of_the_class(make_example):
    pixels, problem = draw(make_example(BOX))
    frame = is_colour(pixels[:SIDE], box_colour(BOX))
    assert problem == ""
    assert frame[110:200, 50:52].all() and frame[110:200, 148:150].all()
    assert frame[198:200, 50:150].all()
    assert not frame[120:190, 52:148].any()
    assert not frame[:, :50].any() and not frame[:, 150:].any()


def test_wide_images_keep_their_proportions(make_example):
    pixels, _ = draw(make_example(BOX, size=(400, 100)))
    rows = np.nonzero(is_colour(pixels[:SIDE], box_colour(BOX)).any(axis=1))[0]
    assert (rows.min() >= 0, rows.max()) == (True, 49)
    assert pixels.shape[0] == 50 + CAPTION_HEIGHT


def test_tag_stands_above_the_box(make_example):
    pixels, _ = draw(make_example(BOX))
    above = is_colour(pixels[84:100, 50:75], box_colour(BOX))
    assert above.mean() > 0.5
    assert is_colour(pixels[84:100, 50:80], (255, 255, 255)).any()


def test_classes_differ_in_colour():
    boxes = [dataclasses.replace(BOX, label=label) for label in range(1, 11)]
    assert len(set(map(box_colour, boxes))) == 10
    nameless = dataclasses.replace(BOX, label=None)
    assert box_colour(nameless) not in map(box_colour, boxes)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({}, "cat"),
        ({"difficult": True}, "cat"),
        ({"truncated": True, "occluded": 1}, "cat T O"),
        ({"occluded": 3, "is_crowd": True}, "cat O3 crowd"),
        ({"group_of": True}, "cat group"),
    ],
)
def test_tags_say_what_is_special(flags, text):
    assert tag_text(dataclasses.replace(BOX, **flags), "cat") == text


def lower_edge(pixels):
    return is_colour(pixels[SIDE - 1, 50:150], box_colour(BOX))


def test_difficult_is_dashed(make_example):
    solid, _ = draw(make_example(BOX))
    difficult = dataclasses.replace(BOX, difficult=True)
    dashed, _ = draw(make_example(difficult))
    assert lower_edge(solid).all()
    assert 0.4 < lower_edge(dashed).mean() < 0.8


@pytest.mark.parametrize(
    ("flag", "mirrored"), [("is_crowd", 0), ("group_of", 1)]
)
def test_crowds_and_groups_are_hatched_either_way(make_example, flag, mirrored):
    box = dataclasses.replace(BOX, **{flag: True})
    pixels, _ = draw(make_example(box))
    inside = pixels[120:190, 60:140].sum(axis=-1) < 700
    if mirrored:
        inside = inside[:, ::-1]
    assert 0.05 < inside.mean() < 0.3
    # Along a line that rises to the right all pixels are alike.
    assert (inside[1:, :-1] == inside[:-1, 1:]).mean() > 0.99


@pytest.mark.parametrize(
    ("edges", "pixels"),
    [
        ((0.0, 0.0, 1.0, 1.0), (0, 0, 99, 49)),
        ((0.1, 0.2, 0.5, 0.6), (10, 10, 49, 29)),
        ((0.999, 0.999, 1.0, 1.0), (99, 49, 99, 49)),
        ((-3.0, 0.5, 1e30, 2.0), (0, 25, 99, 49)),
    ],
)
def test_pixels_of_a_box(edges, pixels):
    xmin, ymin, xmax, ymax = edges
    box = dataclasses.replace(BOX, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    assert box_pixels(box, (100, 50)) == pixels


def test_an_image_that_does_not_decode_is_red(make_example):
    pixels, problem = draw(make_example(BOX, encoded=b"GARBAGE"))
    assert is_colour(pixels[:SIDE], RED).mean() > 0.9
    assert "must be a JPEG or PNG" in problem
    assert is_colour(pixels[:SIDE], (255, 255, 255)).any()


def test_a_record_without_anything_is_red():
    assert "Received: 0 bytes" in draw({})[1]


def test_lists_that_disagree_leave_the_image_and_a_red_line(make_example):
    example = make_example(BOX, **{"object/difficult": ("int64", [0, 0])})
    pixels, problem = draw(example)
    assert "equally long" in problem
    red = is_colour(pixels[:SIDE], RED)
    assert red[:10].mean() > 0.5 and not red[SIDE // 2 :].any()


def test_boxes_without_area_are_left_out(make_example):
    flat = dataclasses.replace(BOX, xmax=BOX.xmin)
    nowhere = dataclasses.replace(BOX, xmin=float("nan"))
    pixels, problem = draw(make_example(flat, nowhere))
    assert problem == ""
    assert not is_colour(pixels, box_colour(BOX)).any()


@pytest.mark.parametrize("name", ["é", "中文", "a\nb", "", "x" * 500])
@pytest.mark.parametrize("size", [(400, 400), (400, 1), (1, 400)])
def test_any_name_on_any_shape_is_drawn(make_example, name, size, monkeypatch):
    monkeypatch.setattr(lettering, "_WIDE_FONT", "no-such-font.ttf")
    lettering.load_font.cache_clear()
    box = dataclasses.replace(BOX, name=name)
    source_id = ("bytes", [f"{name}.jpg".encode()])
    pixels, problem = draw(make_example(box, size=size, source_id=source_id))
    lettering.load_font.cache_clear()
    assert problem == ""
    assert pixels.shape[1:] == (SIDE, 3)
    assert pixels.shape[0] <= SIDE + CAPTION_HEIGHT


def test_many_boxes_are_all_framed(make_example):
    places = [(x / 10, y / 10) for x in range(10) for y in range(10)]
    boxes = [
        dataclasses.replace(BOX, xmin=x, ymin=y, xmax=x + 0.05, ymax=y + 0.05)
        for x, y in places
    ]
    pixels, _ = draw(make_example(*boxes), side=400)
    frames = is_colour(pixels, box_colour(BOX))
    # Tags cover some of their neighbours; those are of the same colour.
    for x, y in places:
        left, top = round(400 * x), round(400 * y)
        assert frames[top : top + 20, left : left + 20].any(), (x, y)


def test_names_of_labels_come_from_the_label_map(make_example):
    example = make_example(BOX, **{"object/class/text": None})
    named = ClassNames([LabelMapItem(1, "x", "a rather long name")])
    short, _ = draw(example)
    long, _ = draw(example, classes=named)
    colour = box_colour(BOX)
    assert is_colour(long, colour).sum() > is_colour(short, colour).sum()


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [(1, None, (1, 1)), (6, None, (2, 3)), (7, 2, (4, 2)), (3, 9, (1, 3))],
)
def test_size_of_the_sheet(tmp_path, make_example, count, columns, shape):
    path = tmp_path / "sheet.png"
    broken = write_sheet(
        path,
        [make_example(BOX)] * count,
        side=64,
        columns=columns,
        classes=ClassNames(),
    )
    rows, columns = shape
    height = rows * (64 + CAPTION_HEIGHT + 8) + 8 + 22
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        assert sheet.size == (columns * 72 + 8, height)
    assert broken == 0
    assert list(tmp_path.iterdir()) == [path]


def test_broken_images_are_counted(tmp_path, make_example):
    examples = [make_example(BOX), make_example(BOX, encoded=b"x"), {}]
    broken = write_sheet(
        tmp_path / "sheet.png",
        examples,
        side=64,
        columns=None,
        classes=ClassNames(),
    )
    assert broken == 2


def test_a_sheet_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one image"):
        write_sheet(
            tmp_path / "sheet.png",
            [],
            side=64,
            columns=None,
            classes=ClassNames(),
        )
    assert not list(tmp_path.iterdir())

"""The sheet is that of `view`: same tiles, named by the label map."""

import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.example import Example, ExampleObject
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.synthetic.contact_sheet import write_contact_sheet

TOYS = [LabelMapItem(1, "toy", "toy")]


def white_example(*objects, width=96, height=96):
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return Example(
        encoded=file.getvalue(),
        encoding="png",
        width=width,
        height=height,
        filename="white.png",
        source_id="white",
        objects=objects,
    )


def read_sheet(path):
    with Image.open(path) as sheet:
        return np.asarray(sheet.convert("RGB")).astype(int)


def test_six_images_make_a_row(tmp_path):
    widths = {}
    for count in (1, 6, 7):
        path = tmp_path / f"{count}.png"
        write_contact_sheet(path, [white_example()] * count, TOYS)
        widths[count] = read_sheet(path).shape
    assert widths[6][1] == widths[7][1] > 5 * widths[1][1]
    assert widths[7][0] > widths[6][0] == widths[1][0]


def test_a_box_is_drawn_where_the_example_has_it(tmp_path):
    box = ExampleObject(
        name="toy", label=1, xmin=0.5, ymin=0.5, xmax=0.75, ymax=1, area=9
    )
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [white_example(box)], TOYS)
    tile = read_sheet(path)[8 : 8 + 192, 8 : 8 + 192]
    dark = tile.sum(axis=-1) < 600
    ys, xs = np.nonzero(dark[150:])
    assert (xs.min(), xs.max()) == pytest.approx((96, 143), abs=2)
    assert not dark[:96, :80].any()


def test_no_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one image"):
        write_contact_sheet(tmp_path / "sheet.png", [], TOYS)
    assert not list(tmp_path.iterdir())

"""The sheet's layout, and a box drawn where the annotation says."""

import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.synthetic.contact_sheet import write_contact_sheet


def white_image(*objects, width=96, height=96):
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return AnnotatedImage(
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


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (6, 6, 1), (7, 6, 2)]
)
def test_size_of_the_sheet(tmp_path, count, columns, rows):
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [white_image()] * count)
    expected = (rows * 198 + 6, columns * 198 + 6, 3)
    assert read_sheet(path).shape == expected


def test_box_is_drawn_at_twice_the_edges_of_a_96_pixel_image(tmp_path):
    box = AnnotatedObject(name="i", label=1, xmin=30, ymin=40, xmax=80, ymax=90)
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [white_image(box)])
    tile = read_sheet(path)[6:198, 6:198]
    dark = tile.sum(axis=-1) < 600
    ys, xs = np.nonzero(dark)
    assert (xs.min(), xs.max()) == (60, 159)
    assert (ys.max(), dark[100, 60], dark[100, 110]) == (179, True, False)
    assert ys.min() < 80  # The name's flag stands above the box.


def test_flag_stays_in_the_picture(tmp_path):
    corner = AnnotatedObject(
        name="hexagon", label=2, xmin=90, ymin=0, xmax=96, ymax=9
    )
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [white_image(corner)])
    tile = read_sheet(path)[6:198, 6:198]
    dark = np.nonzero(tile.sum(axis=-1) < 600)
    assert dark[1].min() < 150 and dark[0].min() == 0


def test_tall_images_keep_their_proportions(tmp_path):
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [white_image(width=48, height=96)])
    tile = read_sheet(path)[6:198, 6:198]
    white = (tile == 255).all(axis=-1)
    assert white[:, :96].all() and not white[:, 96:].any()


def test_no_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one image"):
        write_contact_sheet(tmp_path / "sheet.png", [])
    assert not list(tmp_path.iterdir())

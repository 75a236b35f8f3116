"""Pictures: smooth edges, and objects read off the owners exactly."""

import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthetic.affine import IDENTITY
from tfrecords_tools.synthetic.picture import FINENESS, Picture
from tfrecords_tools.synthetic.readout import hull
from tfrecords_tools.synthetic.vector import Sketch

SIDE = 40
RED, BLUE = (255, 0, 0), (0, 0, 255)


def square(x0, y0, x1, y1, colour=RED) -> Sketch:
    """A box given in pixels; its last fine pixel is the one before x1."""
    hair = 0.5 / (SIDE * FINENESS)
    pen = Sketch()
    pen.rectangle(
        x0 / SIDE + hair,
        y0 / SIDE + hair,
        x1 / SIDE - hair,
        y1 / SIDE - hair,
        colour,
    )
    return pen


def drawn(picture: Picture):
    pixels = picture.finish(np.random.default_rng(0))
    return picture.native(pixels, png=True)


def placed(*boxes, **options) -> Picture:
    picture = Picture(SIDE, colour=(0, 0, 0))
    for number, box in enumerate(boxes):
        options = {"least_left": 0.0, "least_inside": 0.0, **options}
        assert picture.place(f"n{number}", square(*box), IDENTITY, **options)
    return picture


def edges(item) -> tuple[int, int, int, int]:
    return item.xmin, item.ymin, item.xmax, item.ymax


def test_a_whole_object_is_read_exactly():
    image = drawn(placed((5, 8, 20, 30)))
    (item,) = image.objects
    assert edges(item) == (5, 8, 20, 30)
    assert item.visible == 1 and not item.truncated
    expected = np.zeros((SIDE, SIDE), dtype=np.uint8)
    expected[8:30, 5:20] = 1
    np.testing.assert_array_equal(image.owners, expected)


def test_colours_cover_what_the_owners_say():
    image = drawn(placed((5, 8, 20, 30)))
    pixels = np.asarray(Image.open(io.BytesIO(image.encoded)))
    np.testing.assert_array_equal(pixels[..., 0] > 0, image.owners == 1)


def test_slanted_edges_are_smooth():
    picture = Picture(SIDE, colour=(0, 0, 0))
    pen = Sketch()
    pen.polygon([(0, 0), (1, 0), (0, 0.6)], (255, 255, 255))
    picture.paint(pen)
    levels = np.unique(picture.finish(np.random.default_rng(0)))
    assert levels.size > 5


def test_a_later_object_hides_an_earlier_one():
    image = drawn(placed((0, 0, 20, 20), (10, 0, 30, 20)))
    below, above = image.objects
    assert edges(below) == (0, 0, 10, 20)
    assert below.visible == pytest.approx(0.5)
    assert edges(above) == (10, 0, 30, 20) and above.visible == 1


def test_what_is_painted_hides_objects_too():
    picture = placed((0, 0, 20, 20))
    picture.paint(square(0, 0, 20, 8, BLUE))
    (item,) = drawn(picture).objects
    assert edges(item) == (0, 8, 20, 20)
    assert item.visible == pytest.approx(0.6)


def test_the_frame_cuts():
    (item,) = drawn(placed((-10, 4, 10, 24))).objects
    assert edges(item) == (0, 4, 10, 24)
    assert item.visible == pytest.approx(0.5) and item.truncated


def test_objects_nearly_hidden_are_left_out_and_the_rest_renumbered():
    image = drawn(placed((0, 0, 20, 20), (0, 0, 20, 18), (25, 25, 35, 35)))
    assert [item.name for item in image.objects] == ["n1", "n2"]
    assert edges(image.objects[1]) == (25, 25, 35, 35)
    assert image.owners[19, 5] == 0
    assert image.owners[5, 5] == 1 and image.owners[30, 30] == 2


def test_objects_of_few_pixels_are_left_out():
    assert not drawn(placed((3, 3, 6, 8))).objects
    assert drawn(placed((3, 3, 7, 7))).objects


def test_an_object_that_would_hide_another_is_refused():
    picture = placed((0, 0, 20, 20))
    before = picture.finish(np.random.default_rng(0))
    assert not picture.place(
        "x", square(0, 0, 20, 12), IDENTITY, least_left=0.5
    )
    after = picture.finish(np.random.default_rng(0))
    np.testing.assert_array_equal(before, after)
    assert picture.place("x", square(0, 0, 20, 8), IDENTITY, least_left=0.5)


@pytest.mark.parametrize("left", [-12, 60])
def test_an_object_mostly_outside_is_refused(left):
    picture = Picture(SIDE)
    box = square(left, 5, left + 20, 25)
    assert not picture.place("x", box, IDENTITY, least_inside=0.6)
    assert not picture.placed


def test_translucent_parts_own_nothing():
    picture, pen = Picture(SIDE), square(5, 5, 15, 15)
    pen.rectangle(0, 0, 1, 1, (0, 0, 0, 90))
    picture.place("x", pen, IDENTITY)
    assert edges(drawn(picture).objects[0]) == (5, 5, 15, 15)


def test_clipped_parts_are_seen_inside_alone_and_own_nothing():
    picture, pen = Picture(SIDE, colour=(0, 0, 0)), square(5, 5, 15, 15)
    with pen.clipped([(0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5)]):
        pen.rectangle(0, 0, 1, 1, BLUE)
    picture.place("x", pen, IDENTITY)
    image = drawn(picture)
    pixels = np.asarray(Image.open(io.BytesIO(image.encoded)))
    assert edges(image.objects[0]) == (5, 5, 15, 15)
    assert tuple(pixels[7, 7]) == RED and tuple(pixels[13, 13]) == BLUE
    assert tuple(pixels[30, 30]) == (0, 0, 0)


def test_shading_and_shadow_change_no_owner():
    plain, shaped = (
        placed((5, 5, 20, 20)),
        placed((5, 5, 20, 20), shading=0.5, shadow=0.5),
    )
    np.testing.assert_array_equal(drawn(plain).owners, drawn(shaped).owners)
    rng = np.random.default_rng(0)
    assert shaped.finish(rng)[18, 10, 0] < plain.finish(rng)[18, 10, 0]


def test_flags_reach_the_object():
    image = drawn(placed((5, 5, 20, 20), flags={"blur": 2}))
    assert image.objects[0].flags == {"blur": 2}


def test_wide_pictures_have_their_owners_in_shape():
    picture = Picture(SIDE, aspect=2, fineness=2)
    picture.place("x", square(50, 5, 70, 25), IDENTITY)
    image = drawn(picture)
    assert (image.width, image.height) == (80, 40)
    assert image.owners.shape == (40, 80)
    assert edges(image.objects[0]) == (50, 5, 70, 25)


def test_a_picture_holds_254_objects():
    picture = Picture(SIDE)
    box = square(0, 0, 5, 5)
    for _ in range(254):
        picture.place("x", box, IDENTITY, least_left=0.0)
    with pytest.raises(ValueError, match="at most 254 objects"):
        picture.place("x", box, IDENTITY, least_left=0.0)


def test_a_hull_encloses_every_pixel_and_is_convex():
    rng = np.random.default_rng(3)
    for _ in range(20):
        mask = np.zeros((24, 30), dtype=bool)
        mask[4:20, 5:25] = rng.random((16, 20)) < 0.05
        mask[10, 10] = True
        corners = np.array(hull(mask))
        after = np.roll(corners, -1, axis=0)
        for y, x in np.argwhere(mask):
            for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
                offset = np.array([x + dx, y + dy]) - corners
                side = after - corners
                turns = side[:, 0] * offset[:, 1] - side[:, 1] * offset[:, 0]
                assert (turns >= -1e-9).all()


def test_the_hull_of_a_box_is_the_box():
    mask = np.zeros((10, 10), dtype=bool)
    mask[2:5, 3:9] = True
    assert set(hull(mask)) == {(3, 2), (9, 2), (9, 5), (3, 5)}

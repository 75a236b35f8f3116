"""Trimaps: the extent of what is not background, from PNGs of 1, 2, 3."""

import io

import hypothesis
import hypothesis.strategies as st
import pytest
from PIL import Image

from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.formats.trimap import Trimap, read_trimap


def png(pixels=(), background=2, mode="L", kind="PNG"):
    """10x6 pixels of background, but for {(x, y): value}."""
    image = Image.new(mode, (10, 6), background)
    for place, value in dict(pixels).items():
        image.putpixel(place, value)
    if mode == "P":
        image.putpalette(range(12))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


WHOLE = png({(2, 1): 3, (5, 4): 1})


@pytest.fixture
def read(tmp_path):
    def read(data):
        path = tmp_path / "a.png"
        path.write_bytes(data)
        return read_trimap(path)

    return read


def test_extent_holds_animal_and_border(read):
    assert read(WHOLE) == Trimap((10, 6), (2, 1, 6, 5))


def test_background_alone_has_no_extent(read):
    assert read(png()) == Trimap((10, 6), None)


def test_extent_may_be_the_whole_image(read):
    assert read(png(background=1)).extent == (0, 0, 10, 6)


def test_palette_images_are_read_by_index(read):
    assert read(png({(9, 5): 1}, mode="P")).extent == (9, 5, 10, 6)


@pytest.mark.parametrize("value", [0, 4, 255])
def test_other_values_are_refused(read, value):
    with pytest.raises(ParseError, match=f"1, 2 or 3. Received: {value} "):
        read(png({(0, 0): value}))


def test_colours_are_refused(read):
    with pytest.raises(ParseError, match="Received mode: RGB"):
        read(png(background=(2, 2, 2), mode="RGB"))


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", WHOLE[:-25], png(kind="JPEG")]
)
def test_what_is_no_png_is_refused(read, data):
    with pytest.raises(ParseError, match="must be a PNG.*a.png"):
        read(data)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="b.png"):
        read_trimap(tmp_path / "b.png")


@hypothesis.given(st.data())
def test_mutated_files_give_an_extent_or_a_dataset_error(
    tmp_path_factory, data
):
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(whole) - 1))
        length = data.draw(st.integers(0, 4))
        whole[position : position + length] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / "mutated.png"
    path.write_bytes(bytes(whole))
    try:
        read_trimap(path)
    except DatasetError:
        pass

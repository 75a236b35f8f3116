"""Pixels of good images; one kind of error for all bad ones."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfrecords_tools.look.decode import (
    check_pixels,
    detect_format,
    read_header,
    thumbnail,
)


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "jpeg"), ("PNG", "png"), ("GIF", "")]
)
def test_formats_are_told_by_the_first_bytes(handmade, kind, name):
    assert detect_format(handmade.picture(kind)) == name
    assert detect_format(b"") == ""


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_header(handmade, mode):
    encoded = handmade.picture("JPEG", mode=mode, size=(7, 5))
    assert read_header(encoded) == ((7, 5), mode)
    check_pixels(encoded)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2000, 1000), (64, 32)),
        ((10, 20), (32, 64)),
        ((500, 1), (64, 1)),
        ((64, 64), (64, 64)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_thumbnails_keep_the_proportions(handmade, kind, size, expected):
    encoded = handmade.picture(kind, size=size, colour=(200, 100, 50))
    picture = thumbnail(encoded, 64)
    assert (picture.size, picture.mode) == (expected, "RGB")
    close = zip(picture.getpixel((0, 0)), (200, 100, 50), strict=True)
    assert all(abs(found - drawn) < 8 for found, drawn in close)


def test_thumbnails_are_not_turned():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(file, "JPEG", exif=exif)
    assert thumbnail(file.getvalue(), 40).size == (40, 20)


def test_a_huge_jpeg_is_decoded_at_a_fraction(handmade, monkeypatch):
    encoded = handmade.picture("JPEG", size=(4000, 2000))
    sizes = []
    convert = Image.Image.convert

    def spy(self, *args, **kwargs):
        sizes.append(self.size)
        return convert(self, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "convert", spy)
    thumbnail(encoded, 100)
    assert sizes[0] == (500, 250)


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (b"", "must be a JPEG or PNG file. Received: 0 bytes"),
        (b"GARBAGE", "7 bytes starting with b'GARB'"),
        (b"\xff\xd8\xff\xe0", "Received:"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "Received:"),
    ],
)
def test_bad_bytes_are_one_kind_of_error(encoded, message):
    for look in (read_header, check_pixels, lambda e: thumbnail(e, 64)):
        with pytest.raises(ValueError, match=message):
            look(encoded)


def test_what_ends_too_early_has_a_header_but_no_pixels(handmade):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, "JPEG")
    cut = file.getvalue()[:-400]
    assert read_header(cut) == ((64, 64), "L")
    with pytest.raises(ValueError, match="decodable. Received: .*truncated"):
        check_pixels(cut)


def test_an_absurd_number_of_pixels_is_refused(handmade, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    encoded = handmade.picture(size=(40, 20))
    with pytest.raises(ValueError, match="decodable. Received: Image size"):
        read_header(encoded)
    assert read_header(handmade.picture(size=(15, 10)))[0] == (15, 10)


@given(data=st.data(), kind=st.sampled_from(["JPEG", "PNG", "GIF", "BMP"]))
def test_mutated_images_give_pixels_or_a_value_error(handmade, data, kind):
    mutated = bytearray(handmade.picture(kind, size=(9, 7)))
    for _ in range(data.draw(st.integers(1, 4))):
        # A large size of damaged dimensions is no matter of this test.
        position = data.draw(st.integers(26, len(mutated) - 1))
        mutated[position] = data.draw(st.integers(0, 255))
    try:
        assert max(thumbnail(bytes(mutated), 16).size) == 16
    except ValueError as error:
        assert "Received:" in str(error)

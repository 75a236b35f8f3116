"""Plain pictures as bytes, in every format that the datasets hold."""

import io

from PIL import Image


def jpeg(width, height, colour=(90, 120, 150)):
    return _encode(Image.new("RGB", (width, height), colour), "JPEG")


def grey_jpeg(width, height, brightness=120):
    return _encode(Image.new("L", (width, height), brightness), "JPEG")


def cmyk_jpeg(width, height, inks=(200, 30, 60, 10)):
    return _encode(Image.new("CMYK", (width, height), inks), "JPEG")


def png(width, height, colour=(90, 120, 150)):
    return _encode(Image.new("RGB", (width, height), colour), "PNG")


def rgba_png(width, height, colour=(90, 120, 150, 128)):
    return _encode(Image.new("RGBA", (width, height), colour), "PNG")


def gif(width, height, index=7):
    return _encode(Image.new("P", (width, height), index), "GIF")


def _encode(image, kind):
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()

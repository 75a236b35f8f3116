"""PNG files, read by hand and after failing writes."""

import os
import struct
import zlib

import numpy as np
import pytest

from object_detection_patch import pictures

GREY = np.full((96, 96, 3), 128, np.uint8)


def png_pixels(data):
    """Width, height and pixels of an 8-bit RGB PNG, filters undone by hand."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, chunks = 8, {}
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        chunks[kind] = chunks.get(kind, b"") + body
        position += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 2)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    lines = lines.reshape(height, 1 + 3 * width)
    return width, height, lines


def test_png_holds_the_pixels(tmp_path):
    black = np.zeros((3, 5, 3), np.uint8)
    pictures.save_png(tmp_path / "a.png", black)
    width, height, lines = png_pixels((tmp_path / "a.png").read_bytes())
    # A black image is zeros under every PNG filter.
    assert (width, height) == (5, 3)
    assert not lines[:, 1:].any()
    image = np.random.default_rng(0).integers(0, 255, (7, 4, 3), np.uint8)
    pictures.save_png(str(tmp_path / "b.png"), image)
    from PIL import Image

    with Image.open(tmp_path / "b.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_png_bytes_are_equal_on_a_second_run(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (96, 64, 3), np.uint8)
    for name in "ab":
        pictures.save_png(tmp_path / name, image)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_old_png_survives_a_failing_write(tmp_path, monkeypatch, failing):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        pictures.save_png(target, GREY)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_png_of_something_else(tmp_path):
    with pytest.raises(ValueError, match="`image` must be uint8"):
        pictures.save_png(tmp_path / "a.png", GREY[..., :2])
    assert not list(tmp_path.iterdir())


def test_png_in_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        pictures.save_png(tmp_path / "none" / "a.png", GREY)

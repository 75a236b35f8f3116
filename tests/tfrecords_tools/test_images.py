"""What is stored as it came, what is made anew, and what is refused."""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tfrecords_tools import images

WIDTH, HEIGHT = 48, 32
SIZE = (WIDTH, HEIGHT)
ORANGE = (220, 140, 40)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def plain(mode="RGB", colour=ORANGE):
    return Image.new(mode, SIZE, colour)


@functools.cache
def noise():
    """Compresses badly, so that cuts fall into coded data."""
    rng = np.random.default_rng(3)
    shape = (HEIGHT, WIDTH, 3)
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def segment(marker, payload):
    size = (len(payload) + 2).to_bytes(2, "big")
    return bytes([0xFF, marker]) + size + payload


def after_start(jpeg, inserted):
    return jpeg[:2] + inserted + jpeg[2:]


def jpeg_with_thumbnail():
    """A header block that holds a whole JPEG, end marker included."""
    thumbnail = encode(noise().resize((8, 8)), "JPEG")
    assert thumbnail.endswith(b"\xff\xd9")
    tiff = b"II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    block = segment(0xE1, b"Exif\x00\x00" + tiff + thumbnail)
    return after_start(encode(noise(), "JPEG"), block)


def cut_in_a_later_scan(progressive):
    start = progressive.rindex(b"\xff\xda")
    return progressive[: (start + len(progressive)) // 2]


def without_scan(jpeg):
    return jpeg[: jpeg.rindex(b"\xff\xda")] + b"\xff\xd9"


def chunk(name, payload):
    crc = zlib.crc32(name + payload)
    return struct.pack(">I", len(payload)) + name + payload + crc.to_bytes(4)


def png_of_chunks(*chunks):
    return PNG_SIGNATURE + b"".join(chunks)


def header_chunk(depth=8, colour_type=2):
    header = struct.pack(">IIBBBBB", *SIZE, depth, colour_type, 0, 0, 0)
    return chunk(b"IHDR", header)


def rgb16_png():
    """Pillow cannot write one; high bytes are ORANGE, low ones 77."""
    row = b"\x00" + b"".join(bytes([c, 77]) for c in ORANGE) * WIDTH
    pixels = chunk(b"IDAT", zlib.compress(row * HEIGHT))
    return png_of_chunks(header_chunk(16), pixels, chunk(b"IEND", b""))


def grey16(brightness):
    pixels = np.full((HEIGHT, WIDTH), brightness * 256 + 77, np.uint16)
    return encode(Image.fromarray(pixels), "PNG")


def black_and_orange():
    """The left half is black."""
    picture = plain()
    picture.paste((0, 0, 0), (0, 0, WIDTH // 2, HEIGHT))
    return picture


AS_THEY_ARE = {
    "RGB JPEG": encode(noise(), "JPEG"),
    "grey JPEG": encode(noise().convert("L"), "JPEG"),
    "progressive JPEG": encode(noise(), "JPEG", progressive=True),
    "JPEG with a restart in each row": encode(
        noise(), "JPEG", restart_marker_rows=1
    ),
    "JPEG with restarts and bytes after its end": encode(
        noise(), "JPEG", restart_marker_rows=1
    )
    + b"garbage",
    "turned JPEG": encode(noise(), "JPEG", exif=exif(6)),
    "JPEG with a thumbnail": jpeg_with_thumbnail(),
    "JPEG with broken EXIF": after_start(
        # Without a resolution Pillow looks into the block on opening, once.
        encode(noise(), "JPEG", dpi=(72, 72)),
        segment(0xE1, b"Exif\x00\x00no TIFF header"),
    ),
    "JPEG with bytes after its end": encode(noise(), "JPEG") + b"garbage\xff",
    "JPEG with bytes between segments": after_start(
        encode(noise(), "JPEG"), segment(0xFE, b"comment") + b"\x00\x07stray"
    ),
    "JPEG with fill bytes": after_start(encode(noise(), "JPEG"), b"\xff\xff"),
    "RGB PNG": encode(noise(), "PNG"),
    "PNG with bytes after its end": encode(noise(), "PNG") + b"garbage",
}
CUT = {
    "JPEG": encode(noise(), "JPEG")[:-2],
    "JPEG in its coded data": encode(noise(), "JPEG")[:-300],
    "grey JPEG": encode(noise().convert("L"), "JPEG")[:-200],
    "progressive JPEG": cut_in_a_later_scan(
        encode(noise(), "JPEG", progressive=True)
    ),
    "JPEG with a thumbnail": jpeg_with_thumbnail()[:-200],
    "JPEG without a scan": without_scan(encode(noise(), "JPEG")),
    "JPEG in its header": encode(noise(), "JPEG")[:60],
    "PNG": encode(noise(), "PNG")[:-12],
    "PNG in its pixels": encode(noise(), "PNG")[:1000],
    "PNG in its header": encode(noise(), "PNG")[:20],
    "PNG without pixels": png_of_chunks(header_chunk(), chunk(b"IEND", b"")),
}


@pytest.mark.parametrize("kind", AS_THEY_ARE)
def test_stored_byte_for_byte(kind):
    data = AS_THEY_ARE[kind]
    stored = images.store(data)
    assert stored.encoded == data
    assert stored.encoding == ("png" if "PNG" in kind else "jpeg")
    assert (stored.width, stored.height) == stored.original_size == SIZE
    assert stored.re_encoded is None
    assert stored.exif_turned == (kind == "turned JPEG")


@pytest.mark.parametrize(
    ("data", "reason", "colour"),
    [
        # No ink is white, black ink alone is black: in any reading of CMYK
        # but the inverted one.
        (encode(plain("CMYK", (0,) * 4), "JPEG"), "CMYK JPEG", (255,) * 3),
        (encode(plain("CMYK", (0, 0, 0, 255)), "JPEG"), "CMYK JPEG", (0,) * 3),
        (encode(plain().quantize(4), "PNG"), "1-bit P PNG", ORANGE),
        (
            encode(plain().quantize(4), "PNG", transparency=0),
            "1-bit P PNG",
            ORANGE,
        ),
        (encode(plain("RGBA", (*ORANGE, 9)), "PNG"), "8-bit RGBA PNG", ORANGE),
        (encode(plain("L", 99), "PNG"), "8-bit L PNG", (99,) * 3),
        (encode(plain("LA", (99, 5)), "PNG"), "8-bit LA PNG", (99,) * 3),
        (encode(plain("1", 1), "PNG"), "1-bit 1 PNG", (255,) * 3),
        (grey16(200), "16-bit I;16 PNG", (200,) * 3),
        (grey16(1), "16-bit I;16 PNG", (1,) * 3),
        (rgb16_png(), "16-bit RGB PNG", ORANGE),
        (encode(plain(), "GIF"), "GIF", ORANGE),
        (encode(plain("L", 99), "GIF"), "GIF", (99,) * 3),
        (encode(plain(), "BMP"), "BMP", ORANGE),
        (encode(plain().quantize(4), "BMP"), "BMP", ORANGE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_everything_else_becomes_an_rgb_jpeg(data, reason, colour):
    stored = images.store(data)
    assert stored.re_encoded == reason
    assert (stored.encoding, stored.width, stored.height) == ("jpeg", *SIZE)
    assert stored.original_size == SIZE
    with Image.open(io.BytesIO(stored.encoded)) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        pixels = np.asarray(picture).astype(int)
    assert abs(pixels - colour).max() <= 3
    assert images.store(stored.encoded).encoded == stored.encoded


def test_the_first_frame_of_a_gif_is_taken():
    frames = [plain(), plain(colour=(0, 0, 255))]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(images.store(data).encoded)) as picture:
        assert picture.getpixel((9, 9)) == pytest.approx(ORANGE, abs=3)


def test_fine_colours_survive_re_encoding():
    """Columns of red and blue: halved colour would blend them."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, ::2, 0] = pixels[:, 1::2, 2] = 200
    stored = images.store(encode(Image.fromarray(pixels), "BMP"))
    with Image.open(io.BytesIO(stored.encoded)) as picture:
        error = abs(np.asarray(picture).astype(int) - pixels)
    assert error.mean() < 5


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_image_keeps_its_order_of_pixels(orientation):
    data = encode(black_and_orange(), "JPEG", exif=exif(orientation))
    stored = images.store(data, max_side=24)
    assert stored.exif_turned
    with Image.open(io.BytesIO(stored.encoded)) as picture:
        assert picture.size == (24, 16)
        assert picture.getexif().get(0x0112) is None
        assert picture.getpixel((3, 8)) == pytest.approx((0, 0, 0), abs=9)
        assert picture.getpixel((20, 8)) == pytest.approx(ORANGE, abs=9)


@pytest.mark.parametrize("orientation", [0, 1, 9])
def test_upright_and_unknown_orientations_do_not_count_as_turned(orientation):
    data = encode(plain(), "JPEG", exif=exif(orientation))
    assert not images.store(data).exif_turned


@pytest.mark.parametrize(
    ("max_side", "expected"),
    [
        (100, (48, 32)),
        (48, (48, 32)),
        (24, (24, 16)),
        (47, (47, 31)),
        (1, (1, 1)),
    ],
)
def test_max_side_only_shrinks(max_side, expected):
    data = AS_THEY_ARE["RGB PNG"]
    stored = images.store(data, max_side=max_side)
    assert (stored.width, stored.height) == expected
    assert stored.original_size == SIZE
    is_smaller = expected != SIZE
    assert stored.re_encoded == ("larger than max_side" if is_smaller else None)
    assert (stored.encoded == data) != is_smaller
    with Image.open(io.BytesIO(stored.encoded)) as picture:
        assert picture.size == expected


def test_a_thin_image_keeps_one_pixel_at_least():
    data = encode(Image.new("RGB", (400, 1)), "PNG")
    stored = images.store(data, max_side=10)
    assert (stored.width, stored.height) == (10, 1)


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("max_side", [None, 8])
def test_cut_files_are_refused(kind, max_side):
    with pytest.raises(images.ImageError, match="^damaged (JPEG|PNG): "):
        images.store(CUT[kind], max_side=max_side)


@pytest.mark.parametrize("kind", ["RGB JPEG", "progressive JPEG", "RGB PNG"])
def test_every_shorter_file_is_refused(kind):
    data = AS_THEY_ARE[kind]
    for length in range(len(data)):
        with pytest.raises(images.ImageError):
            images.store(data[:length])


def flipped(data, position):
    return b"".join(
        (data[:position], bytes([data[position] ^ 1]), data[position + 1 :])
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "^empty file$"),
        (bytes(900), r"neither JPEG, PNG, GIF nor BMP: .*\\x00'$"),
        (b"<!DOCTYPE html><p>404", "neither .*: starts with b'<!DOCTYP'$"),
        (encode(plain(), "WEBP"), "neither .* nor BMP: starts with b'RIFF"),
        (encode(plain(), "TIFF"), "neither .* nor BMP"),
        (flipped(encode(noise(), "PNG"), 500), "checksum of chunk b'IDAT'"),
        (flipped(encode(noise(), "PNG"), -2), "checksum of chunk b'IEND'"),
        (encode(plain(), "GIF")[:30], "^damaged GIF: "),
        (encode(plain(), "BMP")[:-50], "^damaged BMP: "),
        (b"\xff\xd8\xff\xe0 not a picture", "^damaged JPEG: "),
        (
            png_of_chunks(
                chunk(b"tEXt", b"a\x00b"),
                header_chunk(),
                chunk(b"IDAT", zlib.compress(bytes(HEIGHT * (1 + 3 * WIDTH)))),
                chunk(b"IEND", b""),
            ),
            "^damaged PNG: ",
        ),
        (
            encode(plain(), "BMP").replace(
                struct.pack("<ii", *SIZE), struct.pack("<ii", 60000, 60000)
            ),
            "^too large to be a photograph",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bytes_that_are_no_image_are_refused(data, message):
    with pytest.raises(images.ImageError, match=message):
        images.store(data)


SEEDS = [
    *AS_THEY_ARE.values(),
    encode(noise().convert("CMYK"), "JPEG"),
    encode(noise().quantize(16), "PNG", transparency=3),
    encode(noise(), "GIF"),
    encode(noise().quantize(16), "BMP"),
    rgb16_png(),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 2**16), st.binary(max_size=3), st.integers(0, 3)),
    min_size=1,
    max_size=6,
)


def mend_checksums(data):
    """So that mutations of a PNG reach its decoder."""
    chunks, position = [], len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        chunks.append(chunk(name, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return png_of_chunks(*chunks)


@settings(max_examples=400)
@given(st.sampled_from(SEEDS), EDITS, st.booleans(), st.sampled_from([None, 9]))
def test_damage_raises_nothing_but_image_errors(seed, edits, mend, max_side):
    data = seed
    for place, inserted, removed in edits:
        at = place % len(data)
        data = data[:at] + inserted + data[at + removed :] or seed
    if mend and data.startswith(PNG_SIGNATURE):
        data = mend_checksums(data)
    try:
        stored = images.store(data, max_side=max_side)
    except images.ImageError as error:
        assert "\n" not in str(error)
        return
    assert min(stored.width, stored.height) >= 1
    if stored.re_encoded is None:
        assert stored.encoded == data


def test_an_exception_within_the_decoder_is_an_image_error(monkeypatch):
    """Pillow checks some of its own assumptions by `assert`."""

    def fail(*arguments):
        raise AssertionError

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(images.ImageError, match="damaged BMP: AssertionErr"):
        images.store(encode(plain(), "BMP"))


@pytest.mark.slow
def test_tensorflow_decodes_what_is_stored_and_refuses_what_is_cut():
    import tensorflow as tf

    for data in AS_THEY_ARE.values():
        stored = images.store(data)
        decoded = tf.io.decode_image(stored.encoded, channels=3)
        assert decoded.shape == (stored.height, stored.width, 3)
    for data in SEEDS:
        stored = images.store(data, max_side=20)
        decoded = tf.io.decode_image(stored.encoded, channels=3)
        assert decoded.shape == (stored.height, stored.width, 3)
    for kind, data in CUT.items():
        with pytest.raises(tf.errors.InvalidArgumentError):
            print(kind, tf.io.decode_image(data, channels=3).shape)

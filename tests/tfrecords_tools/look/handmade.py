"""TFRecords written byte by byte, so that any rule can be broken.

Shares nothing with the package: neither framing, nor checksum, nor messages.
"""

import hashlib
import io
import struct

from PIL import Image

WIDTH, HEIGHT = 40, 20
LABEL_MAP = """\
item { id: 1 name: 'cat' display_name: 'Cat' }
item { id: 3 name: 'dog' display_name: 'Hound' }
"""


def crc32c(data):
    """Castagnoli polynomial, reflected (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


def frame(payload):
    length = struct.pack("<Q", len(payload))
    crcs = struct.pack("<I", masked(length)), struct.pack("<I", masked(payload))
    return length + crcs[0] + payload + crcs[1]


def varint(number):
    number %= 2**64
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def feature(kind, values, *, packed=True):
    """A Feature: field 1 bytes, 2 floats, 3 varints; "" has no list."""
    if not kind:
        return b""
    if kind == "bytes":
        return field(1, b"".join(field(1, value) for value in values))
    if kind == "float":
        raw, number, wire_type = [struct.pack("<f", v) for v in values], 2, 5
    else:
        raw, number, wire_type = [varint(value) for value in values], 3, 0
    if packed:
        return field(number, field(1, b"".join(raw)))
    tag = varint(1 << 3 | wire_type)
    return field(number, b"".join(tag + value for value in raw))


def example(columns, *, packed=True):
    """Example { features { feature { key value } } } of (kind, values)."""
    entries = [
        field(1, field(1, key.encode()) + field(2, feature(*v, packed=packed)))
        for key, v in columns.items()
    ]
    return field(1, b"".join(entries))


def picture(kind="PNG", *, mode="RGB", size=(WIDTH, HEIGHT), colour=None):
    file = io.BytesIO()
    Image.new(mode, size, colour or "grey").save(file, kind)
    return file.getvalue()


BOXES = {
    "bbox/xmin": ("float", [0.25, 0.5]),
    "bbox/xmax": ("float", [0.5, 1.0]),
    "bbox/ymin": ("float", [0.0, 0.25]),
    "bbox/ymax": ("float", [0.5, 0.75]),
    "class/text": ("bytes", [b"cat", b"dog"]),
    "class/label": ("int64", [1, 3]),
    "difficult": ("int64", [0, 1]),
    "area": ("float", [100.0, 200.0]),
    "truncated": ("int64", [0, 1]),
    "occluded": ("int64", [0, 2]),
    "is_crowd": ("int64", [0, 0]),
    "group_of": ("int64", [0, 1]),
}
NO_BOXES = {key: (kind, []) for key, (kind, _) in BOXES.items()}


def columns(source_id="a", /, *, encoded=None, boxes=BOXES, **changes):
    """All columns of a record without fault.

    `changes` replace or, if None, remove columns; `object/x` stands for
    `image/object/x`.
    """
    encoded = picture() if encoded is None else encoded
    form = b"jpeg" if encoded.startswith(b"\xff\xd8") else b"png"
    digest = hashlib.sha256(encoded).hexdigest()
    image = {
        "encoded": ("bytes", [encoded]),
        "format": ("bytes", [form]),
        "height": ("int64", [HEIGHT]),
        "width": ("int64", [WIDTH]),
        "filename": ("bytes", [b"zoo/a.png"]),
        "source_id": ("bytes", [source_id.encode()]),
        "key/sha256": ("bytes", [digest.encode()]),
        **{f"object/{key}": value for key, value in boxes.items()},
    }
    image.update(changes)
    return {f"image/{k}": v for k, v in image.items() if v is not None}


def record(source_id="a", /, **options):
    return example(columns(source_id, **options))


def write(path, *payloads):
    path.write_bytes(b"".join(map(frame, payloads)))
    return path


def write_label_map(folder):
    path = folder / "map.pbtxt"
    path.write_text(LABEL_MAP, encoding="utf-8")
    return path

"""The frame of a sidecar, and sidecars that are damaged anyhow."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import struct
import zlib

import hypothesis
import numpy as np
import pytest
import tiny_base
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import (
    ApplyError,
    SidecarError,
    SidecarVersionError,
)
from object_detection_patch.tflite.sidecar import (
    Bias,
    ClassNumber,
    Copy,
    InputSize,
    Kernel,
    Link,
    Norm,
    Operation,
    Sidecar,
    Vector,
)
from object_detection_patch.tflite.sidecar_body import written_body

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)


@pytest.fixture(scope="module")
def body():
    return written_body(tiny_base.make("int8").sidecar)


def same(one, other):
    """Dataclasses with arrays compare as identities, hence their reprs."""
    fields = [field.name for field in dataclasses.fields(Sidecar)]
    for name in set(fields) - {"norms", "biases", "kernels"}:
        assert getattr(one, name) == getattr(other, name), name
    assert one.kernels == other.kernels
    for left, right in zip(
        (*one.norms, *one.biases), (*other.norms, *other.biases), strict=True
    ):
        for field in dataclasses.fields(left):
            mine, its = getattr(left, field.name), getattr(right, field.name)
            if isinstance(mine, np.ndarray):
                mine, its = mine.tobytes(), its.tobytes()
            assert mine == its


@PRECISION
def test_a_base_comes_back(precision):
    sidecar = tiny_base.make(precision).sidecar
    data = sidecar_file.to_bytes(sidecar)
    same(sidecar_file.from_bytes(data), sidecar)
    assert data == tiny_base.framed(
        written_body(sidecar), stream=zlib.compress(written_body(sidecar), 0)
    )


def test_from_a_file(tmp_path):
    path = tmp_path / "base.odpatch"
    sidecar = tiny_base.make("float32").sidecar
    path.write_bytes(sidecar_file.to_bytes(sidecar))
    same(sidecar_file.read_sidecar(path), sidecar)
    path.write_bytes(b"x" * 99)
    with pytest.raises(SidecarError, match=r"begins with .*base\.odpatch\)$"):
        sidecar_file.read_sidecar(path)
    with pytest.raises(FileNotFoundError, match=r"no\.odpatch"):
        sidecar_file.read_sidecar(tmp_path / "no.odpatch")


def test_a_sidecar_by_hand():
    """One depthwise kernel, byte by byte."""
    body = b"\xaa" * 32 + b"\xbb" * 32 + struct.pack("<Q", 99) + b"\x01"
    body += struct.pack("<III", 16, 2, 3)
    body += struct.pack("<I BIIB BIIB", 2, 1, 8, 0, 0, 1, 4, 0, 0)
    body += struct.pack("<I", 0)  # no metadata
    body += struct.pack("<I II", 1, 8, 1)  # a link at 8 to vector 1
    body += struct.pack("<I III", 1, 12, 4, 1)  # 4 * (classes + 1) at 12
    body += struct.pack("<I", 0)  # no activations
    body += struct.pack("<I H1s I 8f", 1, 1, b"n", 2, 1, 2, 3, 4, 5, 6, 7, 8)
    body += struct.pack("<I H1s I 1f", 1, 1, b"b", 1, 0.5)
    body += struct.pack("<I H1s B 4I II", 1, 1, b"k", 1, 2, 1, 1, 2, 0, 0)
    body += struct.pack("<I 5I 5I", 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0)
    expected = Sidecar(
        base_fingerprint="aa" * 32,
        base_sha256="bb" * 32,
        base_bytes=99,
        precision="float16",
        skeleton_bytes=16,
        classes=2,
        capacity=3,
        vectors=(Vector(1, 8), Vector(1, 4)),
        metadata_vector=None,
        links=(Link(8, 1),),
        class_numbers=(ClassNumber(12, 4, 1),),
        activations=(),
        norms=(Norm("n", *np.arange(1, 9, dtype=np.float32).reshape(4, 2)),),
        biases=(Bias("b", np.float32([0.5])),),
        kernels=(
            Kernel("k", 1, (2, 1, 1, 2), (Copy(0, (Operation(1),), norm=0),)),
        ),
    )
    same(sidecar_file.from_bytes(tiny_base.framed(body)), expected)
    assert written_body(expected) == body


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"magic": b"\x89ODP\r\n\x1a\n"}, r"A sidecar begins with b'\\x89ODB"),
        ({"reserved": 1}, r"Bytes 20 to 23 of a sidecar must be 0.*0x1\."),
        ({"file_bytes": 2**63}, "says that it has 9223372036854775808 bytes"),
        ({"stored": 5}, "must fill the file between prelude and checksum"),
        ({"stored": 2**32 - 1}, "must fill the file between"),
        ({"raw": 2**24 + 1}, "have at most 16777216 bytes"),
        ({"raw": 1}, "must inflate to 1 bytes and end there"),
        ({"raw": 2**24}, "cannot inflate .* bytes more than 1032 times"),
        ({"raw": 5000}, "must inflate to 5000 bytes and end there"),
        ({"stream": b"no zlib" * 50}, "must be one zlib stream"),
        ({"checksum": bytes(32)}, "ends with the SHA-256 of what stands"),
    ],
)
def test_a_false_frame(body, fields, message):
    with pytest.raises(SidecarError, match=message):
        sidecar_file.from_bytes(tiny_base.framed(body, **fields))


def test_another_version(body):
    with pytest.raises(
        SidecarVersionError,
        match="the versions 1 and 2. Received: version 3; install",
    ):
        sidecar_file.from_bytes(tiny_base.framed(body, version=3))


def test_what_follows_the_zlib_stream(body):
    for more in (b"x", zlib.compress(b"more")):
        stream = zlib.compress(body) + more
        with pytest.raises(SidecarError, match="followed by other bytes"):
            sidecar_file.from_bytes(tiny_base.framed(body, stream=stream))


def test_a_bomb_is_not_inflated(body):
    """16 MiB of zeros from 16 kB: refused by its first field."""
    with pytest.raises(SidecarError, match=r"skeleton|classes"):
        sidecar_file.from_bytes(tiny_base.framed(bytes(2**24)))
    with pytest.raises(SidecarError, match="at most 16777216 bytes"):
        sidecar_file.from_bytes(tiny_base.framed(bytes(2**24 + 1)))


def test_the_checksum_comes_last(body):
    """A file that was written badly is told as such."""
    bad = tiny_base.framed(body + b"x", checksum=bytes(32))
    with pytest.raises(SidecarError, match="1 bytes behind it"):
        sidecar_file.from_bytes(bad)


@PRECISION
def test_every_prefix_is_refused(precision):
    data = sidecar_file.to_bytes(tiny_base.make(precision).sidecar)
    for length in range(len(data)):
        with pytest.raises(
            SidecarError, match=r"has at least 64 bytes|says that it has"
        ):
            sidecar_file.from_bytes(data[:length])
    with pytest.raises(SidecarError, match="says that it has"):
        sidecar_file.from_bytes(data + b"\0")


@PRECISION
def test_every_prefix_of_the_body_is_refused(precision):
    body = written_body(tiny_base.make(precision).sidecar)
    for length in range(len(body)):
        with pytest.raises(SidecarError, match="hold all of its fields"):
            sidecar_file.from_bytes(tiny_base.framed(body[:length]))


def test_every_bit_of_the_file_counts(body):
    """The checksum sees what no other check does."""
    data = tiny_base.framed(body)
    chosen = random.Random(0).sample(range(8 * len(data)), 2000)
    for bit in chosen:
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SidecarError):
            sidecar_file.from_bytes(bytes(damaged))


@PRECISION
def test_bytes_of_the_body_with_the_checksum_mended(precision):
    """Each of the first 256 bytes and many later ones, several ways."""
    body = written_body(tiny_base.make(precision).sidecar)
    places = [*range(256), *random.Random(1).sample(range(len(body)), 400)]
    refused = 0
    for at in places:
        for value in (0, 1, 0x7F, 0xFF, body[at] ^ 0x10):
            damaged = bytearray(body)
            damaged[at] = value
            try:
                found = sidecar_file.from_bytes(
                    tiny_base.framed(bytes(damaged))
                )
            except SidecarError:
                refused += 1
                continue
            # What is accepted is what was written, and nothing else.
            assert written_body(found) == damaged
    assert refused > 1000


@hypothesis.given(st.binary(max_size=300))
def test_any_bytes(data):
    for file in (data, tiny_base.framed(data)):
        with pytest.raises(SidecarError):
            sidecar_file.from_bytes(file)


_NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P")),
    min_size=1,
    max_size=12,
)
_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def _sidecars(draw):
    """Sidecars without kernels: every list of another length."""
    names = draw(st.lists(_NAMES, unique=True, max_size=5))
    split = draw(st.integers(0, len(names)))
    vectors = [
        Vector(draw(st.sampled_from([1, 4, 8])), draw(st.integers(0, 99)))
        for _ in range(draw(st.integers(1, 5)))
    ]
    if draw(st.booleans()):
        vectors.append(Vector(vectors[0].item_bytes, vectors[0].items, 0, True))
    if draw(st.booleans()):
        vectors.append(Vector(vectors[0].item_bytes, 7, 0, False))
    words = draw(st.lists(st.integers(0, 63), unique=True, max_size=20))
    cut = draw(st.integers(0, len(words)))
    bytes_vectors = [i for i, v in enumerate(vectors) if v.item_bytes == 1]
    classes = draw(st.integers(1, 2**16))
    sizes = _sizes(draw, vectors, sorted(set(range(64)) - set(words)))
    return Sidecar(
        base_fingerprint=draw(st.binary(min_size=32, max_size=32)).hex(),
        base_sha256=draw(st.binary(min_size=32, max_size=32)).hex(),
        base_bytes=draw(st.integers(2**16, 2**28)),
        precision=draw(st.sampled_from(["float32", "float16"])),
        skeleton_bytes=256,
        classes=classes,
        capacity=draw(st.integers(classes, 2**16)),
        vectors=tuple(vectors),
        metadata_vector=draw(st.sampled_from([None, *bytes_vectors])),
        links=tuple(
            Link(4 * word, draw(st.integers(0, len(vectors) - 1)))
            for word in sorted(words[:cut])
        ),
        class_numbers=tuple(
            ClassNumber(
                4 * word,
                draw(st.integers(1, 2**16)),
                draw(st.integers(0, 2**16)),
            )
            for word in words[cut:]
        ),
        activations=(),
        norms=tuple(_norm(draw, name) for name in names[:split]),
        biases=tuple(
            Bias(name, draw(hnp.arrays(np.float32, 3, elements=_FLOATS)))
            for name in names[split:]
        ),
        kernels=(),
        image_size=(320, 256) if sizes else None,
        sizes=sizes,
    )


_WORDS = st.integers(0, 2**32 - 1)


def _sizes(draw, vectors, free):
    """None or a few, in words that nothing else writes."""
    sizes = []
    for number in range(draw(st.integers(0, 3))):
        chosen = draw(st.sets(st.sampled_from(free), max_size=5))
        indices = draw(st.sets(st.integers(0, len(vectors) - 1)))
        sizes.append(
            InputSize(
                draw(st.integers(1, 2**16)),
                number + 1,
                f"{'5e' * 31}{number:02x}",
                {
                    4 * w: draw(st.integers(0, 2**32 - 1))
                    for w in sorted(chosen)
                },
                {
                    i: bytes(vectors[i].item_bytes * draw(st.integers(0, 4)))
                    for i in sorted(indices)
                },
            )
        )
    return tuple(sizes)


def _norm(draw, name):
    rows = draw(hnp.arrays(np.float32, (4, 2), elements=_FLOATS))
    rows[0][rows[0] == 0] = 1
    rows[3][rows[3] <= 0] = 1
    return Norm(name, *rows)


@hypothesis.given(_sidecars())
def test_any_sidecar_comes_back(sidecar):
    data = sidecar_file.to_bytes(sidecar)
    same(sidecar_file.from_bytes(data), sidecar)
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": 0}, "classes must lie between 1 and 65536"),
        ({"classes": 2**32}, "an integer must fit in its field"),
        ({"capacity": 1}, "classes must not exceed the capacity"),
        ({"base_bytes": 2**64}, "an integer must fit in its field"),
        ({"base_sha256": "ab"}, "64 lower-case hexadecimal digits"),
        ({"precision": "int4"}, r"a precision is one of .*Received: 'int4'"),
        ({"vectors": ()}, "number of entries must lie between 1 and 65536"),
        ({"norms": (Norm("n", *[np.float32([np.nan])] * 4),)}, "NaN or Inf"),
        ({"norms": (Norm("n", *[np.float64([1])] * 4),)}, "1 float32"),
        ({"biases": (Bias("a\nb", np.float32([1])),)}, "without control"),
        ({"biases": (Bias("", np.float32([1])),)}, "must not be empty"),
        ({"biases": (Bias("b", np.float32([])),)}, "size of a bias must lie"),
    ],
)
def test_what_no_reader_takes_is_not_written(fields, message):
    tiny = tiny_base.make("float32").with_sidecar(**fields)
    with pytest.raises(SidecarError, match=message):
        sidecar_file.to_bytes(tiny.sidecar)


def test_every_error_is_one_of_applying():
    assert issubclass(SidecarVersionError, SidecarError)
    assert issubclass(SidecarError, ApplyError)
    assert issubclass(ApplyError, ValueError)

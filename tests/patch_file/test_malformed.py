"""Every rule of FORMAT.md, broken by bytes that are written here by hand."""

from __future__ import annotations

import hashlib
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    PatchFileError,
    errors,
    from_bytes,
)
from tests.patch_file.by_hand import refused

MAGIC = b"\x89ODP\r\n\x1a\n"
MASK = b"\xaa\x80"


def text(value: str | bytes) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(encoded)) + encoded


def entry(
    kind=4, value_type=0, codec=0, shape=(3, 3), stored=2, target="fpn/k"
) -> bytes:
    return (
        bytes([kind, value_type, codec, len(shape)])
        + struct.pack(f"<{len(shape)}I", *shape)
        + struct.pack("<I", stored)
        + text(target)
    )


def label(id_=1, name="cat", display_name="Cat") -> bytes:
    return struct.pack("<I", id_) + text(name) + text(display_name)


ENTRY = entry()
LABEL = label()


def header(
    entries=(ENTRY,),
    labels=(LABEL,),
    metadata=b"{}",
    method="PIGGYBACK",
    edit_count=None,
    label_count=None,
    metadata_bytes=None,
    end=b"",
) -> bytes:
    def given(count, default):
        return struct.pack("<I", default if count is None else count)

    return b"".join(
        [
            bytes(range(32)),
            text(method),
            given(edit_count, len(entries)),
            *entries,
            given(label_count, len(labels)),
            *labels,
            given(metadata_bytes, len(metadata)),
            metadata,
            end,
        ]
    )


def build(
    *,
    raw_header=None,
    sections=MASK,
    magic=MAGIC,
    version=1,
    stored_header=None,
    stored_bytes=None,
    raw_bytes=None,
    reserved=0,
    file_bytes=None,
    checksum=None,
) -> bytes:
    """A file of one 3 x 3 Piggyback mask, with anything in it replaced."""
    raw = header() if raw_header is None else raw_header
    stored = zlib.compress(raw) if stored_header is None else stored_header
    length = 32 + len(stored) + len(sections) + 32
    prelude = magic + struct.pack(
        "<IIIIQ",
        version,
        len(stored) if stored_bytes is None else stored_bytes,
        len(raw) if raw_bytes is None else raw_bytes,
        reserved,
        length if file_bytes is None else file_bytes,
    )
    content = prelude + stored + sections
    if checksum is None:
        checksum = hashlib.sha256(content).digest()
    return content + checksum


def with_entry(section: bytes = MASK, **fields) -> bytes:
    return build(
        raw_header=header(entries=(entry(**fields),)), sections=section
    )


def with_header(**fields) -> bytes:
    return build(raw_header=header(**fields))


def test_the_hand_made_file_is_good_before_it_is_broken():
    patch = from_bytes(build())

    (edit,) = patch.edits
    assert edit.target == "fpn/k"
    assert edit.mask.tolist() == [
        [True, False, True],
        [False, True, False],
        [True, False, True],
    ]


@pytest.mark.parametrize("size", [0, 1, 63])
def test_length_below_the_smallest(size):
    refused(build()[:size], errors.LengthError, "at least 64 bytes")


def test_magic():
    refused(build(magic=b"\x89ODP\n\x1a\n\n"), errors.MagicError, "begins with")


@pytest.mark.parametrize("version", [0, 5, 2**32 - 1])
def test_version(version):
    refused(
        build(version=version),
        errors.VersionError,
        f"version {version}; install",
    )


def test_reserved():
    refused(build(reserved=1), errors.ReservedError, "Bytes 20 to 23 .* be 0")


@pytest.mark.parametrize("difference", [-1, 1, 2**40])
def test_stated_length(difference):
    file_bytes = len(build()) + difference
    refused(
        build(file_bytes=file_bytes),
        errors.LengthError,
        f"says that it has {file_bytes} bytes",
    )


def test_trailing_bytes():
    refused(build() + b"\0", errors.LengthError, "says that it has")


@pytest.mark.parametrize("field", ["stored_bytes", "raw_bytes"])
def test_header_limit(field):
    refused(
        build(**{field: 2**22 + 1}),
        errors.LimitError,
        "header may have 4194304 bytes",
    )


@pytest.mark.parametrize("beyond", [1, 33, 2**20])
def test_header_beyond_the_file(beyond):
    stored = len(zlib.compress(header())) + len(MASK) + beyond
    refused(
        build(stored_bytes=stored),
        errors.HeaderBoundsError,
        "must end before the checksum",
    )


def test_header_size_that_no_stream_reaches():
    stored = len(zlib.compress(header()))
    refused(
        build(raw_bytes=1032 * stored + 1),
        errors.LimitError,
        "cannot inflate .* more than 1032 times",
    )


@pytest.mark.parametrize("difference", [-1, 1])
def test_header_of_another_size_than_stated(difference):
    refused(
        build(raw_bytes=len(header()) + difference),
        errors.CompressionError,
        "The header must inflate to",
    )


@pytest.mark.parametrize(
    "stored",
    [
        b"not a zlib stream",
        zlib.compress(header())[:-1] + b"\0",
        zlib.compress(header())[:-1],
        zlib.compress(header()) + b"\0",
    ],
    ids=["no stream", "wrong Adler-32", "cut short", "followed"],
)
def test_header_stream_broken(stored):
    refused(
        build(stored_header=stored), errors.CompressionError, "^The header must"
    )


def test_header_bomb_is_stopped_at_its_stated_size():
    bomb = zlib.compress(bytes(2**27))
    data = build(stored_header=bomb, raw_bytes=1000)
    tracemalloc.start()
    try:
        refused(data, errors.CompressionError, "must inflate to 1000 bytes")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_section_bomb_is_stopped_at_its_stated_size():
    bomb = zlib.compress(bytes(2**27))
    data = with_entry(bomb, codec=1, stored=len(bomb), shape=(8000,))
    tracemalloc.start()
    try:
        refused(data, errors.CompressionError, "must inflate to 1000 bytes")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_header_ends_within_a_field():
    whole = header()
    for size in range(len(whole)):
        with pytest.raises(PatchFileError):
            from_bytes(build(raw_header=whole[:size]))
    refused(
        build(raw_header=whole[:-1]),
        errors.DirectoryError,
        "ends within a field of 2",
    )


def test_header_goes_on_behind_its_metadata():
    refused(with_header(end=b"\0"), errors.DirectoryError, "1 bytes behind it")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"edit_count": 2**16 + 1}, "hold 65536 edits"),
        ({"label_count": 2**32 - 1}, "hold 65536 labels"),
        ({"metadata_bytes": 2**18 + 1}, "hold 262144 bytes of metadata"),
        ({"method": "x" * 1025}, "hold 1024 bytes of `method`"),
    ],
)
def test_limits_of_counts(fields, message):
    refused(with_header(**fields), errors.LimitError, message)


def test_counts_that_the_header_does_not_hold():
    refused(
        with_header(labels=(), metadata=b"", label_count=2**16),
        errors.DirectoryError,
        "ends within a field",
    )


@pytest.mark.parametrize("kind", [0, 6, 255])
def test_unknown_edit(kind):
    refused(
        with_entry(kind=kind), errors.UnknownEditError, f"{kind} for 'fpn/k'"
    )


@pytest.mark.parametrize(
    ("kind", "value_type"), [(4, 1), (2, 2), (1, 0), (5, 0), (1, 3), (5, 255)]
)
def test_unknown_value_type(kind, value_type):
    refused(
        with_entry(kind=kind, value_type=value_type),
        errors.UnknownValueTypeError,
        f"value type of edit kind {kind} .* Received: {value_type}",
    )


def test_unknown_codec():
    refused(with_entry(codec=2), errors.UnknownCodecError, "Received: 2 for")


@pytest.mark.parametrize(
    "shape",
    [
        (0,),
        (3, 0, 3),
        (2**26 + 1,),
        (2**13, 2**13, 2),
        # Products that come out as 9 in 32 or 64 bits that overflow.
        (2**16, 2**16, 2**16, 2**16, 9),
        (2**32 - 1, 2**32 - 9),
    ],
)
def test_dimensions(shape):
    refused(
        with_entry(shape=shape), errors.ShapeError, "product at most 67108864"
    )


def test_rank():
    refused(
        with_entry(shape=(1,) * 9), errors.ShapeError, "may have 8 dimensions"
    )


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4), (2, 2, 1)])
def test_shape_of_a_batch_norm(shape):
    refused(
        with_entry(kind=5, value_type=1, shape=shape),
        errors.ShapeError,
        r"must be \(2, channels\)",
    )


def test_elements_of_all_edits_together():
    # Each claims 4 MiB of bits, which 8 KiB of zlib could hold.
    entries = tuple(
        entry(codec=1, shape=(2**25,), stored=2**13, target=f"fpn/{i}")
        for i in range(3)
    )
    refused(
        with_header(entries=entries), errors.LimitError, "67108864 elements"
    )


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({"stored": 1}, 2),
        ({"stored": 3}, 2),
        ({"shape": (17,)}, 3),
        ({"shape": (2**26,)}, 2**23),
        ({"kind": 1, "value_type": 1, "shape": (1,)}, 4),
        ({"kind": 1, "value_type": 2, "shape": (2,)}, 4),
        ({"kind": 5, "value_type": 1, "shape": (2, 3)}, 24),
    ],
)
def test_section_size(fields, needed):
    refused(
        with_entry(**fields), errors.SectionSizeError, f"have {needed} bytes"
    )


def test_compressed_section_size_that_no_stream_reaches():
    refused(
        with_entry(codec=1, shape=(8 * 2 * 1032 + 1,)),
        errors.LimitError,
        "cannot inflate 2 bytes",
    )


@pytest.mark.parametrize(
    "section",
    [b"xx", zlib.compress(MASK)[:-1], zlib.compress(MASK + b"\0")]
    + [zlib.compress(MASK) + b"\0", zlib.compress(b"\xaa")],
    ids=["no stream", "cut", "longer", "followed", "shorter"],
)
def test_compressed_section_broken(section):
    refused(
        with_entry(section, codec=1, stored=len(section)),
        errors.CompressionError,
        "The section of 'fpn/k' must",
    )


@pytest.mark.parametrize("section", [b"", b"\xaa", b"\xaa\x80\0"])
def test_sections_leave_a_hole_or_overrun(section):
    refused(
        build(sections=section),
        errors.SectionBoundsError,
        f"checksum, {len(section)} bytes. Received: sections of 2",
    )


@pytest.mark.parametrize("last", [0x81, 0xC0, 0x01])
def test_padding(last):
    refused(
        build(sections=bytes([0xAA, last])),
        errors.PaddingError,
        "7 unused bits",
    )


@pytest.mark.parametrize("target", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"])
def test_target_not_utf8(target):
    refused(with_entry(target=target), errors.TextError, "must be UTF-8")


@pytest.mark.parametrize("code", [0, 10, 27, 31, 127, 0x80, 0x9F])
def test_control_characters(code):
    data = with_entry(target=f"fpn/{chr(code)}")
    refused(data, errors.TextError, "must not hold control characters")


def test_control_characters_in_method_and_labels():
    refused(with_header(method="\x1b[2J"), errors.TextError, "`method`")
    for field in ("name", "display_name"):
        refused(
            with_header(labels=(label(**{field: "\x1b[2J"}),)),
            errors.TextError,
            f"label_map.{field}",
        )


def test_invisible_characters_are_found_before_sizes():
    entries = (entry(target="fpn/\u200b", shape=(0,)),)
    for fields in ({"entries": entries}, {"method": "\ufeff", "end": b"x"}):
        refused(
            build(raw_header=header(**fields)),
            errors.TextError,
            "must not hold invisible characters",
        )


def test_empty_target():
    refused(with_entry(target=""), errors.TextError, "must name its target")


def test_duplicate_target():
    refused(
        build(raw_header=header(entries=(entry(),) * 2), sections=2 * MASK),
        errors.DuplicateTargetError,
        "'fpn/k' twice",
    )


def test_two_edits_of_one_batch_norm_tensor():
    entries = (
        entry(kind=5, value_type=1, shape=(2, 1), stored=8, target="fpn/bn"),
        entry(kind=1, value_type=1, shape=(1,), stored=4, target="fpn/bn/beta"),
    )
    refused(
        build(raw_header=header(entries=entries), sections=bytes(12)),
        errors.DuplicateTargetError,
        "'fpn/bn/beta' twice",
    )


@pytest.mark.parametrize("id_", [0, 2**31, 2**32 - 1])
def test_label_id(id_):
    refused(
        with_header(labels=(label(id_),)),
        errors.LabelMapError,
        f"between 1 .* Received: {id_}",
    )


def test_duplicate_label_id():
    refused(
        with_header(labels=(label(3, "a"), label(3, "b"))),
        errors.LabelMapError,
        "Received: 3 twice",
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("kind", "count"), [(2, 1), (3, 3)], ids=["add_signed", "affine_mask"]
)
def test_single_numbers_not_finite(number, kind, count):
    for position in range(count):
        numbers = [1.0] * count
        numbers[position] = number
        section = struct.pack(f"<{count}f", *numbers) + MASK
        refused(
            with_entry(section, kind=kind),
            errors.NotFiniteError,
            "Scalars of a patch must be finite",
        )


@pytest.mark.parametrize("scale", [0.0, -0.0, -0.5])
def test_stored_scale(scale):
    refused(
        with_entry(struct.pack("<f", scale) + MASK, kind=2),
        errors.ScaleError,
        "stored as a number above 0",
    )


@pytest.mark.parametrize(("value_type", "form"), [(1, "f"), (2, "e")])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [1, 5])
def test_values_not_finite(value_type, form, number, kind):
    section = struct.pack(f"<4{form}", 1, 2, number, 3)
    refused(
        with_entry(
            section,
            kind=kind,
            value_type=value_type,
            shape=(2, 2),
            stored=len(section),
        ),
        errors.NotFiniteError,
        "NaN or Inf in the values of 'fpn/k'",
    )


def test_metadata_duplicate_key():
    refused(
        with_header(metadata=b'{"a":{"b":1,"b":1}}'),
        errors.DuplicateKeyError,
        "'b' twice",
    )


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (b"", "must be JSON"),
        (b"{", "must be JSON"),
        (b"{} {}", "must be JSON"),
        (b"[]", "JSON object. Received: list"),
        (b'{"a":NaN}', "finite"),
        (b'{"a":-Infinity}', "finite"),
        (b'{"a":1e999}', "finite"),
        (b'{"a":18446744073709551616}', "64 bits"),
        (b'{"a":-9223372036854775809}', "64 bits"),
        (b'{"a":' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\\ud800"}', "UTF-8"),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "32 levels"),
        (b'{"a":' * 50_000, "32 levels"),
    ],
)
def test_metadata(metadata, message):
    refused(with_header(metadata=metadata), errors.MetadataError, message)


def test_checksum():
    refused(build(checksum=bytes(32)), errors.ChecksumError, "damaged")
    good = build()
    flipped = bytearray(good)
    flipped[-33] ^= 0x80
    flipped[-34] ^= 0x01
    refused(bytes(flipped), errors.ChecksumError, "Received: [0-9a-f]{64}")


def rich_file() -> bytes:
    """All kinds of edits, a compressed section, two labels."""
    packed = zlib.compress(bytes(40))
    entries = (
        entry(kind=2, target="backbone/a"),
        entry(kind=3, target="backbone/b"),
        entry(kind=5, value_type=1, shape=(2, 1), stored=8, target="fpn/bn"),
        entry(kind=1, value_type=2, shape=(2,), stored=4, target="tower/c"),
        entry(codec=1, shape=(320,), stored=len(packed), target="tower/d"),
    )
    sections = [
        struct.pack("<f", 0.5) + MASK,
        struct.pack("<3f", 1, 2, 3) + MASK,
        struct.pack("<2f", 4, 5),
        struct.pack("<2e", 6, 7),
        packed,
    ]
    raw = header(
        entries=entries,
        labels=(label(1), label(2, "dog", "Dog")),
        metadata=b'{"a":[1,{"b":null}]}',
    )
    return build(raw_header=raw, sections=b"".join(sections))


def test_every_truncation_is_refused():
    data = rich_file()
    assert len(from_bytes(data).edits) == 5
    for size in range(len(data)):
        with pytest.raises(PatchFileError):
            from_bytes(data[:size])
        # The same with a length and a checksum that fit.
        if size >= 32:
            cut = bytearray(data[:size])
            cut[24:32] = struct.pack("<Q", size + 32)
            sealed = bytes(cut) + hashlib.sha256(cut).digest()
            if sealed != data:
                with pytest.raises(PatchFileError):
                    from_bytes(sealed)


def mutated(data: bytes, generator: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(generator.randint(1, 3)):
        at = generator.randrange(len(changed))
        how = generator.randrange(4)
        if how == 0:
            changed[at] ^= 1 << generator.randrange(8)
        elif how == 1:
            changed[at] = generator.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif how == 2:
            del changed[at : at + generator.randint(1, 8)]
        else:
            changed[at:at] = generator.randbytes(generator.randint(1, 8))
    return bytes(changed)


def test_2000_mutations_are_refused_or_equal():
    generator = random.Random(2)
    good = rich_file()
    patch = from_bytes(good)
    refusals = 0
    for _ in range(2000):
        try:
            assert from_bytes(mutated(good, generator)) == patch
        except PatchFileError:
            refusals += 1
    assert refusals > 1900


def test_2000_mutations_under_a_fitting_checksum_end_well():
    """The parser alone, as a hostile writer meets it: no other exception."""
    generator = random.Random(3)
    good = rich_file()
    stored = struct.unpack_from("<I", good, 12)[0]
    raw = zlib.decompress(good[32 : 32 + stored])
    sections = good[32 + stored : -32]
    seen = set()
    for _ in range(2000):
        if generator.random() < 0.8:
            data = build(raw_header=mutated(raw, generator), sections=sections)
        else:
            changed = mutated(sections, generator)
            data = build(raw_header=raw, sections=changed)
        try:
            from_bytes(data)
            seen.add(None)
        except PatchFileError as error:
            seen.add(type(error))
    # The mutations reach deep: most rules are broken at least once.
    assert len(seen) > 10


_LONG = "fpn/" + "x" * 1000
_BROKEN_FILES = {
    "kind": with_entry(kind=9, target=_LONG),
    "value type": with_entry(value_type=9, target=_LONG),
    "codec": with_entry(codec=9, target=_LONG),
    "rank": with_entry(shape=(1,) * 255, target=_LONG),
    "shape": with_entry(shape=(2**32 - 1,) * 8, target=_LONG),
    "norm": with_entry(
        kind=5, value_type=1, shape=(2**32 - 1,) * 8, target=_LONG
    ),
    "size": with_entry(stored=5, target=_LONG),
    "inflation": with_entry(codec=1, shape=(2**26,), target=_LONG),
    "stream": with_entry(codec=1, target=_LONG),
    "padding": with_entry(b"\xaa\x81", target=_LONG),
    "single": with_entry(
        struct.pack("<3f", 1e30, -1e-30, np.nan) + b"\xaa\x80",
        kind=3,
        target=_LONG,
    ),
    "scale": with_entry(bytes(4) + b"\xaa\x80", kind=2, target=_LONG),
    "values": with_entry(
        struct.pack("<f", np.inf),
        kind=1,
        value_type=1,
        shape=(1,),
        stored=4,
        target=_LONG,
    ),
    "control": with_entry(target=_LONG + "\0"),
    "invisible": with_entry(target=_LONG + "\u200b"),
    "UTF-8": with_entry(target=b"fpn/" + b"x" * 999 + b"\xff"),
    "twice": build(
        raw_header=header(entries=(entry(target=_LONG),) * 2),
        sections=2 * b"\xaa\x80",
    ),
    "label": with_header(labels=(label(name=_LONG + "\n"),)),
    "key": with_header(
        metadata=b'{"%b":1,"%b":2}' % (2 * (_LONG.encode() * 100,))
    ),
    "integer": with_header(metadata=b'{"a":' + b"9" * 10**5 + b"}"),
    "float": with_header(metadata=b'{"a":' + b"9" * 10**5 + b"e99999}"),
    "no JSON": with_header(metadata=b"x" * 10**5),
}


@pytest.mark.parametrize("data", _BROKEN_FILES.values(), ids=_BROKEN_FILES)
def test_broken_file_with_long_texts(data):
    with pytest.raises(errors.PatchFileError, match="Received") as caught:
        from_bytes(data)
    message = str(caught.value)
    assert "x" * 81 not in message
    assert "9" * 81 not in message
    assert len(message) < 450


def zeros(size: int) -> bytes:
    """A zlib stream of that many zeros, made in little memory."""
    stream = zlib.compressobj(9)
    block = bytes(2**20)
    parts = [stream.compress(block) for _ in range(size // len(block))]
    return b"".join([*parts, stream.flush()])


def peak_of(data: bytes, edits: int = 1) -> float:
    """MiB that reading takes at the most; numpy's arrays are among them."""
    tracemalloc.start()
    try:
        assert len(from_bytes(data).edits) == edits
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "value_type", "size", "tensors", "widened"),
    [(4, 0, 2**23, 64, 8), (1, 1, 2**28, 256, 0), (1, 2, 2**27, 256, 128)],
    ids=["mask", "float32", "float16"],
)
def test_memory_of_the_largest_tensor(kind, value_type, size, tensors, widened):
    section = zeros(size)
    data = with_entry(
        section,
        kind=kind,
        value_type=value_type,
        codec=1,
        stored=len(section),
        shape=(2**26,),
    )

    assert len(data) < 300_000
    assert tensors < peak_of(data) < tensors + widened + 1


def test_memory_of_many_tensors():
    section = zeros(2**26)
    entries = tuple(
        entry(1, 1, 1, (2**24,), len(section), f"fpn/{i}") for i in range(4)
    )
    data = build(raw_header=header(entries=entries), sections=4 * section)

    assert 256 < peak_of(data, edits=4) < 257


def test_memory_of_stored_values_is_theirs_alone():
    values = bytes(2**24)
    data = with_entry(
        values, kind=1, value_type=1, shape=(2**22,), stored=len(values)
    )

    assert 16 < peak_of(data) < 17


def test_memory_of_values_beyond_the_limit_is_never_taken():
    # A gigabyte of float32 in a megabyte, and bits that become as many bools.
    for kind, value_type, stored in ((1, 1, 1_043_600), (4, 0, 32_600)):
        data = with_entry(
            bytes(stored),
            kind=kind,
            value_type=value_type,
            codec=1,
            stored=stored,
            shape=(2**28,),
        )
        tracemalloc.start()
        try:
            refused(data, errors.ShapeError, "product at most 67108864")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2**20


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"a":[' + b"[]," * 87_000 + b"0]}",
        b'{"a":[' + b"{}," * 87_000 + b"0]}",
        b'{"a":[' + b'{"":{}},' * 32_000 + b"0]}",
        b"{" + b",".join(b'"%x":0' % i for i in range(26_000)) + b"}",
    ],
    ids=["lists", "objects", "both", "keys"],
)
def test_memory_of_metadata(metadata):
    assert len(metadata) > 2**18 - 40_000
    assert peak_of(with_header(metadata=metadata)) < 16


@pytest.mark.slow
def test_memory_of_a_full_header():
    """As many edits and labels as may be, texts that grow, and metadata."""
    entries = [entry(1, 1, 0, (1,), 4, f"{i:x}") for i in range(2**16)]
    labels = [label(i, f"{i:x}", "") for i in range(1, 2**16 + 1)]
    metadata = b'{"a":[' + b'{"":{}},' * 32_000 + b"0]}"
    room = 2**22 - len(header(entries, labels, metadata))
    # Python keeps such a text at four bytes a character.
    name = "\U0001f43e" + "x" * 1020
    for at in range(room // 1024 - 1):
        labels[at] = label(at + 1, name, "")
    raw = header(entries, labels, metadata)
    assert 2**22 - 2**13 < len(raw) <= 2**22
    data = build(raw_header=raw, sections=bytes(2**18))

    assert peak_of(data, edits=2**16) < 96


def test_stored_bytes_that_inflate_to_nothing():
    """A deflate stream may go on for long without any output."""
    empty_blocks = b"\0\0\0\xff\xff" * 200_000
    section = zlib.compress(MASK)[:2] + empty_blocks
    refused(
        with_entry(section, codec=1, stored=len(section)),
        errors.CompressionError,
        "shorter, longer",
    )
    section += zlib.compress(MASK)[2:]

    assert peak_of(with_entry(section, codec=1, stored=len(section))) < 1


@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**16 + 1, 3 * 2**16 + 7])
def test_streams_around_the_size_of_a_piece(size):
    content = random.Random(size).randbytes(size - 9) + bytes(9)
    for level in (0, 9):
        section = zlib.compress(content, level)
        fields = {"codec": 1, "stored": len(section)}
        (edit,) = from_bytes(
            with_entry(section, shape=(8 * size,), **fields)
        ).edits

        assert np.packbits(edit.mask).tobytes() == content
        for wrong in (size - 1, size + 1):
            refused(
                with_entry(section, shape=(8 * wrong,), **fields),
                errors.CompressionError,
                f"must inflate to {wrong} bytes",
            )
        for broken in (section[:-1], section + b"\0", section + bytes(10**5)):
            refused(
                with_entry(
                    broken, codec=1, stored=len(broken), shape=(8 * size,)
                ),
                errors.CompressionError,
                "and end there",
            )

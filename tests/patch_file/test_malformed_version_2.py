"""What version 2 added to FORMAT.md, broken by bytes written by hand."""

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
    Release,
    errors,
    from_bytes,
)
from tests.patch_file.by_hand import refused, u32

BASE = bytes(range(32))
RESULT = bytes(range(64, 96))
# lo 1 and -1, step 0.5 and 2, codes 0 1 2 3 and 3 2 1 0.
NUMBERS = struct.pack("<4f", 1, -1, 0.5, 2)
CODES = bytes([0b00011011, 0b11100100])
SECTION = NUMBERS + CODES


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<H", len(encoded)) + encoded


def grid_entry(
    kind=1,
    value_type=3,
    codec=0,
    shape=(2, 4),
    bits=2,
    inner=4,
    groups=2,
    stored=18,
    target="fpn/k",
) -> bytes:
    return b"".join(
        [
            bytes([kind, value_type, codec, len(shape)]),
            u32(*shape),
            struct.pack("<BII", bits, inner, groups),
            u32(stored),
            text(target),
        ]
    )


def float_entry(
    kind=1, value_type=1, codec=0, shape=(2,), stored=8, target="fpn/f"
) -> bytes:
    numbers = bytes([kind, value_type, codec, len(shape)])
    return numbers + u32(*shape) + u32(stored) + text(target)


def release(base=BASE, result=RESULT, activations=(), count=None) -> bytes:
    count = len(activations) if count is None else count
    pairs = [struct.pack("<fi", *pair) for pair in activations]
    return b"".join([base, result, u32(count), *pairs])


def header(
    entries=(),
    releases=(),
    release_count=None,
    model_metadata=b"",
    model_metadata_bytes=None,
    metadata=b"{}",
    end=b"",
) -> bytes:
    def given(count, default):
        return u32(default if count is None else count)

    return b"".join(
        [
            bytes(32),
            text("SMALL"),
            u32(len(entries)),
            *entries,
            u32(0),
            u32(len(metadata)),
            metadata,
            given(release_count, len(releases)),
            *releases,
            given(model_metadata_bytes, len(model_metadata)),
            model_metadata,
            end,
        ]
    )


def build(
    raw_header: bytes,
    sections: bytes = b"",
    *,
    version=2,
    flags=0,
    signature=b"",
    stored_bytes=None,
) -> bytes:
    stored = zlib.compress(raw_header)
    content = stored + sections + signature
    prelude = b"\x89ODP\r\n\x1a\n" + struct.pack(
        "<IIIIQ",
        version,
        len(stored) if stored_bytes is None else stored_bytes,
        len(raw_header),
        flags,
        32 + len(content) + 32,
    )
    content = prelude + content
    return content + hashlib.sha256(content).digest()


def with_grid(section: bytes = SECTION, **fields) -> bytes:
    fields = {"stored": len(section)} | fields
    return build(header((grid_entry(**fields),)), section)


def with_floats(section: bytes, **fields) -> bytes:
    fields = {"stored": len(section)} | fields
    return build(header((float_entry(**fields),)), section)


def with_header(**fields) -> bytes:
    return build(header(**fields))


def test_a_file_that_uses_nothing_new_is_read():
    assert from_bytes(with_header()).edits == ()


def test_the_hand_made_grid_is_good_before_it_is_broken():
    (edit,) = from_bytes(with_grid()).edits

    assert edit.target == "fpn/k"
    assert edit.values.dtype == np.float32
    assert edit.values.tolist() == [[1, 1.5, 2, 2.5], [5, 3, 1, -1]]


def test_groups_of_a_grid():
    # inner 1 and 2 groups: numbers take turns. inner 2: in pairs.
    expected = {
        1: [[1, 1, 2, 5], [2.5, 3, 1.5, -1]],
        2: [[1, 1.5, 3, 5], [2.5, 2, 1, -1]],
    }
    for inner, values in expected.items():
        (edit,) = from_bytes(with_grid(inner=inner)).edits
        assert edit.values.tolist() == values


def test_grid_of_a_batch_norm():
    (edit,) = from_bytes(with_grid(kind=5, target="fpn/bn")).edits

    assert edit.scale.tolist() == [1, 1.5, 2, 2.5]
    assert edit.offset.tolist() == [5, 3, 1, -1]


def test_grid_of_one_number():
    section = struct.pack("<2f", -3, 0.5) + b"\x80"
    fields = {"shape": (), "bits": 8, "inner": 1, "groups": 1}
    (edit,) = from_bytes(with_grid(section, **fields)).edits

    assert edit.values.shape == ()
    assert edit.values == 61


@pytest.mark.parametrize("codec", [0, 1])
def test_codes_of_three_bits_cross_bytes(codec):
    codes = [7, 0, 5, 1, 2]
    bits = "".join(f"{code:03b}" for code in codes) + "0"
    section = struct.pack("<2f", 0, 1) + int(bits, 2).to_bytes(2, "big")
    stored = zlib.compress(section) if codec else section
    fields = {"shape": (5,), "bits": 3, "inner": 5, "groups": 1}
    (edit,) = from_bytes(with_grid(stored, codec=codec, **fields)).edits

    assert edit.values.tolist() == codes


def test_product_and_sum_are_rounded_apart():
    # 3 * 0.1 in float32 is 0.3 + 1.2e-8 x 2^-1...; fused it would differ.
    lo, step = np.float32(-0.3), np.float32(0.1)
    apart = np.float32(step * np.float32(3)) + lo
    fused = np.float32(float(step) * 3 + float(lo))
    assert apart != fused
    section = struct.pack("<2f", lo, step) + b"\xc0"
    fields = {"shape": (1,), "inner": 1, "groups": 1}
    (edit,) = from_bytes(with_grid(section, **fields)).edits

    assert edit.values.tolist() == [apart]


@pytest.mark.parametrize("bits", [0, 1, 9, 255])
def test_bits_of_a_grid(bits):
    refused(with_grid(bits=bits), errors.GridError, f"2 to 8 bits.* {bits} for")


@pytest.mark.parametrize(
    ("inner", "groups"),
    [(0, 2), (3, 1), (1, 3), (8, 2), (2**32 - 1, 1), (2**31, 2)],
)
def test_grid_that_does_not_divide_its_tensor(inner, groups):
    refused(
        with_grid(inner=inner, groups=groups),
        errors.GridError,
        f"must divide its tensor's 8 numbers. Received: {inner} times",
    )


@pytest.mark.parametrize("groups", [0, 2**16 + 1, 2**32 - 1])
def test_groups_of_a_grid_beyond_the_limit(groups):
    refused(
        with_grid(inner=1, groups=groups),
        errors.GridError,
        f"1 to 65536 groups. Received: {groups}",
    )


@pytest.mark.parametrize("kind", [2, 3, 4])
def test_grid_of_a_mask(kind):
    refused(
        with_grid(kind=kind), errors.UnknownValueTypeError, "Received: 3 for"
    )


def test_shape_is_checked_before_the_grid():
    refused(with_grid(shape=(0,), bits=99), errors.ShapeError, "at least 1")


@pytest.mark.parametrize("size", [17, 19])
def test_size_of_a_grid(size):
    refused(
        with_grid(SECTION.ljust(19, b"\0")[:size]),
        errors.SectionSizeError,
        f"must have 18 bytes. Received: {size}",
    )


def test_size_of_a_grid_that_no_stream_reaches():
    refused(
        with_grid(b"x" * 8, codec=1, shape=(2**17,), inner=1, groups=1),
        errors.LimitError,
        "stated size of 32776",
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("position", range(4))
def test_numbers_of_a_grid_not_finite(number, position):
    numbers = [1.0, -1.0, 0.5, 2.0]
    numbers[position] = number
    refused(
        with_grid(struct.pack("<4f", *numbers) + CODES),
        errors.NotFiniteError,
        "numbers of a grid must be finite",
    )


@pytest.mark.parametrize("step", [-0.5, -1e-45])
def test_step_below_zero(step):
    refused(
        with_grid(struct.pack("<4f", 1, 1, 1, step) + CODES),
        errors.GridStepError,
        "must be 0 or above. Received: -",
    )


def test_steps_of_zero():
    section = struct.pack("<4f", 1, -1, 0.0, -0.0) + CODES
    (edit,) = from_bytes(with_grid(section)).edits

    assert edit.values.tolist() == [[1.0] * 4, [-1.0] * 4]


@pytest.mark.parametrize(("lo", "step"), [(3e38, 2e38), (-3e38, 1.2e38)])
def test_values_of_a_grid_not_finite(lo, step):
    # The last step alone overflows: as a sum, and already as a product.
    refused(
        with_grid(struct.pack("<4f", lo, 0, step, 0) + CODES),
        errors.NotFiniteError,
        "reaches beyond float32 in the values of 'fpn/k'",
    )


@pytest.mark.parametrize("last", [0b00000001, 0b00100000])
def test_padding_of_a_grid(last):
    section = struct.pack("<2f", 0, 1) + bytes([last])
    refused(
        with_grid(section, shape=(1,), inner=1, groups=1),
        errors.PaddingError,
        "6 unused bits behind a grid's codes",
    )


def test_values_as_byte_planes():
    values = struct.pack("<3f", 1, -2, 0.1)
    planes = values[0::4] + values[1::4] + values[2::4] + values[3::4]
    section = zlib.compress(planes)
    (edit,) = from_bytes(with_floats(section, codec=2, shape=(3,))).edits

    assert edit.values.tolist() == [1, -2, float(np.float32(0.1))]


def test_half_floats_as_byte_planes():
    values = struct.pack("<4e", 1, -2, 3, 4)
    section = zlib.compress(values[0::2] + values[1::2])
    (edit,) = from_bytes(
        with_floats(
            section,
            kind=5,
            value_type=2,
            codec=2,
            shape=(2, 2),
            target="fpn/bn",
        )
    ).edits

    assert (edit.scale.tolist(), edit.offset.tolist()) == ([1, -2], [3, 4])


@pytest.mark.parametrize("level", [0, 9])
@pytest.mark.parametrize("count", [8191, 8192, 8193, 3 * 8192 + 5])
def test_blocks_of_byte_planes(count, level):
    values = np.random.default_rng(count).standard_normal(count)
    raw = values.astype("<f4").tobytes()
    planes = b""
    for at in range(0, len(raw), 4 * 8192):
        block = raw[at : at + 4 * 8192]
        planes += block[0::4] + block[1::4] + block[2::4] + block[3::4]
    section = zlib.compress(planes, level)
    (edit,) = from_bytes(with_floats(section, codec=2, shape=(count,))).edits

    assert edit.values.tobytes() == raw
    for wrong in (count - 1, count + 1):
        refused(
            with_floats(section, codec=2, shape=(wrong,)),
            errors.CompressionError,
            f"must inflate to {4 * wrong} bytes",
        )


@pytest.mark.parametrize("size", [7, 9, 11, 12])
def test_byte_planes_of_another_size(size):
    refused(
        with_floats(zlib.compress(bytes(size)), codec=2),
        errors.CompressionError,
        "must inflate to 8 bytes",
    )


def test_byte_planes_that_no_stream_reaches():
    refused(
        with_floats(b"x" * 8, codec=2, shape=(2065,)),
        errors.LimitError,
        "cannot inflate 8 bytes",
    )


def test_byte_planes_not_finite():
    planes = zlib.compress(bytes.fromhex("0000000000807f7f"))
    refused(
        with_floats(planes, codec=2), errors.NotFiniteError, "values of 'fpn/f'"
    )


def test_byte_planes_of_a_mask_and_of_a_grid():
    mask = float_entry(kind=4, value_type=0, codec=2, stored=1)
    refused(
        build(header((mask,)), b"\0"),
        errors.UnknownCodecError,
        r"value type 0 must be one of \(0, 1\) in version 2. Received: 2",
    )
    refused(
        with_grid(codec=2),
        errors.UnknownCodecError,
        "codec of value type 3 must be",
    )


def test_codec_and_value_type_beyond_version_2():
    refused(with_floats(bytes(8), codec=3), errors.UnknownCodecError, "0, 1, 2")
    refused(
        with_floats(bytes(8), value_type=4),
        errors.UnknownValueTypeError,
        "1, 2, 3.* Received: 4",
    )


def old(entry: bytes, section: bytes) -> bytes:
    """A file of version 1: its header ends with the metadata."""
    return build(header((entry,))[:-8], section, version=1)


def test_version_1_knows_none_of_it():
    good = float_entry()
    assert len(from_bytes(old(good, bytes(8))).edits) == 1
    refused(
        old(float_entry(codec=2), bytes(8)),
        errors.UnknownCodecError,
        "in version 1",
    )
    refused(
        old(float_entry(value_type=3), bytes(8)),
        errors.UnknownValueTypeError,
        r"\(1, 2\). Received: 3",
    )
    with pytest.raises(PatchFileError):
        from_bytes(old(grid_entry(), SECTION))
    refused(
        build(header(), version=1), errors.DirectoryError, "8 bytes behind it"
    )
    refused(
        build(header()[:-8], version=1, flags=1, signature=bytes(96)),
        errors.ReservedError,
        "Bytes 20 to 23 .* version 1 must be 0",
    )


@pytest.mark.parametrize("flags", [2, 3, 2**31, 2**32 - 1])
def test_unknown_flags(flags):
    refused(
        build(header(), flags=flags, signature=bytes(96)),
        errors.ReservedError,
        f"Bits 1 to 31 .* must be 0. Received: {flags:#010x}",
    )


def test_releases():
    activations = ((0.5, -128), (2.0**-149, 127))
    found = from_bytes(
        with_header(
            releases=(release(activations=activations), release(RESULT, BASE)),
            model_metadata=b"\0\xff",
        )
    )

    assert found.releases == (
        Release(BASE.hex(), RESULT.hex(), activations),
        Release(RESULT.hex(), BASE.hex()),
    )
    assert found.model_metadata == b"\0\xff"


def test_a_base_file_that_is_released_for_twice():
    refused(
        with_header(releases=(release(), release(result=BASE))),
        errors.ReleaseError,
        f"one release for each base file. Received: {BASE.hex()} twice",
    )


@pytest.mark.parametrize("scale", [0.0, -0.0, -1.0, float("nan"), float("inf")])
def test_scale_of_an_activation(scale):
    refused(
        with_header(releases=(release(activations=((1, 0), (scale, 0))),)),
        errors.ReleaseError,
        "scale of an activation must be a finite number above 0",
    )


@pytest.mark.parametrize("zero_point", [-129, 128, -(2**31)])
def test_zero_point_of_an_activation(zero_point):
    refused(
        with_header(releases=(release(activations=((1, zero_point),)),)),
        errors.ReleaseError,
        f"between -128 and 127. Received: {zero_point}",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"release_count": 65}, "hold 64 releases"),
        (
            {"releases": (release(count=2**16 + 1),)},
            "hold 65536 activations. Received: 65537",
        ),
        (
            {
                "releases": (
                    release(activations=((1, 0),)),
                    release(RESULT, count=2**16),
                )
            },
            "hold 65536 activations. Received: 65537",
        ),
        (
            {"model_metadata_bytes": 2**16 + 1},
            "hold 65536 bytes of model metadata",
        ),
    ],
)
def test_limits_of_counts(fields, message):
    refused(with_header(**fields), errors.LimitError, message)


@pytest.mark.parametrize(
    "fields",
    [
        {"release_count": 64},
        {"releases": (release(count=2**16),)},
        {"model_metadata_bytes": 2**16},
    ],
)
def test_counts_that_the_header_does_not_hold(fields):
    refused(with_header(**fields), errors.DirectoryError, "ends within a field")


def test_header_goes_on_behind_the_model_metadata():
    refused(with_header(end=b"\0"), errors.DirectoryError, "1 bytes behind it")


def test_header_ends_within_a_field():
    whole = header(
        (grid_entry(),),
        releases=(release(activations=((1, 0),)),),
        model_metadata=b"abc",
    )
    assert from_bytes(build(whole, SECTION)).model_metadata == b"abc"
    for size in range(len(whole)):
        with pytest.raises(PatchFileError):
            from_bytes(build(whole[:size], SECTION))


def test_metadata_is_not_looked_at_where_nobody_wants_it():
    data = with_header(metadata=b"{]", releases=(release(),))
    refused(data, errors.MetadataError, "JSON")
    patch = from_bytes(data, metadata=False)

    assert patch.metadata == {}
    assert len(patch.releases) == 1
    with pytest.raises(errors.LimitError, match="262144 bytes of metadata"):
        from_bytes(with_header(metadata=b"x" * (2**18 + 1)), metadata=False)


@pytest.mark.parametrize("size", [95, 97, 192])
def test_signature_of_another_length(size):
    data = build(
        header((grid_entry(),)), SECTION, flags=1, signature=bytes(size)
    )
    refused(data, errors.SectionBoundsError, "to the signature or checksum")


def test_signature_that_no_flag_announces():
    refused(
        build(header((grid_entry(),)), SECTION, signature=bytes(96)),
        errors.SectionBoundsError,
        "114 bytes. Received: sections of 18",
    )


def test_header_reaches_into_the_signature():
    stored = len(zlib.compress(header()))
    refused(
        build(header(), flags=1, signature=bytes(96), stored_bytes=stored + 1),
        errors.HeaderBoundsError,
        f"at byte {32 + stored}. Received: end at {32 + stored + 1}",
    )


def test_signed_file_without_room_for_a_signature():
    data = build(header(), flags=1)
    smallest = bytearray(data[:32] + bytes(32))
    smallest[12:16] = u32(0)
    smallest[24:32] = struct.pack("<Q", 64)
    for short in (data, bytes(smallest)):
        refused(short, errors.HeaderBoundsError, "must end before")


def test_checksum_covers_the_signature():
    data = bytearray(
        build(header((grid_entry(),)), SECTION, flags=1, signature=bytes(96))
    )
    assert from_bytes(data).edits
    for at in (-33, -97, -128):
        changed = bytearray(data)
        changed[at] ^= 1
        refused(bytes(changed), errors.ChecksumError, "damaged")


def rich_file() -> bytes:
    """All that is new, in one file."""
    planes = zlib.compress(bytes(64))
    packed = zlib.compress(SECTION * 4)
    entries = (
        grid_entry(target="fpn/a"),
        grid_entry(kind=5, target="fpn/bn"),
        grid_entry(
            codec=1, shape=(2, 112), stored=len(packed), target="box_head/b"
        ),
        float_entry(codec=2, shape=(16,), stored=len(planes), target="tower/c"),
        float_entry(value_type=2, stored=4, target="tower/d"),
    )
    raw = header(
        entries,
        releases=(
            release(activations=((0.5, 0), (0.25, 127))),
            release(RESULT),
        ),
        model_metadata=b"flatbuffer",
        metadata=b'{"a":[1,{"b":null}]}',
    )
    sections = SECTION + SECTION + packed + planes + struct.pack("<2e", 6, 7)
    return build(raw, sections, flags=1, signature=bytes(range(96)))


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


def test_2000_mutations_under_a_fitting_checksum_end_well():
    """The parser alone, as a hostile writer meets it: no other exception."""
    generator = random.Random(4)
    good = rich_file()
    stored = struct.unpack_from("<I", good, 12)[0]
    raw = zlib.decompress(good[32 : 32 + stored])
    sections, signature = good[32 + stored : -128], good[-128:-32]
    seen = set()
    for _ in range(2000):
        parts = [raw, sections]
        chosen = generator.random() > 0.7
        parts[chosen] = mutated(parts[chosen], generator)
        data = build(*parts, flags=1, signature=signature)
        try:
            from_bytes(data)
        except PatchFileError as error:
            seen.add(type(error))
    assert len(seen) > 10


def zeros(size: int) -> bytes:
    """A zlib stream of that many zeros, made in little memory."""
    stream = zlib.compressobj(9)
    block = bytes(2**16)
    parts = [stream.compress(block) for _ in range(size // len(block))]
    parts.append(stream.compress(bytes(size % len(block))))
    return b"".join([*parts, stream.flush()])


def peak_of(data: bytes, **options) -> float:
    """MiB that reading takes at the most; numpy's arrays are among them."""
    tracemalloc.start()
    try:
        from_bytes(data, **options)
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("bits", "groups", "beside"), [(8, 1, 16), (7, 1, 30), (2, 2**16, 20.5)]
)
def test_memory_of_the_largest_grid(bits, groups, beside):
    # A quarter of the largest, which would take seconds.
    elements = 2**24
    section = zeros(8 * groups + bits * elements // 8)
    data = with_grid(
        section, codec=1, shape=(elements,), bits=bits, inner=1, groups=groups
    )

    assert 64 + beside < peak_of(data) < 64 + beside + 1 <= 64 * 1.5


@pytest.mark.parametrize(
    ("value_type", "tensors"), [(1, 64), (2, 64 + 32)], ids=["32", "16"]
)
def test_memory_of_byte_planes(value_type, tensors):
    section = zeros(2**24 * 4 // value_type)
    data = with_floats(section, value_type=value_type, codec=2, shape=(2**24,))

    assert tensors < peak_of(data) < tensors + 1


def test_memory_of_activations():
    full = release(activations=((0.1, -100),) * 2**16)
    data = with_header(releases=(full,), model_metadata=bytes(2**16))

    assert peak_of(data) < 16


def test_memory_of_byte_planes_that_inflate_on_and_on():
    section = zeros(2**26)
    data = with_floats(section, codec=2, shape=(2**10,))
    tracemalloc.start()
    try:
        refused(data, errors.CompressionError, "must inflate to 4096 bytes")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.slow
def test_memory_of_a_full_header():
    """As many edits and activations as may be, then metadata that grows."""
    entries = tuple(
        grid_entry(
            shape=(1,), inner=1, groups=1, stored=9, target=f"{number:x}"
        )
        for number in range(2**16)
    )
    releases = tuple(
        release(
            bytes([number] * 32),
            activations=tuple((0.1 + i, -100) for i in range(1024)),
        )
        for number in range(64)
    )
    raw = header(
        entries,
        releases,
        model_metadata=bytes(2**16),
        metadata=b'{"a":[' + b'{"":{}},' * 32_000 + b"0]}",
    )
    assert 2**21 < len(raw) < 2**22
    section = struct.pack("<2f", 0, 1) + b"\xc0"

    # Another 2 MiB of the header could be labels, four times that in memory.
    assert peak_of(build(raw, 2**16 * section)) < 96 - 16

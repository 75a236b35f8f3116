"""Which numbers are stored how, seen in the files that come out."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    COMPACT,
    ENCODINGS,
    EXACT,
    HALF,
    SMALL,
    AddSigned,
    Encoding,
    Numbers,
    Patch,
    Replace,
    ScaleOffset,
    errors,
    from_bytes,
    reader,
    to_bytes,
)
from object_detection_patch.patch_file.encoding import kind_of, uniform
from object_detection_patch.patch_file.grid import Grid

PRINT = "0f" * 32


def _parsed(patch: Patch, encoding: Encoding) -> reader.ParsedFile:
    data = to_bytes(patch, encoding=encoding)
    return reader.parse(io.BytesIO(data), len(data))


def _entry(edit, numbers: Numbers):
    encoding = Encoding("none", numbers, numbers, numbers, numbers)
    return _parsed(Patch("X", PRINT, (edit,)), encoding).entries[0]


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


PATCH = Patch(
    "X",
    PRINT,
    (
        AddSigned("fpn/a/kernel", np.ones((3, 3, 8, 8), bool), 0.3),
        ScaleOffset("fpn/bn", *_random(2, 40)),
        Replace("fpn/b/kernel", _random(1, 1, 20, 8)),
        Replace("fpn/b/bias", _random(40)),
        ScaleOffset("box_head/bn", *_random(2, 40)),
        Replace("box_head/b/kernel", _random(3, 3, 20, 8)),
        Replace("class_head/c/bias", _random(600)),
        Replace("class_head/d/depthwise_kernel", _random(3, 3, 40, 1)),
    ),
)


def test_each_kind_has_its_own():
    found = _parsed(
        PATCH,
        Encoding(
            masks="zlib",
            batch_norm=Numbers("float16"),
            kernels=Numbers("grid", bits=3),
            box_head=Numbers("grid", bits=5),
            class_head=Numbers("float32", "planes"),
        ),
    )

    assert [
        (entry.value_type, entry.codec, entry.grid and entry.grid.bits)
        for entry in found.entries
    ] == [
        (0, 1, None),
        (2, 0, None),
        (3, 0, 3),
        (3, 0, 3),
        (3, 0, 5),
        (3, 0, 5),
        (1, 2, None),
        (1, 2, None),
    ]


@pytest.mark.parametrize(
    ("target", "batch_norm", "kind"),
    [
        ("backbone/bn", True, "batch_norm"),
        ("backbone/k", False, "kernels"),
        ("box_head/bn", True, "box_head"),
        ("class_head/k", False, "class_head"),
        ("class_heads/k", False, "kernels"),
    ],
)
def test_kinds(target, batch_norm, kind):
    assert kind_of(target, batch_norm=batch_norm) == kind


def test_exact_is_what_a_writer_does_by_itself():
    assert to_bytes(PATCH, encoding=EXACT) == to_bytes(PATCH)
    assert from_bytes(to_bytes(PATCH, encoding=EXACT)) == PATCH


def test_half():
    found = _parsed(PATCH, HALF)
    compressed = {entry.codec for entry in found.entries[1:]}

    assert found.entries[0].codec == 1
    assert {entry.value_type for entry in found.entries[1:]} == {2}
    assert 2 in compressed and compressed <= {0, 2}
    for edit, original in zip(
        found.patch.edits[2:4], PATCH.edits[2:4], strict=True
    ):
        assert np.array_equal(edit.values, original.values.astype(np.float16))


def test_small_is_the_smallest():
    sizes = [len(to_bytes(PATCH, encoding=e)) for e in (SMALL, HALF, EXACT)]

    assert sizes == sorted(sizes)
    found = _parsed(PATCH, SMALL)
    grids = 0
    for edit, original, error in zip(
        found.patch.edits, PATCH.edits, found.max_errors, strict=True
    ):
        if isinstance(edit, ScaleOffset) and error is not None:
            difference = np.abs(edit.scale - original.scale).max()
            assert 0 < difference < error + 1e-6
            grids += 1
    assert grids


def _without_compression(encoding: Encoding) -> Encoding:
    numbers = {
        kind: dataclasses.replace(getattr(encoding, kind), compression="none")
        for kind in ("batch_norm", "kernels", "box_head", "class_head")
    }
    return Encoding("none", **numbers)


def test_bytes_of_compact_counted_by_hand():
    found = _parsed(PATCH, _without_compression(COMPACT))

    assert [entry.section_bytes for entry in found.entries] == [
        # A float32 and 576 bits.
        4 + 72,
        # lo and step of scale and of offset, 80 codes of 6 bits.
        8 + 60,
        # Outside of the heads: 160 and 40 numbers of 2 bytes.
        320,
        80,
        # In the heads 6 bits too: of a BatchNorm as above, of a kernel with
        # lo and step of each of 8 outputs, of a bias with one of each; of a
        # depthwise kernel with one of each as well, and 8 bits.
        8 + 60,
        32 + 1080,
        4 + 450,
        4 + 360,
    ]


def test_names_are_in_order_of_bytes():
    sizes = [len(to_bytes(PATCH, encoding=e)) for e in ENCODINGS.values()]

    assert list(ENCODINGS) == ["exact", "half", "small", "compact"]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


def _numbers(edit) -> np.ndarray:
    if isinstance(edit, ScaleOffset):
        return np.stack([edit.scale, edit.offset])
    return edit.values


def _groups(edit) -> np.ndarray:
    """The numbers of each group: scale and offset, or output channels."""
    if isinstance(edit, ScaleOffset) or _numbers(edit).ndim == 1:
        return np.atleast_2d(_numbers(edit))
    if edit.target.endswith("depthwise_kernel"):
        return _numbers(edit).reshape(1, -1)
    return _numbers(edit).reshape(-1, edit.values.shape[-1]).T


def test_compact_rounds_no_further_than_it_says():
    found = _parsed(PATCH, COMPACT)
    bits = {
        "fpn/bn": 6,
        "box_head/bn": 6,
        "box_head/b/kernel": 6,
        "class_head/c/bias": 6,
        "class_head/d/depthwise_kernel": 8,
    }

    bounded = {}
    for edit, original, bound in zip(
        found.patch.edits, PATCH.edits, found.max_errors, strict=True
    ):
        if bound is not None:
            bounded[edit.target] = bound
            error = np.abs(_numbers(edit) - _numbers(original)).max()
            assert 0 < error < bound + 1e-6
    assert set(bounded) == set(bits)
    for edit in PATCH.edits:
        if edit.target in bits:
            spans = [float(np.ptp(group)) for group in _groups(edit)]
            step = max(spans) / (2 ** bits[edit.target] - 1)
            rounded = np.abs(_numbers(edit)).max() / 2048
            # The widest group need not have the greatest number.
            assert bounded[edit.target] <= 1.001 * (step / 2 + rounded)
            assert bounded[edit.target] >= 0.999 * step / 2


def test_compact_written_again_loses_nothing_more():
    once = from_bytes(to_bytes(PATCH, encoding=COMPACT))
    twice = from_bytes(to_bytes(once, encoding=COMPACT))

    for one, other in zip(once.edits[1:], twice.edits[1:], strict=True):
        np.testing.assert_allclose(_numbers(one), _numbers(other), atol=1e-6)


@pytest.mark.parametrize(
    ("target", "shape", "groups"),
    [
        ("fpn/c/kernel", (3, 3, 64, 10), 10),
        ("fpn/c/depthwise_kernel", (9, 9, 5, 2), 10),
        ("fpn/depthwise_kernels", (9, 9, 5, 2), 2),
        ("fpn/dense/kernel", (64, 7), 7),
        ("fpn/c/bias", (64,), 1),
    ],
)
def test_channels(target, shape, groups):
    edit = Replace(target, _random(*shape))

    assert _entry(edit, Numbers("grid")).grid == Grid(8, 1, groups)
    whole = _entry(edit, Numbers("grid", bits=4, grouping="tensor"))
    assert whole.grid == Grid(4, 1, 1)


@pytest.mark.parametrize(("bits", "depthwise"), [(2, 4), (6, 8), (8, 8)])
def test_long_channels(bits, depthwise):
    numbers = Numbers("grid", bits=bits, grouping="long_channel")
    channels = Replace("box_head/c/kernel", _random(3, 3, 64, 10))
    kernel = Replace("box_head/c/depthwise_kernel", _random(3, 3, 64, 1))

    assert _entry(channels, numbers).grid == Grid(bits, 1, 10)
    assert _entry(kernel, numbers).grid == Grid(depthwise, 1, 1)


def test_codes_take_a_byte_each_where_that_is_smaller():
    bell = Replace("fpn/a", _random(4000))
    even = Replace("fpn/b", np.arange(4096) % 32)
    packed, wide = (
        _entry(bell, Numbers("grid", compression, bits=5))
        for compression in ("none", "zlib")
    )

    assert (packed.grid.bits, packed.stored_bytes) == (5, 8 + 2500)
    assert (wide.grid.bits, wide.codec) == (8, 1)
    # What frequencies cost at least, and the most that Huffman's code adds.
    codes = np.unique(_codes(bell, 5), return_counts=True)[1] / 4000
    entropy = -(codes * np.log2(codes)).sum()
    assert entropy * 500 < wide.stored_bytes < (entropy + 0.1) * 500 + 80
    assert _entry(even, Numbers("grid", "zlib", bits=5)).stored_bytes < 200
    encodings = [
        uniform(Numbers("grid", compression, bits=5))
        for compression in ("none", "zlib")
    ]
    one, other = (
        from_bytes(to_bytes(Patch("X", PRINT, (bell,)), encoding=encoding))
        for encoding in encodings
    )
    assert one.edits == other.edits


def _codes(edit: Replace, bits: int) -> np.ndarray:
    values = edit.values
    step = np.ptp(values) / (2**bits - 1)
    return np.rint((values - values.min()) / step)


def test_groups_are_those_of_the_channels():
    values = _random(2, 2, 16, 4)
    edit = Replace("fpn/c/kernel", values)
    encoding = Encoding(kernels=Numbers("grid", bits=6))
    data = to_bytes(Patch("X", PRINT, (edit,)), encoding=encoding)
    (read,) = from_bytes(data).edits

    for channel in range(4):
        mine, its = read.values[..., channel], values[..., channel]
        assert np.isclose(mine.min(), its.min())
        assert np.isclose(mine.max(), its.max())
        assert len(np.unique(mine)) > 16


def test_depthwise_groups_are_those_of_the_channels():
    values = _random(7, 7, 3, 2) + 100 * np.arange(6).reshape(3, 2)
    edit = Replace("fpn/c/depthwise_kernel", values)
    encoding = Encoding(kernels=Numbers("grid"))
    data = to_bytes(Patch("X", PRINT, (edit,)), encoding=encoding)
    (read,) = from_bytes(data).edits

    assert np.abs(read.values - values).max() < 0.02


@pytest.mark.parametrize("grouping", ["tensor", "channel"])
def test_rows_of_a_batch_norm_are_its_groups(grouping):
    edit = ScaleOffset("fpn/bn", np.linspace(0, 1, 256), np.linspace(5, 9, 256))
    entry = _entry(edit, Numbers("grid", grouping=grouping))

    assert entry.grid == Grid(8, inner=256, groups=2)


@pytest.mark.parametrize(
    "edit",
    [
        Replace("a", 1.5),
        Replace("a", [1, 2]),
        Replace("a/kernel", _random(2, 9)),
        ScaleOffset("bn", [1, 2], [3, 4]),
    ],
)
def test_a_grid_that_saves_nothing_is_float32(edit):
    grid = uniform(Numbers("grid", "zlib"))
    data = to_bytes(Patch("X", PRINT, (edit,)), encoding=grid)

    assert from_bytes(data).edits == (edit,)
    assert data[8] == 1


def test_a_tensor_without_numbers_is_refused_as_ever():
    with pytest.raises(errors.ShapeError, match="at least 1"):
        _entry(Replace("a", np.ones((3, 0))), Numbers("grid"))


def test_too_many_channels():
    edit = Replace("a/kernel", np.zeros((5, 2**16 + 1)))
    with pytest.raises(errors.GridError, match="65536 groups. Received: 65537"):
        _entry(edit, Numbers("grid"))


def test_planes_of_a_grid_are_zlib():
    edit = Replace("a", np.zeros(1000))

    assert _entry(edit, Numbers("grid", "planes")).codec == 1
    assert _entry(edit, Numbers("grid", "none")).codec == 0


def test_what_does_not_shrink_is_stored():
    noise = np.random.default_rng(0).integers(0, 0x7C00, 32, np.uint16)
    edit = Replace("a", noise.view(np.float16))

    for compression in ("zlib", "planes"):
        entry = _entry(edit, Numbers("float16", compression))
        assert (entry.codec, entry.stored_bytes) == (0, 64)


def test_planes_are_smaller_than_zlib_alone():
    edit = Replace("a", 0.05 * _random(20_000))
    sizes = [
        _entry(edit, Numbers(value_type, compression)).stored_bytes
        for value_type in ("float32", "float16")
        for compression in ("zlib", "planes")
    ]

    assert sizes[1] < 0.91 * sizes[0] < 0.91 * 80_000
    assert sizes[3] < 0.93 * sizes[2] < 0.93 * 40_000


def test_values_that_a_choice_cannot_hold():
    large = Replace("a", np.array([1e5] * 8))
    far = Replace("a", np.array([-3e38, 3e38] * 20))
    with pytest.raises(errors.HalfRangeError, match="65504"):
        _entry(large, Numbers("float16", "planes"))
    with pytest.raises(errors.GridRangeError, match="span of inf in 'a'"):
        _entry(far, Numbers("grid"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value_type", "float64"),
        ("compression", "brotli"),
        ("bits", 1),
        ("bits", 9),
        ("grouping", "row"),
    ],
)
def test_unknown_choices(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must be one of .* Recei"):
        Numbers(**{field: value})


def test_masks_have_no_bytes_to_sort():
    with pytest.raises(ValueError, match="`masks` must be one of"):
        Encoding(masks="planes")


@pytest.mark.parametrize(
    "options", [{"value_type": "float16"}, {"compression": "zlib"}]
)
def test_encoding_beside_what_it_says_itself(options):
    with pytest.raises(ValueError, match="leave out `value_type`.* Received"):
        to_bytes(PATCH, encoding=SMALL, **options)


@pytest.mark.parametrize("option", ["planes", "grid"])
def test_the_old_options_stay_what_they_were(option):
    for name in ("value_type", "compression"):
        with pytest.raises(ValueError, match=f"`{name}` must be one of"):
            to_bytes(PATCH, **{name: option})

"""Patches written, read back, and interrupted."""

from __future__ import annotations

import dataclasses
import errno
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from object_detection_patch import footprint
from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    Encoding,
    KeepMasked,
    LabelMapItem,
    MixOutputs,
    Numbers,
    Patch,
    PatchFileError,
    Release,
    Replace,
    ScaleOffset,
    errors,
    from_bytes,
    layout,
    read_patch,
    to_bytes,
    write_patch,
)

ROOT = pathlib.Path(__file__).parents[2]
PRINT = "0f" * 32
SMALL = Patch("BN_PATCH", PRINT, (ScaleOffset("bn", [1, 2], [3, 4]),))
OTHER = Patch("DW_PATCH", PRINT, (Replace("fpn/k", np.arange(50_000)),))

# What names may hold, and a little less; test_texts.py has the rest.
_TEXTS = st.text(
    st.characters(
        exclude_categories=("Cc", "Cf", "Cn", "Cs", "Lo", "Mn", "Zl", "Zp")
    ),
    max_size=20,
)
_SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, max_side=6)
_SINGLE = st.floats(allow_nan=False, allow_infinity=False, width=32)
_ARRAYS = hnp.arrays(np.float32, _SHAPES, elements=_SINGLE)
_MASKS = hnp.arrays(np.bool_, _SHAPES)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def _edits(draw):
    target = draw(_TEXTS.filter(bool))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return Replace(target, draw(_ARRAYS))
    if kind == 1:
        scale = draw(st.floats(2**-100, 2**100, width=32))
        return AddSigned(target, draw(_MASKS), scale)
    if kind == 2:
        numbers = draw(st.tuples(_SINGLE, _SINGLE, _SINGLE))
        return AffineMask(target, draw(_MASKS), *numbers)
    if kind == 3:
        return KeepMasked(target, draw(_MASKS))
    pair = hnp.arrays(
        np.float32, (2, draw(st.integers(1, 9))), elements=_SINGLE
    )
    return ScaleOffset(target, *draw(pair))


_PATCHES = st.builds(
    Patch,
    method=_TEXTS,
    base_fingerprint=st.binary(min_size=32, max_size=32).map(bytes.hex),
    edits=st.lists(
        _edits(), max_size=5, unique_by=lambda edit: edit.target.split("/")[0]
    ).map(tuple),
    label_map=st.lists(
        st.builds(LabelMapItem, st.integers(1, 2**31 - 1), _TEXTS, _TEXTS),
        max_size=4,
        unique_by=lambda item: item.id,
    ).map(tuple),
    metadata=st.dictionaries(_TEXTS, _JSON, max_size=3),
)
_SHA256 = st.binary(min_size=32, max_size=32).map(bytes.hex)
_RELEASES = st.lists(
    st.builds(
        Release,
        _SHA256,
        _SHA256,
        st.lists(
            st.tuples(
                st.floats(0, exclude_min=True, allow_infinity=False, width=32),
                st.integers(-128, 127),
            ),
            max_size=5,
        ),
    ),
    max_size=64,
    unique_by=lambda release: release.base_sha256,
).map(tuple)
_EXACT = st.builds(
    Numbers, compression=st.sampled_from(["none", "zlib", "planes"])
)


@settings(max_examples=200, deadline=None)
@given(patch=_PATCHES, compression=st.sampled_from(["none", "zlib"]))
def test_round_trip(patch, compression):
    data = to_bytes(patch, compression=compression)

    assert from_bytes(data) == patch
    assert to_bytes(from_bytes(data), compression=compression) == data


@settings(max_examples=100, deadline=None)
@given(
    patch=_PATCHES,
    releases=_RELEASES,
    model_metadata=st.binary(max_size=50),
    encoding=st.builds(
        Encoding,
        st.sampled_from(["none", "zlib"]),
        *[_EXACT] * 4,
    ),
)
def test_round_trip_of_version_2(patch, releases, model_metadata, encoding):
    patch = dataclasses.replace(
        patch, releases=releases, model_metadata=model_metadata
    )
    data = to_bytes(patch, encoding=encoding)

    assert from_bytes(data) == patch
    assert to_bytes(from_bytes(data), encoding=encoding) == data
    without = from_bytes(data, metadata=False)
    assert without == dataclasses.replace(patch, metadata={})


@pytest.mark.parametrize("count", [100, 8191, 8193, 20_000])
@pytest.mark.parametrize("value_type", ["float32", "float16"])
def test_round_trip_of_byte_planes(count, value_type):
    values = np.random.default_rng(count).standard_normal(count) / 20
    half = values.astype(np.float16)
    patch = Patch("X", PRINT, (Replace("k", half),))
    numbers = Numbers(value_type, "planes")
    data = to_bytes(patch, encoding=Encoding(kernels=numbers))

    assert from_bytes(data) == patch
    assert len(data) < count * (4 if value_type == "float32" else 2) + 150


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({}, 1),
        ({"label_map": (LabelMapItem(1, "a", ""),), "metadata": {"a": 1}}, 1),
        ({"releases": (Release("ab" * 32, "cd" * 32),)}, 2),
        ({"model_metadata": b"x"}, 2),
        ({"edits": (MixOutputs("fpn/k", [[1]]),)}, 3),
        ({"edits": (MixOutputs("k", [[1]]),), "model_metadata": b"x"}, 3),
    ],
)
def test_a_later_version_only_where_it_is_needed(change, version):
    data = to_bytes(dataclasses.replace(SMALL, **change))

    assert data[8:12] == bytes([version, 0, 0, 0])
    assert data[20:24] == bytes(4)


@pytest.mark.parametrize(
    ("numbers", "values", "version"),
    [
        (Numbers("float32", "zlib"), np.zeros(99), 1),
        (Numbers("float16"), np.zeros(99), 1),
        (Numbers("float32", "planes"), np.zeros(99), 2),
        # Neither would be smaller so.
        (Numbers("float32", "planes"), np.pi, 1),
        (Numbers("grid"), np.pi, 1),
        (Numbers("grid"), np.zeros(99), 2),
    ],
)
def test_version_2_only_where_numbers_need_it(numbers, values, version):
    patch = Patch("X", PRINT, (Replace("k", values),))
    data = to_bytes(patch, encoding=Encoding(kernels=numbers))

    assert data[8] == version
    assert from_bytes(data) == patch


@given(
    values=hnp.arrays(
        np.float32, _SHAPES, elements=st.floats(-65504, 65504, width=32)
    )
)
def test_float16_rounds_to_the_nearest(values):
    patch = Patch("X", PRINT, (Replace("k", values),))
    (edit,) = from_bytes(to_bytes(patch, value_type="float16")).edits

    assert np.array_equal(edit.values, values.astype(np.float16))


def test_float16_leaves_single_numbers_alone():
    edit = AddSigned("k", np.ones(8, bool), 0.1)
    data = to_bytes(Patch("X", PRINT, (edit,)), value_type="float16")

    assert from_bytes(data).edits == (edit,)


@pytest.mark.parametrize("value", [65520.0, -1e30])
def test_float16_overflow_is_refused(value):
    patch = Patch("X", PRINT, (Replace("k", [1, value]),))
    with pytest.raises(errors.HalfRangeError, match="up to 65504.*'k'"):
        to_bytes(patch, value_type="float16")


def test_negative_scale_is_stored_as_the_complement():
    mask = np.array([True, False, True])
    patch = Patch("X", PRINT, (AddSigned("k", mask, -0.5),))

    assert from_bytes(to_bytes(patch)).edits == (AddSigned("k", ~mask, 0.5),)


def test_order_of_bits_is_that_of_keras_axes():
    mask = np.zeros((1, 1, 3, 5), bool)
    mask[0, 0, 1, 2] = True  # weight 1 * 5 + 2 = 7: last bit of byte 0
    mask[0, 0, 2, 0] = True  # weight 10: bit 5 of byte 1
    data = to_bytes(Patch("X", PRINT, (KeepMasked("k", mask),)))

    assert data[-34:-32] == bytes([0b00000001, 0b00100000])


def test_compression_is_kept_only_where_it_helps():
    random = np.random.default_rng(0)
    noise = KeepMasked("noise", random.random(8000) < 0.5)
    plain = KeepMasked("plain", np.zeros(8000, bool))
    both = Patch("X", PRINT, (noise, plain))
    saved = len(to_bytes(both)) - len(to_bytes(both, compression="zlib"))

    assert 900 < saved <= 1000


def test_same_patch_same_bytes(spotpatch):
    for options in ({}, {"compression": "zlib", "value_type": "float16"}):
        assert to_bytes(spotpatch, **options) == to_bytes(spotpatch, **options)


def test_spotpatch_of_the_narrow_model_keeps_its_budget(
    spotpatch, narrow_kernels, narrow_batch_norms
):
    # The model is the reference one: counts of the SpotPatch paper.
    assert len(narrow_kernels) == 71
    assert sum(map(np.prod, narrow_kernels.values())) == 2_051_520
    assert sum(narrow_batch_norms.values()) == 19_104
    counted = footprint.nominal_footprint(
        spotpatch.edits, uncounted=spotpatch.metadata["uncounted"]
    )
    assert counted.nominal_bits(32) == 2_051_520 + 32 * 43_679
    data = to_bytes(spotpatch)

    class_head = 4 * counted.class_head_values
    assert len(data) <= counted.nominal_bits(32) / 8 + class_head + 4096
    assert from_bytes(data) == spotpatch


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"base_fingerprint": "0F" * 32}, "FingerprintFormatError", "64 lower"),
        ({"base_fingerprint": ""}, "FingerprintFormatError", "64 lower"),
        ({"method": "\n"}, "TextError", "control"),
        ({"method": "\ud800"}, "TextError", "valid Unicode"),
        ({"method": "ü" * 513}, "LimitError", "1024 bytes .*1026"),
        ({"edits": (Replace("", [1]),)}, "TextError", "name its target"),
        ({"edits": (Replace("a", []),)}, "ShapeError", "at least 1"),
        ({"edits": (Replace("a", np.ones((1,) * 9)),)}, "ShapeError", "8 dim"),
        ({"label_map": (LabelMapItem(0, "a", ""),)}, "LabelMapError", "0 is"),
        (
            {"label_map": (LabelMapItem(1, "a", ""),) * 2},
            "LabelMapError",
            "1 twice",
        ),
        ({"metadata": {1: 2}}, "MetadataError", "str keys"),
        ({"metadata": {"a": (1, 2)}}, "MetadataError", "instead of tuples"),
        ({"metadata": {"a": np.int64(1)}}, "MetadataError", "plain JSON"),
        ({"metadata": {"a": float("nan")}}, "MetadataError", "plain JSON"),
        ({"metadata": {"a": "\ud800"}}, "MetadataError", "plain JSON"),
        (
            {"metadata": {"a": "x" * 2**18}},
            "LimitError",
            "hold 262144 bytes of metadata. Received: 262152",
        ),
    ],
)
def test_patches_that_no_file_may_hold(fields, error, message):
    whole = {"method": "X", "base_fingerprint": PRINT, "edits": ()} | fields
    with pytest.raises(PatchFileError, match=message) as caught:
        to_bytes(Patch(**whole))
    assert type(caught.value) is getattr(errors, error)


def test_counts_beyond_the_limits(monkeypatch):
    labels = tuple(LabelMapItem(i, "", "") for i in range(1, 2**16 + 2))
    with pytest.raises(errors.LimitError, match="65536 labels"):
        to_bytes(Patch("X", PRINT, (), labels))
    monkeypatch.setattr(layout, "MAX_ELEMENTS", 30)
    halves = tuple(KeepMasked(name, np.ones(16, bool)) for name in "ab")
    with pytest.raises(errors.LimitError, match="30 elements. Received: 32"):
        to_bytes(Patch("X", PRINT, halves))


@pytest.mark.parametrize("option", ["value_type", "compression"])
def test_unknown_options(option):
    with pytest.raises(ValueError, match=f"`{option}` must be one of"):
        to_bytes(SMALL, **{option: "brotli"})


def test_written_file_reads_back_alone_in_its_folder(tmp_path):
    path = tmp_path / "a.patch"
    for patch in (SMALL, OTHER, SMALL):
        write_patch(path, patch)
        assert read_patch(path) == patch
    assert os.listdir(tmp_path) == ["a.patch"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_patch(tmp_path / "a.patch", SMALL)
    finally:
        os.umask(before)

    assert (tmp_path / "a.patch").stat().st_mode & 0o777 == 0o640


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "store").mkdir()
    target = tmp_path / "store" / "a.patch"
    write_patch(target, SMALL)
    link = tmp_path / "link.patch"
    link.symlink_to(target)
    write_patch(link, OTHER)

    assert link.is_symlink()
    assert read_patch(target) == OTHER


def test_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_patch("a.patch", SMALL)

    assert read_patch("a.patch") == SMALL


def test_refused_patch_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.patch"
    write_patch(path, SMALL)
    with pytest.raises(errors.NotFiniteError):
        write_patch(path, Patch("X", PRINT, (Replace("k", [np.nan]),)))

    assert read_patch(path) == SMALL
    assert os.listdir(tmp_path) == ["a.patch"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failing_disk_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a.patch"
    write_patch(path, SMALL)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(OSError, match="No space left"):
            write_patch(path, OTHER)

    assert read_patch(path) == SMALL
    assert os.listdir(tmp_path) == ["a.patch"]


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_patch(tmp_path / "none" / "a.patch", SMALL)


_CHILD = """
import os, resource, sys, time
import numpy as np
from object_detection_patch.patch_file import Patch, Replace, write_patch
path, how = sys.argv[1:]
large = Patch("DW_PATCH", "0f" * 32, (Replace("fpn/k", np.arange(50_000)),))
other = Patch("DW_PATCH", "0f" * 32, (Replace("fpn/k", -np.arange(50_000)),))
def wait(*_):
    print("there", flush=True)
    time.sleep(60)
if how == "limit":
    # The kernel lets 100 kB of the 200 kB be written, then fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    write_patch(path, large)
if how in ("fsync", "replace"):
    setattr(os, how, wait)
    write_patch(path, large)
print("there", flush=True)
while True:
    write_patch(path, large)
    write_patch(path, other)
"""


def _child(path: pathlib.Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
def test_write_cut_off_by_the_kernel_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.patch"
    write_patch(path, SMALL)
    _, error = _child(path, "limit").communicate(timeout=60)

    assert re.search(r"OSError: .*File too large", error)
    assert read_patch(path) == SMALL
    assert os.listdir(tmp_path) == ["a.patch"]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("how", ["fsync", "replace"])
def test_kill_before_the_rename_leaves_the_old_file(tmp_path, how):
    path = tmp_path / "a.patch"
    write_patch(path, SMALL)
    with _child(path, how) as child:
        assert child.stdout.readline() == "there\n"
        child.send_signal(signal.SIGKILL)

    assert read_patch(path) == SMALL
    # The child was within its write: its hidden file is still there.
    (left,) = set(os.listdir(tmp_path)) - {"a.patch"}
    write_patch(path, SMALL)
    assert set(os.listdir(tmp_path)) == {"a.patch", left}
    # No longer an hour later.
    _make_older(tmp_path / left, 3700)
    write_patch(path, SMALL)
    assert os.listdir(tmp_path) == ["a.patch"]


def _make_older(path: pathlib.Path, seconds: float) -> None:
    then = os.lstat(path).st_mtime - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def _leftover(path: pathlib.Path, monkeypatch, seconds: float) -> pathlib.Path:
    """The hidden file of a write that could not even clean up."""
    before = set(path.parent.iterdir())

    def fail(*_):
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        patched.setattr(os, "unlink", lambda _: None)
        with pytest.raises(OSError, match="gone"):
            write_patch(path, SMALL)
    (left,) = set(path.parent.iterdir()) - before
    _make_older(left, seconds)
    return left


def test_only_stale_leftovers_of_the_same_file_are_removed(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.patch"
    stale = [_leftover(path, monkeypatch, age) for age in (3700, 10**6)]
    fresh = _leftover(path, monkeypatch, 3500)
    future = _leftover(path, monkeypatch, -(10**6))
    other = _leftover(tmp_path / "b.patch", monkeypatch, 10**6)
    folder = stale[0].with_name(f"{stale[0].name[:-9]}x.partial")
    folder.mkdir()
    _make_older(folder, 10**6)
    link = stale[0].with_name(f"{stale[0].name[:-9]}y.partial")
    link.symlink_to(other)
    _make_older(link, 10**6)
    foreign = tmp_path / ".od-patch-notes.partial"
    foreign.touch()
    _make_older(foreign, 10**6)
    write_patch(path, SMALL)

    kept = {path, fresh, future, other, folder, link, foreign}
    assert set(tmp_path.iterdir()) == kept
    assert read_patch(path) == SMALL


def test_leftovers_are_found_through_a_link(tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    path = tmp_path / "store" / "a.patch"
    link = tmp_path / "link.patch"
    link.symlink_to(path)
    _leftover(path, monkeypatch, 3700)
    write_patch(link, SMALL)

    assert os.listdir(tmp_path / "store") == ["a.patch"]


def test_leftover_that_cannot_be_removed_does_not_fail_the_write(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.patch"
    left = _leftover(path, monkeypatch, 3700)

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    write_patch(path, SMALL)

    assert read_patch(path) == SMALL
    assert left.exists()


def test_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("x" * 249 + ".patch")
    write_patch(path, SMALL)

    assert read_patch(path) == SMALL


def test_header_that_is_too_long_without_its_metadata():
    labels = tuple(LabelMapItem(i, "x" * 1000, "") for i in range(1, 4300))
    with pytest.raises(errors.LimitError, match="shorten names or labels"):
        to_bytes(Patch("X", PRINT, (), labels))


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("delay", [0.003, 0.011, 0.02, 0.037])
def test_kill_at_any_time_leaves_a_whole_file(tmp_path, delay):
    path = tmp_path / "a.patch"
    write_patch(path, SMALL)
    with _child(path, "loop") as child:
        assert child.stdout.readline() == "there\n"
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)

    other = Patch("DW_PATCH", PRINT, (Replace("fpn/k", -np.arange(50_000)),))
    assert read_patch(path) in (SMALL, OTHER, other)

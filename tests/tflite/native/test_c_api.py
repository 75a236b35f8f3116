"""The C API, as another language would call it."""

import ctypes
import dataclasses
import os

import applied
import pytest
import worlds

_OK, _ARGUMENT, _IO, _MAGIC, _SIDECAR, _BASE_MISMATCH = 0, 1, 3, 11, 60, 81


@pytest.fixture(scope="module")
def case():
    return applied.make_case(2, worlds.FLOAT32)


@pytest.fixture
def api(library):
    library.od_patch_last_error.restype = ctypes.c_char_p
    library.od_patch_status_name.restype = ctypes.c_char_p
    library.od_patch_base_fingerprint.restype = ctypes.c_char_p
    library.od_patch_method.restype = ctypes.c_char_p
    library.od_patch_label.restype = ctypes.c_char_p
    library.od_patch_file_bytes.restype = ctypes.c_uint64
    library.od_patch_signed_bytes.restype = ctypes.c_uint64
    library.od_patch_public_key.restype = ctypes.c_void_p
    library.od_patch_signature.restype = ctypes.c_void_p
    for name in ("public_key", "signature", "label", "method"):
        getattr(library, f"od_patch_{name}").argtypes = (
            [ctypes.c_void_p, ctypes.c_uint32]
            if name == "label"
            else [ctypes.c_void_p]
        )
    return library


@pytest.fixture
def opened(api):
    """Opens patches from memory, and closes them at the end."""
    handles = []

    def open_patch(data):
        handle = ctypes.c_void_p()
        size = ctypes.c_size_t(len(data))
        status = api.od_patch_open_buffer(data, size, ctypes.byref(handle))
        assert status == _OK, api.od_patch_last_error()
        handles.append(handle)
        return handle

    yield open_patch
    for handle in handles:
        api.od_patch_close(handle)


def _apply_buffers(api, handle, case, flags=0):
    data, size = ctypes.c_void_p(), ctypes.c_size_t()
    status = api.od_patch_apply_buffers(
        handle,
        case.base,
        ctypes.c_size_t(len(case.base)),
        case.sidecar,
        ctypes.c_size_t(len(case.sidecar)),
        flags,
        ctypes.byref(data),
        ctypes.byref(size),
    )
    if status != _OK:
        assert data.value is None
        return status, None
    model = ctypes.string_at(data, size.value)
    api.od_patch_free_buffer(data)
    return status, model


def test_describes_a_patch(api, opened):
    labels = [(3, "c", "C \u00e4"), (1, "a", ""), (4, "", "")]
    source = worlds.PatchSource([], labels, [])
    data = source.to_bytes()
    handle = opened(data)
    assert api.od_patch_file_bytes(handle) == len(data)
    assert api.od_patch_method(handle) == b"TEST"
    expected = worlds.FINGERPRINT.hex().encode()
    assert api.od_patch_base_fingerprint(handle) == expected
    assert api.od_patch_num_classes(handle) == 4
    found = [api.od_patch_label(handle, i) for i in range(5)]
    assert found == [b"a", b"???", "C \u00e4".encode(), b"???", None]
    assert api.od_patch_num_labels(handle) == 3
    found = [api.od_patch_label_id(handle, i) for i in range(4)]
    assert found == [1, 3, 4, 0]
    assert api.od_patch_is_signed(handle) == 0
    assert api.od_patch_public_key(handle) is None
    assert api.od_patch_signed_bytes(handle) == 0


def test_shows_a_signature(api, opened):
    data = worlds.PatchSource([], [], [], signed=True).to_bytes()
    handle = opened(data)
    assert api.od_patch_is_signed(handle) == 1
    key = ctypes.string_at(api.od_patch_public_key(handle), 32)
    signature = ctypes.string_at(api.od_patch_signature(handle), 64)
    assert key + signature == bytes(range(96)) == data[-128:-32]
    assert api.od_patch_signed_bytes(handle) == len(data) - 96


def test_a_null_patch_is_described_as_nothing(api):
    assert api.od_patch_file_bytes(None) == 0
    assert api.od_patch_method(None) is None
    assert api.od_patch_num_classes(None) == 0
    assert api.od_patch_label(None, 0) is None
    api.od_patch_close(None)
    api.od_patch_free_buffer(None)


def test_applies_in_memory(api, opened, case):
    handle = opened(case.patch)
    assert _apply_buffers(api, handle, case) == (_OK, case.model)
    assert api.od_patch_last_error() == b""


def test_applies_a_base_at_an_odd_address(api, opened, case):
    memory = ctypes.create_string_buffer(len(case.base) + 16)
    for shift in (1, 4, 8):
        address = ctypes.addressof(memory) + shift
        ctypes.memmove(address, case.base, len(case.base))
        moved = dataclasses.replace(case)
        object.__setattr__(moved, "base", _At(address, len(case.base)))
        handle = opened(case.patch)
        assert _apply_buffers(api, handle, moved) == (_OK, case.model)


class _At:
    """A place in memory that ctypes passes and len() measures."""

    def __init__(self, address, size):
        self._as_parameter_ = ctypes.c_void_p(address)
        self._size = size

    def __len__(self):
        return self._size


def test_applies_files(api, opened, case, tmp_path):
    applied.write(tmp_path, case)
    paths = [os.fsencode(tmp_path / name) for name in ("base", "sidecar")]
    handle = opened(case.patch)
    output = os.fsencode(tmp_path / "model")
    assert api.od_patch_apply_to_file(handle, *paths, output, 0) == _OK
    assert (tmp_path / "model").read_bytes() == case.model
    data, size = ctypes.c_void_p(), ctypes.c_size_t()
    ends = ctypes.byref(data), ctypes.byref(size)
    assert api.od_patch_apply_to_buffer(handle, *paths, 0, *ends) == _OK
    assert ctypes.string_at(data, size.value) == case.model
    api.od_patch_free_buffer(data)


def test_keeps_the_message_of_the_last_error(api, opened, case):
    handle = opened(case.patch)
    other = dataclasses.replace(case, base=case.base[:-1])
    assert _apply_buffers(api, handle, other) == (_BASE_MISMATCH, None)
    assert b"must be the file that its sidecar" in api.od_patch_last_error()
    other = dataclasses.replace(case, sidecar=case.patch)
    assert _apply_buffers(api, handle, other) == (_SIDECAR, None)
    assert b"A sidecar begins with" in api.od_patch_last_error()


def test_refuses_what_is_no_patch(api, tmp_path):
    handle = ctypes.c_void_p(1)
    size = ctypes.c_size_t(64)
    status = api.od_patch_open_buffer(bytes(64), size, ctypes.byref(handle))
    assert (status, handle.value) == (_MAGIC, None)
    path = os.fsencode(tmp_path / "none")
    status = api.od_patch_open_file(path, ctypes.byref(handle))
    assert (status, handle.value) == (_IO, None)
    assert b"No such file" in api.od_patch_last_error()


def test_refuses_null_and_unknown_flags(api, opened, case):
    assert api.od_patch_open_file(None, None) == _ARGUMENT
    assert _apply_buffers(api, None, case) == (_ARGUMENT, None)
    assert b"`patch` must be given" in api.od_patch_last_error()
    handle = opened(case.patch)
    assert _apply_buffers(api, handle, case, flags=4) == (_ARGUMENT, None)
    assert b"`flags`" in api.od_patch_last_error()


def test_statuses_have_names(api):
    names = [api.od_patch_status_name(i) for i in range(100)]
    known = [name for name in names if name != b"unknown"]
    assert len(known) == len(set(known)) == 40
    assert names[0] == b"ok"
    assert names[_BASE_MISMATCH] == b"base_mismatch"


def test_other_floating_point_modes_change_nothing(api, opened, case):
    """A thread may round downwards; it still does afterwards."""
    libm = ctypes.CDLL("libm.so.6")
    handle = opened(case.patch)
    before = libm.fegetround()
    try:
        libm.fesetround(0x400 if os.uname().machine == "x86_64" else 0x800000)
        assert _apply_buffers(api, handle, case) == (_OK, case.model)
        assert libm.fegetround() != before
    finally:
        libm.fesetround(before)

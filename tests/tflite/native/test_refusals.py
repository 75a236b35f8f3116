"""Python and C++ accept and refuse the same files, however they are broken.

Files are broken behind their compression and checksum, which are then made
right, so that every check is reached.
"""

import ctypes
import hashlib
import re
import struct
import zlib

import numpy as np
import pytest
import worlds

from object_detection_patch import patch_file
from object_detection_patch.tflite import ApplyError, apply_bytes
from object_detection_patch.tflite.errors import ResultMismatchError

_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 31, 127, 128, 255, 256, 2**16 - 1)
_NUMBERS += (2**16, 2**16 + 1, 2**26, 2**28, 2**31, 2**32 - 1)
_FLOATS = (0.0, -0.0, 1e-45, 1e-38, 3e38, -3e38, np.inf, -np.inf, np.nan, 1.0)


def broken(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes of the data changed, left out, or put in."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, max(1, len(out) - 4)))
        kind = int(rng.integers(0, 7))
        if kind == 0:
            out[at : at + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1:
            out[at : at + 1] = bytes([out[at] ^ (1 << int(rng.integers(0, 8)))])
        elif kind == 2:
            out[at : at + 4] = struct.pack("<I", int(rng.choice(_NUMBERS)))
        elif kind == 3:
            out[at : at + 4] = struct.pack("<f", float(rng.choice(_FLOATS)))
        elif kind == 4:
            (value,) = struct.unpack_from("<I", out[at : at + 4] + bytes(4))
            moved = (value + int(rng.integers(-4, 5))) % 2**32
            out[at : at + 4] = struct.pack("<I", moved)
        elif kind == 5:
            del out[at : at + int(rng.integers(1, 9))]
        else:
            end = at + int(rng.integers(1, 9))
            out[at:at] = out[at:end]
    return bytes(out)


def _section_bytes(source: worlds.PatchSource) -> bytes:
    return b"".join(
        struct.pack(f"<{len(edit.singles)}f", *edit.singles) + edit.content
        for edit in source.edits
    )


def _patch_of(source, header, sections):
    flags = int(source.signed)
    tail = bytes(range(96)) if source.signed else b""
    data = bytearray(
        worlds.framed(b"\x89ODP\r\n\x1a\n", header, tail=sections + tail)
    )
    struct.pack_into("<I", data, 8, source.version)
    struct.pack_into("<I", data, 20, flags)
    return _checked(bytes(data))


def _checked(data: bytes) -> bytes:
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


@pytest.fixture
def opens(library):
    """The name of the status with which C++ opens a patch."""
    library.od_patch_status_name.restype = ctypes.c_char_p

    def of(data):
        handle = ctypes.c_void_p()
        size = ctypes.c_size_t(len(data))
        status = library.od_patch_open_buffer(data, size, ctypes.byref(handle))
        library.od_patch_close(handle)
        return library.od_patch_status_name(status).decode()

    return of


@pytest.fixture
def applies(library):
    """The digest of the model of C++, or the name of its status."""
    library.od_patch_status_name.restype = ctypes.c_char_p

    def of(base, sidecar, patch):
        handle = ctypes.c_void_p()
        size = ctypes.c_size_t(len(patch))
        status = library.od_patch_open_buffer(patch, size, ctypes.byref(handle))
        data, found = ctypes.c_void_p(), ctypes.c_size_t()
        if status == 0:
            status = library.od_patch_apply_buffers(
                handle,
                *(base, ctypes.c_size_t(len(base))),
                *(sidecar, ctypes.c_size_t(len(sidecar))),
                3,
                *(ctypes.byref(data), ctypes.byref(found)),
            )
        library.od_patch_close(handle)
        if status != 0:
            return library.od_patch_status_name(status).decode()
        model = ctypes.string_at(data, found.value)
        library.od_patch_free_buffer(data)
        return hashlib.sha256(model).digest()

    return of


def _python_opens(data):
    try:
        patch_file.from_bytes(data, metadata=False)
    except patch_file.PatchFileError as error:
        return type(error).__name__
    return "ok"


def _python_applies(base, sidecar, patch):
    """The digest of Python's model, or the name of its error."""
    try:
        model = apply_bytes(base, sidecar, patch, trust_base=True)
        return hashlib.sha256(model).digest()
    except ResultMismatchError as error:
        # The patches here do not know their results.
        (digest,) = re.findall("Received: ([0-9a-f]{64})", str(error))
        return bytes.fromhex(digest)
    except (
        ApplyError,
        patch_file.PatchFileError,
        patch_file.FingerprintError,
    ) as error:
        return type(error).__name__


def _alike(native, python):
    if isinstance(native, bytes) or isinstance(python, bytes):
        return native == python
    return (native == "ok") == (python == "ok")


def _source(seed, precision, version=2):
    world = worlds.make_world(seed, precision)
    return world, worlds.make_patch(world, seed, version=version)


def _check_patches(opens, applies, seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        version = 1 + seed % 2
        precision = (worlds.INT8, worlds.FLOAT16)[version == 1]
        world, source = _source(seed % 50, precision, version)
        header, sections = source.header(), _section_bytes(source)
        if rng.random() < 0.2:
            sections = broken(sections, rng)
        else:
            header = broken(header, rng)
        patch = _patch_of(source, header, sections)
        native, python = opens(patch), _python_opens(patch)
        assert _alike(native, python), (seed, native, python)
        files = world.base(), world.sidecar(), patch
        native, python = applies(*files), _python_applies(*files)
        assert _alike(native, python), (seed, native, python)


def _check_sidecars(applies, seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        world, source = _source(seed % 50, seed % 3)
        body = world.body()
        # The fields before the numbers of norms are few, and matter most.
        part = 66 + int(rng.integers(0, len(body) - 66))
        if rng.random() < 0.5:
            part = len(body)
        body = broken(body[:part], rng) + body[part:]
        sidecar = worlds.framed(b"\x89ODB\r\n\x1a\n", body)
        files = world.base(), sidecar, source.to_bytes()
        native, python = applies(*files), _python_applies(*files)
        assert _alike(native, python), (seed, native, python)


def _check_files(opens, seeds):
    """Frames broken from outside, checksums made right or not."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        _, source = _source(seed % 20, worlds.FLOAT32)
        data = source.to_bytes()
        part = int(rng.choice([40, len(data)]))
        data = broken(data[:part], rng) + data[part:]
        if rng.random() < 0.7:
            data = _checked(data)
        native, python = opens(data), _python_opens(data)
        assert _alike(native, python), (seed, native, python)


def test_patches(opens, applies):
    _check_patches(opens, applies, range(300))


def test_sidecars(applies):
    _check_sidecars(applies, range(300))


def test_files(opens):
    _check_files(opens, range(300))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_thousands(opens, applies):
    _check_patches(opens, applies, range(1000, 3000))
    _check_sidecars(applies, range(1000, 3000))
    _check_files(opens, range(1000, 2000))


@pytest.mark.parametrize("size", range(0, 500, 7))
def test_cut_short(opens, size):
    data = _source(1, worlds.FLOAT32)[1].to_bytes()
    assert opens(data[:size]) in ("length", "magic")
    assert opens(data + data[:size]) == ("length" if size else "ok")


def _framed_sections(content: bytes, codec: int) -> bytes:
    edit = worlds.Edit(1, "x", (4,), np.zeros(4), codec=codec, content=content)
    return worlds.PatchSource([edit], [], []).to_bytes()


_VALUES = np.arange(4, dtype="<f4").tobytes()


@pytest.mark.parametrize(
    "content",
    [
        zlib.compress(_VALUES),
        zlib.compress(_VALUES) + b"\0",
        zlib.compress(_VALUES)[:-1],
        zlib.compress(_VALUES)[:-4] + bytes(4),
        zlib.compress(_VALUES + b"\0"),
        zlib.compress(_VALUES[:-1]),
        zlib.compress(b""),
        zlib.compress(_VALUES)[2:-4],
        zlib.compress(_VALUES) * 2,
        zlib.compress(_VALUES, 0),
        b"\x78\xbb\0\0\0\1" + bytes(20),  # asks for a dictionary
        b"\x1f\x8b\x08" + bytes(20),  # gzip
    ],
)
@pytest.mark.parametrize("codec", [1, 2])
def test_zlib_streams(opens, content, codec):
    data = _framed_sections(content, codec)
    assert _alike(opens(data), _python_opens(data))

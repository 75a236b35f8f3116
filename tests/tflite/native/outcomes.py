"""What Python and C++ make of the same three files, told alike."""

from __future__ import annotations

import ctypes
import dataclasses

from attacks.attempt import status_of

from object_detection_patch.patch_file import FingerprintError, PatchFileError
from object_detection_patch.tflite import ApplyError, apply_bytes

_REFUSALS = (PatchFileError, FingerprintError, ApplyError)
_TRUST_BASE = 1
_POINTERS, _SIZE = ctypes.c_void_p, ctypes.c_size_t


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A model, or why there is none.

    Args:
      status: as the C API names it; "ok" for a model.
      message: of the error, or empty.
      model: bytes of the model, or empty.
    """

    status: str
    message: str
    model: bytes


def in_python(
    base: bytes, sidecar: bytes, patch: bytes, *, trust_base: bool = False
) -> Outcome:
    try:
        model = apply_bytes(base, sidecar, patch, trust_base=trust_base)
    except _REFUSALS as error:
        return Outcome(status_of(type(error)), str(error), b"")
    return Outcome("ok", "", model)


class InCpp:
    """The same through the C API of a shared library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.od_patch_status_name.restype = ctypes.c_char_p
        library.od_patch_last_error.restype = ctypes.c_char_p
        for name in ("od_patch_close", "od_patch_free_buffer"):
            function = getattr(library, name)
            function.argtypes, function.restype = [_POINTERS], None

    def __call__(
        self,
        base: bytes,
        sidecar: bytes,
        patch: bytes,
        *,
        trust_base: bool = False,
    ) -> Outcome:
        opened = _POINTERS()
        status = self._library.od_patch_open_buffer(
            patch, _SIZE(len(patch)), ctypes.byref(opened)
        )
        if status:
            return self._refused(status)
        try:
            return self._applied(opened, base, sidecar, trust_base)
        finally:
            self._library.od_patch_close(opened)

    def _applied(
        self,
        opened: ctypes.c_void_p,
        base: bytes,
        sidecar: bytes,
        trust_base: bool,
    ) -> Outcome:
        data, size = _POINTERS(), _SIZE()
        status = self._library.od_patch_apply_buffers(
            *(opened, base, _SIZE(len(base)), sidecar, _SIZE(len(sidecar))),
            _TRUST_BASE * trust_base,
            *(ctypes.byref(data), ctypes.byref(size)),
        )
        if status:
            return self._refused(status)
        model = ctypes.string_at(data, size.value)
        self._library.od_patch_free_buffer(data)
        return Outcome("ok", "", model)

    def _refused(self, status: int) -> Outcome:
        name = self._library.od_patch_status_name(status).decode()
        message = self._library.od_patch_last_error().decode()
        return Outcome(name, message, b"")

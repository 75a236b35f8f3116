"""Patch -> bytes, and a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import zlib

from object_detection_patch.patch_file import codec, errors, layout
from object_detection_patch.patch_file import header as header_lib
from object_detection_patch.patch_file.patch import Patch, check_patch

_ZLIB_LEVEL = 9
_HIDDEN_END = ".partial"
# A file of the largest size is written in seconds.
_STALE_SECONDS = 3600


def write_patch(
    path: str | os.PathLike[str],
    patch: Patch,
    *,
    value_type: codec.ValueType = "float32",
    compression: codec.Compression = "none",
) -> None:
    """Writes a patch file, replacing an older one in a single step.

    The bytes go to a hidden file in the same folder, to the disk, and then
    take the name. Whatever fails or is killed before that, an older file
    stays as it was. A hidden file that a killed writer left is removed by
    the next write of the same file that comes an hour later or more.

    Args:
      path: the file; its folder must exist. A symbolic link is followed.
      patch: negative residual scales are written as positive ones with the
        complemented mask, which edits alike.
      value_type: of weights and BatchNorms; single scales are float32
        always. float16 rounds: 11 significant bits, from 6e-8 to 65504.
      compression: `zlib` compresses the sections that get smaller by it.

    Raises:
      PatchFileError: for a patch that no file may hold.
      OSError: if it cannot be written.
    """
    data = to_bytes(patch, value_type=value_type, compression=compression)
    _write_whole(os.path.realpath(path), data)


def to_bytes(
    patch: Patch,
    *,
    value_type: codec.ValueType = "float32",
    compression: codec.Compression = "none",
) -> bytes:
    """The bytes of a patch file; one patch gives the same bytes each time.

    Raises:
      ValueError: for an unknown `value_type` or `compression`.
      PatchFileError: for a patch that no file may hold.
    """
    _check_choice("value_type", value_type, codec.VALUE_TYPES)
    _check_choice("compression", compression, codec.CODECS)
    check_patch(patch)
    encoded = [
        codec.encode(
            edit,
            value_type=codec.VALUE_TYPES[value_type],
            codec=codec.CODECS[compression],
        )
        for edit in patch.edits
    ]
    entries = tuple(entry for entry, _ in encoded)
    header = header_lib.encode(
        header_lib.Header(
            patch.method,
            patch.base_fingerprint,
            entries,
            patch.label_map,
            patch.metadata,
        )
    )
    return _assembled(header, [section for _, section in encoded])


def _assembled(header: bytes, sections: list[bytes]) -> bytes:
    stored = zlib.compress(header, _ZLIB_LEVEL)
    if max(len(header), len(stored)) > layout.MAX_HEADER_BYTES:
        raise errors.LimitError(
            f"A header may have {layout.MAX_HEADER_BYTES} bytes; shorten "
            f"names or labels. Received: {len(header)}."
        )
    file_bytes = (
        layout.PRELUDE.size
        + len(stored)
        + sum(map(len, sections))
        + layout.CHECKSUM_BYTES
    )
    prelude = layout.PRELUDE.pack(
        layout.MAGIC, layout.VERSION, len(stored), len(header), 0, file_bytes
    )
    parts = [prelude, stored, *sections]
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
    return b"".join([*parts, checksum.digest()])


def _check_choice(name: str, value: str, known: dict[str, int]) -> None:
    if value not in known:
        raise ValueError(
            f"`{name}` must be one of {sorted(known)}. Received: "
            f"{errors.shown(value)}."
        )


def _write_whole(path: str, data: bytes) -> None:
    folder, name = os.path.split(path)
    hidden = os.path.join(
        folder, f"{_hidden_prefix(name)}{secrets.token_hex(8)}{_HIDDEN_END}"
    )
    # "x": never another's file; made with the permissions of any new one.
    file = open(hidden, "xb")
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(hidden)
        raise
    _sync_folder(folder)
    _remove_leftovers(folder, name)


def _hidden_prefix(name: str) -> str:
    # A digest, because the name may already be as long as names may be.
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f".od-patch-{digest[:16]}-"


def _remove_leftovers(folder: str, name: str) -> None:
    """Removes hidden files for `name` that no living writer can still need.

    Age is the sign, not the process that wrote: it may live on another
    machine or in another container that shares the folder. Age is counted
    from the file just written, so by the clock of the folder itself. What
    cannot be removed stays: the patch is written all the same.
    """
    prefix = _hidden_prefix(name)
    with contextlib.suppress(OSError):
        now = os.stat(os.path.join(folder, name)).st_mtime
        with os.scandir(folder) as found:
            for entry in found:
                if (
                    entry.name.startswith(prefix)
                    and entry.name.endswith(_HIDDEN_END)
                    and entry.is_file(follow_symlinks=False)
                    and now - entry.stat().st_mtime > _STALE_SECONDS
                ):
                    os.unlink(entry.path)


def _sync_folder(folder: str) -> None:
    """Makes the new name outlast a power cut, where folders can be synced.

    Elsewhere (Windows, some network file systems) the file is whole all the
    same, so a refusal is no error.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

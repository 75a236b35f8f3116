"""Patch -> bytes, and a file of them."""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import Literal, TypeAlias

from object_detection_patch.patch_file import codec, deflation, errors, layout
from object_detection_patch.patch_file import header as header_lib
from object_detection_patch.patch_file.encoding import (
    MASK_COMPRESSIONS,
    Encoding,
    MaskCompression,
    Numbers,
    check_choice,
    uniform,
)
from object_detection_patch.patch_file.patch import Patch, check_patch
from object_detection_patch.patch_file.signature import (
    SIGNED_END_BYTES,
    Signer,
    signed_end,
)
from object_detection_patch.patch_file.whole_file import write_whole

FloatType: TypeAlias = Literal["float32", "float16"]


def write_patch(
    path: str | os.PathLike[str],
    patch: Patch,
    *,
    value_type: FloatType = "float32",
    compression: MaskCompression = "none",
    encoding: Encoding | None = None,
    sign: Signer | None = None,
) -> None:
    """Writes a patch file, replacing an older one in a single step.

    Whatever fails or is killed before that, an older file stays as it was:
    see `write_whole`.

    The file is of version 1, which older programs read too, unless releases,
    model metadata, a grid, byte planes or a signature ask for version 2, or
    matrices between channels for version 3, or a half grid for version 4.

    Args:
      path: the file; its folder must exist. A symbolic link is followed.
      patch: negative residual scales are written as positive ones with the
        complemented mask, which edits alike.
      value_type: of weights and BatchNorms; single scales are float32
        always. float16 rounds: 11 significant bits, from 6e-8 to 65504.
      compression: `zlib` compresses the sections that get smaller by it.
      encoding: says both for each kind of edit, instead of the two.
      sign: the private key to sign the file with.

    Raises:
      ValueError: as `to_bytes`.
      PatchFileError: for a patch that no file may hold.
      OSError: if it cannot be written.
    """
    data = to_bytes(
        patch,
        value_type=value_type,
        compression=compression,
        encoding=encoding,
        sign=sign,
    )
    write_whole(path, data)


def to_bytes(
    patch: Patch,
    *,
    value_type: FloatType = "float32",
    compression: MaskCompression = "none",
    encoding: Encoding | None = None,
    sign: Signer | None = None,
) -> bytes:
    """The bytes of a patch file; one patch gives the same bytes each time.

    Raises:
      ValueError: for an unknown `value_type` or `compression`, for either
        of them beside `encoding`, or a key or signature of a wrong length.
      PatchFileError: for a patch that no file may hold.
    """
    encoding = _encoding(value_type, compression, encoding)
    check_patch(patch)
    encoded = [codec.encode(edit, encoding) for edit in patch.edits]
    header = header_lib.Header(
        patch.method,
        patch.base_fingerprint,
        tuple(entry for entry, _ in encoded),
        patch.label_map,
        patch.metadata,
        patch.releases,
        patch.model_metadata,
    )
    return _assembled(header, [section for _, section in encoded], sign)


def _encoding(
    value_type: FloatType,
    compression: MaskCompression,
    encoding: Encoding | None,
) -> Encoding:
    check_choice("value_type", value_type, ("float16", "float32"))
    check_choice("compression", compression, MASK_COMPRESSIONS)
    if encoding is None:
        return uniform(Numbers(value_type, compression), masks=compression)
    if (value_type, compression) != ("float32", "none"):
        raise ValueError(
            "`encoding` says how numbers are stored; leave out `value_type` "
            f"and `compression`. Received: {value_type!r} and "
            f"{compression!r} beside it."
        )
    return encoding


def _assembled(
    header: header_lib.Header, sections: list[bytes], sign: Signer | None
) -> bytes:
    signed = sign is not None
    version = max(header.version, 2 if signed else 1)
    raw = header_lib.encode(header, version)
    stored = zlib.compress(raw, deflation.LEVEL)
    if max(len(raw), len(stored)) > layout.MAX_HEADER_BYTES:
        raise errors.LimitError(
            f"A header may have {layout.MAX_HEADER_BYTES} bytes; shorten "
            f"names or labels. Received: {len(raw)}."
        )
    prelude = layout.PRELUDE.pack(
        layout.MAGIC,
        version,
        len(stored),
        len(raw),
        layout.SIGNED if signed else 0,
        layout.PRELUDE.size
        + len(stored)
        + sum(map(len, sections))
        + (SIGNED_END_BYTES if signed else 0)
        + layout.CHECKSUM_BYTES,
    )
    content = b"".join([prelude, stored, *sections])
    if sign is not None:
        content += signed_end(sign, content)
    return content + hashlib.sha256(content).digest()

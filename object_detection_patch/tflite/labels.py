"""The labels at the end of a model: a zip archive with labelmap.txt.

FORMAT.md, "The layout of base.tflite", is the specification: one stored
member, every byte of it fixed, so that each implementation writes the same.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence

from object_detection_patch.patch_file import LabelMapItem, errors, texts
from object_detection_patch.tflite.limits import MAX_CLASSES, MAX_MODEL_BYTES

LABELS_FILE = "labelmap.txt"

_NO_LABEL = "???"  # the word of the OD API's label maps for an unused id
# A patch holds at most 2**22 bytes of names, and each id costs 4 more here.
_MAX_TEXT_BYTES = 2**23

# version needed, flags, method, time, date, CRC-32, stored bytes, bytes,
# name length, length of the extra field: in both headers of a member.
_COMMON = struct.Struct("<HHHHHIIIHH")
_VERSION = 10
_MADE_BY = 20
_DATE = 0x0021  # 1980-01-01, the first day that a zip archive can name


def labels_text(label_map: Sequence[LabelMapItem]) -> bytes:
    """The lines of labelmap.txt: one for each id from 1 to the greatest.

    Raises:
      LabelMapError: for no class, an id out of range, or twice the same id.
      TextError: for a name that would break the line.
    """
    shown = {item.id: item.display_name or item.name for item in label_map}
    _check_ids([item.id for item in label_map])
    for name in shown.values():
        texts.check_text("label_map.display_name", name)
    lines = (shown.get(i) or _NO_LABEL for i in range(1, max(shown) + 1))
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def labels_archive(label_map: Sequence[LabelMapItem], *, start: int) -> bytes:
    """The zip archive that follows a model's last vector.

    Args:
      label_map: as for `labels_text`, whose errors it raises.
      start: position in the model's file where the archive begins.

    Raises:
      ValueError: for a position outside any model.
    """
    if not 0 <= start <= MAX_MODEL_BYTES:
        raise ValueError(
            f"`start` must lie in a model of at most {MAX_MODEL_BYTES} bytes. "
            f"Received: {start}."
        )
    text = labels_text(label_map)
    name = LABELS_FILE.encode("ascii")
    size = len(text)
    common = _COMMON.pack(
        _VERSION, 0, 0, 0, _DATE, zlib.crc32(text), size, size, len(name), 0
    )
    member = b"PK\x03\x04" + common + name + text
    # Lengths of the comment, disk, attributes inside and outside; position.
    entry = struct.pack("<4sH", b"PK\x01\x02", _MADE_BY) + common
    entry += struct.pack("<HHHII", 0, 0, 0, 0, start) + name
    # Disks, members here and in all, the directory's place, no comment.
    end = struct.pack("<4sHHHH", b"PK\x05\x06", 0, 0, 1, 1)
    end += struct.pack("<IIH", len(entry), start + len(member), 0)
    return member + entry + end


def read_labels(model: bytes | str | os.PathLike[str]) -> list[str]:
    """The labels inside a model, class id 1 first.

    Reads the archives of other tools too, stored or compressed.

    Args:
      model: the bytes of the model, or the path of its file.

    Raises:
      ValueError: if there is no archive, no labelmap.txt in it, or either is
        damaged.
      OSError: if the file cannot be read.
    """
    file = io.BytesIO(model) if isinstance(model, bytes) else model
    try:
        with zipfile.ZipFile(file) as archive:
            text = _read_member(archive)
        return text.decode("utf-8").removesuffix("\n").split("\n")
    except _ARCHIVE_ERRORS as error:
        raise ValueError(
            f"A model must end in a zip archive with {LABELS_FILE}. Received "
            f"one that does not: {error}."
        ) from error


# What zipfile raises for archives that are damaged, encrypted, or compressed
# in a way that it does not know.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def _read_member(archive: zipfile.ZipFile) -> bytes:
    member = archive.getinfo(LABELS_FILE)
    if member.file_size > _MAX_TEXT_BYTES:
        raise ValueError(
            f"{LABELS_FILE} may have {_MAX_TEXT_BYTES} bytes, not "
            f"{member.file_size}"
        )
    return archive.read(member)


def _check_ids(ids: Sequence[int]) -> None:
    if not ids:
        raise errors.LabelMapError(
            "A label map must hold a class. Received: none."
        )
    if not 1 <= min(ids) <= max(ids) <= MAX_CLASSES:
        raise errors.LabelMapError(
            f"The ids of a model's labels must lie between 1 and {MAX_CLASSES}."
            f" Received: {min(ids)} to {max(ids)}."
        )
    if len(set(ids)) != len(ids):
        raise errors.LabelMapError(
            "Each id of a label map must name one class. Received: "
            f"{max(ids, key=ids.count)} twice."
        )

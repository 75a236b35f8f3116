"""What the sidecar of a base holds: `od-patch inspect base.odpatch`."""

from __future__ import annotations

import os
from typing import Any

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.sidecar import InputSize
from object_detection_patch.tflite.sidecar_file import read_sidecar
from object_detection_patch.tflite.size_fields import file_bytes


def is_sidecar_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as sidecars do."""
    with open(path, "rb") as file:
        return file.read(len(limits.MAGIC)) == limits.MAGIC


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A sidecar as plain data, ready for `json.dumps`.

    `image_size` is that of base.tflite, height and width, where it has other
    `sizes`; else None. The `bytes` of a size are those that it takes in the
    sidecar.

    Raises:
      SidecarError: if the file breaks any rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    sidecar = read_sidecar(path)
    return {
        "base_fingerprint": sidecar.base_fingerprint,
        "base_sha256": sidecar.base_sha256,
        "base_bytes": sidecar.base_bytes,
        "precision": sidecar.precision,
        "classes": sidecar.classes,
        "capacity": sidecar.capacity,
        "kernels": len(sidecar.kernels),
        "image_size": sidecar.image_size and list(sidecar.image_size),
        "sizes": list(map(_size, sidecar.sizes)),
        "total": os.path.getsize(path),
    }


def as_text(description: dict[str, Any]) -> str:
    """The text of `od-patch inspect` for what `describe` returned."""
    lines = [
        f"base         {description['base_fingerprint']}",
        f"base.tflite  {description['base_sha256']}, "
        f"{description['base_bytes']:,} bytes",
        f"precision    {description['precision']}",
        f"classes      {description['classes']}, of tasks up to "
        f"{description['capacity']}",
        f"kernels      {description['kernels']}",
        f"total        {description['total']:,} bytes",
    ]
    if description["image_size"] is not None:
        height, width = description["image_size"]
        lines.append(f"{height} x {width} pixels: base.tflite itself")
    for size in description["sizes"]:
        height, width = size["image_size"]
        lines.append(
            f"{height} x {width} pixels: released as {size['base_sha256']}, "
            f"{size['words']} words, {size['vectors']} vectors, "
            f"{size['bytes']:,} bytes"
        )
    return "\n".join(lines)


def _size(size: InputSize) -> dict[str, Any]:
    return {
        "image_size": list(size.image_size),
        "base_sha256": size.base_sha256,
        "words": len(size.words),
        "vectors": len(size.contents),
        "bytes": file_bytes(size),
    }

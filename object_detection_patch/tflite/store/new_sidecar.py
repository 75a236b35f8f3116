"""How the base of a store gets further input sizes: by a new sidecar."""

from __future__ import annotations

from collections.abc import Iterable

from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite import patcher
from object_detection_patch.tflite.sidecar import InputSize, Sidecar
from object_detection_patch.tflite.sidecar_file import read_sidecar
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.folder import StoreFolder
from object_detection_patch.tflite.store.index import read_index


def take_sidecar(
    folder: StoreFolder, base: bytes, data: bytes, sidecar: Sidecar
) -> None:
    """Lets a sidecar with more input sizes take the place of a store's.

    One with the same sizes or fewer changes nothing: patches of the store may
    need those that it lacks. To be called by who holds the lock.

    Args:
      base: bytes of the store's base.
      data: bytes of `sidecar`, which describes it.

    Raises:
      StoreError: if each of the two sidecars lacks a size of the other, or
        for a damaged patch.
      SidecarError: if the store's own sidecar is damaged.
      ApplyError: if a patch of the store does not fit with the new one, as
        one that was not published.
    """
    held = _by_digest(read_sidecar(folder.sidecar))
    mine = _by_digest(sidecar)
    if mine.keys() <= held.keys():
        return
    lacking = [size for digest, size in held.items() if digest not in mine]
    if lacking:
        raise StoreError(
            "Input sizes of a store's base stay, because its patches may need "
            "them. Received: a sidecar with further ones, but without "
            f"{_text(lacking)}; give all to `export-base --resolutions`."
        )
    _check_patches(folder, base, data)
    write_whole(folder.sidecar, data)


def _by_digest(sidecar: Sidecar) -> dict[str, InputSize]:
    return {size.base_sha256: size for size in sidecar.sizes}


def _text(sizes: Iterable[InputSize]) -> str:
    return ", ".join(f"{size.height} x {size.width}" for size in sizes)


def _check_patches(folder: StoreFolder, base: bytes, sidecar: bytes) -> None:
    """Raises for a patch that does not fit with another sidecar.

    One that fits makes the same model as before: it names the base's own size.
    """
    index = read_index(folder.path)
    for name in index.patches:
        patch = folder.patch_data(index, name)
        try:
            patcher.apply_bytes(base, sidecar, patch)
        except ValueError as error:
            error.args = (
                f"{error} (patch {name!r} of the store, with the base's new "
                "sidecar; remove it before, and add it published after)",
            )
            raise

"""What must hold of the input sizes of a sidecar (FORMAT.md, Checks)."""

from __future__ import annotations

from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.sidecar import (
    InputSize,
    Sidecar,
    computed_vectors,
)


def check_sizes(sidecar: Sidecar) -> None:
    """Raises SidecarError for a size that breaks a rule.

    Everything but the sizes was checked before.
    """
    if not sidecar.sizes:
        return
    _check_distinct(sidecar)
    computed = computed_vectors(sidecar)
    written = written_positions(sidecar)
    for size in sidecar.sizes:
        _check_words(sidecar, size, written)
        for index in size.contents:
            require(
                index not in computed,
                "a size may replace only vectors that no kernel uses",
                index,
            )


def _check_distinct(sidecar: Sidecar) -> None:
    sides = [sidecar.image_size, *(one.image_size for one in sidecar.sizes)]
    digests = [sidecar.base_sha256, *(one.base_sha256 for one in sidecar.sizes)]
    for what in (sides, digests):
        require(
            len(set(what)) == len(what),
            "each size stands once, and so does each SHA-256",
            what,
        )


def written_positions(sidecar: Sidecar) -> set[int]:
    """Positions of 4 bytes of the skeleton that applying writes anyway."""
    written = {link.position for link in sidecar.links}
    written |= {number.position for number in sidecar.class_numbers}
    for activation in sidecar.activations:
        zero_point = activation.zero_point_position
        written |= {activation.scale_position, zero_point, zero_point + 4}
    return written


def _check_words(sidecar: Sidecar, size: InputSize, written: set[int]) -> None:
    for position in size.words:
        require(
            position % 4 == 0 and position + 4 <= sidecar.skeleton_bytes,
            "a word of a size must be aligned and lie within the skeleton",
            position,
        )
        require(
            position not in written,
            "each part of the skeleton may be written once",
            position,
        )

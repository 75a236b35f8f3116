"""What must hold among the fields of a sidecar (FORMAT.md, Checks)."""

from __future__ import annotations

from collections.abc import Iterator

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.kernel_checks import check_kernels
from object_detection_patch.tflite.layout import base_places, most_bytes
from object_detection_patch.tflite.sidecar import INT8, Norm, Sidecar
from object_detection_patch.tflite.size_checks import check_sizes


def check_sidecar(sidecar: Sidecar) -> None:
    """Raises SidecarError for a rule that concerns several fields."""
    _check_skeleton(sidecar)
    _check_positions(sidecar)
    _check_vectors(sidecar)
    _check_places(sidecar)
    _check_names(sidecar)
    for norm in sidecar.norms:
        _check_norm(norm)
    check_kernels(sidecar)
    check_sizes(sidecar)


def _check_skeleton(sidecar: Sidecar) -> None:
    size = sidecar.skeleton_bytes
    require(
        limits.SKELETON_ALIGNMENT <= size <= limits.MAX_SKELETON_BYTES
        and size % limits.SKELETON_ALIGNMENT == 0,
        f"a skeleton's bytes must be a multiple of {limits.SKELETON_ALIGNMENT}",
        size,
    )
    require(
        sidecar.classes <= sidecar.capacity,
        "the base's classes must not exceed the capacity",
        (sidecar.classes, sidecar.capacity),
    )
    require(
        bool(sidecar.activations) == (sidecar.precision == INT8),
        "an int8 base must list its activations, and no other may",
        (sidecar.precision, len(sidecar.activations)),
    )


def _check_positions(sidecar: Sidecar) -> None:
    positions = [link.position for link in sidecar.links]
    require(
        positions == sorted(positions),
        "links must come in ascending order of position",
        "another order",
    )
    written: set[int] = set()
    for position, words in _writes(sidecar):
        end = position + 4 * words
        require(
            position % (4 * words) == 0 and end <= sidecar.skeleton_bytes,
            "a position must be aligned and lie within the skeleton",
            position,
        )
        for word in range(position, end, 4):
            require(
                word not in written,
                "each part of the skeleton may be written once",
                word,
            )
            written.add(word)


def _writes(sidecar: Sidecar) -> Iterator[tuple[int, int]]:
    """(position, words of 4 bytes) of all that is written there."""
    yield from ((link.position, 1) for link in sidecar.links)
    yield from ((number.position, 1) for number in sidecar.class_numbers)
    for activation in sidecar.activations:
        yield activation.scale_position, 1
        yield activation.zero_point_position, 2


def _check_vectors(sidecar: Sidecar) -> None:
    for index, vector in enumerate(sidecar.vectors):
        require(
            vector.item_bytes in (1, 4, 8),
            "an item must have 1, 4 or 8 bytes",
            vector.item_bytes,
        )
        if vector.leader is None:
            require(not vector.shared, "who shares must have a leader", index)
            continue
        leader = sidecar.vectors[vector.leader]
        require(
            leader.leader is None
            and leader.item_bytes == vector.item_bytes
            and (leader.items == vector.items or not vector.shared),
            "a leader must be an earlier vector of the same items, and have "
            "no leader itself",
            index,
        )
    if sidecar.metadata_vector is not None:
        require(
            sidecar.vectors[sidecar.metadata_vector].item_bytes == 1,
            "the metadata must be a vector of bytes",
            sidecar.metadata_vector,
        )


def _check_places(sidecar: Sidecar) -> None:
    require(
        sidecar.base_bytes <= limits.MAX_MODEL_BYTES,
        f"a base may have {limits.MAX_MODEL_BYTES} bytes",
        sidecar.base_bytes,
    )
    end = max(place.end for place in base_places(sidecar))
    require(
        end <= sidecar.base_bytes,
        "the vectors must end within base.tflite",
        (end, sidecar.base_bytes),
    )
    whole = most_bytes(sidecar.skeleton_bytes, sidecar.vectors)
    require(
        whole <= limits.MAX_SHARING * sidecar.base_bytes,
        "skeleton and vectors, if none shared a place, must have at most "
        f"{limits.MAX_SHARING} times the bytes of base.tflite",
        (whole, sidecar.base_bytes),
    )


def _check_names(sidecar: Sidecar) -> None:
    names = [norm.name for norm in sidecar.norms]
    names += [bias.name for bias in sidecar.biases]
    names += [kernel.name for kernel in sidecar.kernels]
    seen: set[str] = set()
    for name in names:
        require(name not in seen, "each name stands once", name)
        seen.add(name)


def _check_norm(norm: Norm) -> None:
    require(
        bool((norm.gamma != 0).all())
        and bool((norm.inverse_deviation > 0).all()),
        "gamma must not be 0, and the inverse deviation above 0",
        norm.name,
    )

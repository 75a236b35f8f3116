"""A base exported at several input sizes -> one base.tflite and one sidecar.

The converter builds one graph for all sizes. What differs are shapes in the
skeleton and constants that no kernel uses, such as the anchors; the sidecar
keeps both for each size (tflite/FORMAT.md, Input sizes).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from object_detection_patch.export.assembly import NO_DIGEST
from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.filling import Published
from object_detection_patch.patch_file import Release
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.layout import base_places
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.sidecar import (
    InputSize,
    Sidecar,
    computed_vectors,
    weight_vectors,
)
from object_detection_patch.tflite.size_checks import written_positions

# What is the same in the sidecars of all sizes; what vectors hold is
# compared vector by vector.
_COMMON = (
    "base_fingerprint",
    "precision",
    "skeleton_bytes",
    "classes",
    "capacity",
    "metadata_vector",
    "links",
    "class_numbers",
    "activations",
    "kernels",
)


def difference(
    published: Published, size: tuple[int, int], other: Published
) -> InputSize:
    """What makes another size of a base of it.

    Args:
      size: height and width of `other`.
      other: the same base, exported at that size.

    Raises:
      StructureError: if the two differ in what no sidecar can say, or the
        difference does not give `other`, byte for byte.
    """
    _check_alike(published.sidecar, other.sidecar, size)
    found = InputSize(
        *size,
        other.sidecar.base_sha256,
        _words(published, other),
        _contents(published, other, size),
    )
    _check_result(published, found, other)
    return found


def joined(
    published: Published,
    size: tuple[int, int],
    others: Sequence[InputSize],
) -> Published:
    """The base with a sidecar for all sizes.

    Args:
      size: height and width of `published`.
      others: of `difference`; with none, the base stays as it is.
    """
    if not others:
        return published
    sidecar = dataclasses.replace(
        published.sidecar, image_size=size, sizes=tuple(others)
    )
    return dataclasses.replace(published, sidecar=sidecar)


def _check_alike(
    sidecar: Sidecar, other: Sidecar, size: tuple[int, int]
) -> None:
    different = [
        name
        for name in _COMMON
        if getattr(sidecar, name) != getattr(other, name)
    ]
    for name in ("norms", "biases"):
        if _names(sidecar, name) != _names(other, name):
            different.append(name)
    vectors = [
        [(vector.item_bytes, vector.leader) for vector in one.vectors]
        for one in (sidecar, other)
    ]
    if vectors[0] != vectors[1]:
        different.append("vectors")
    if different:
        _refuse(f"another {', '.join(different)}", size)


def _names(sidecar: Sidecar, kind: str) -> list[str]:
    return [one.name for one in getattr(sidecar, kind)]


def _refuse(received: str, size: tuple[int, int]) -> None:
    height, width = size
    raise StructureError(
        "The converter must build one graph for all of `--resolutions`. "
        f"Received: {received} at {height} x {width} pixels; export a base "
        "of its own for this size."
    )


def _words(published: Published, other: Published) -> dict[int, int]:
    size = published.sidecar.skeleton_bytes
    mine, others = (
        np.frombuffer(one.model[:size], "<u4") for one in (published, other)
    )
    written = written_positions(published.sidecar)
    positions = [4 * int(word) for word in np.flatnonzero(mine != others)]
    return {
        position: int(others[position // 4])
        for position in positions
        if position not in written
    }


def _contents(
    published: Published, other: Published, size: tuple[int, int]
) -> dict[int, bytes]:
    """The vectors that differ, of those that applying does not compute."""
    computed = computed_vectors(published.sidecar)
    kept = weight_vectors(published.sidecar)
    contents = {}
    for index, (mine, its) in enumerate(
        zip(_vectors(published), _vectors(other), strict=True)
    ):
        if mine == its:
            continue
        if index in kept:
            _refuse("other weights", size)
        if index not in computed:
            contents[index] = its
    return contents


def _vectors(published: Published) -> list[bytes]:
    return [
        published.model[place.start : place.end]
        for place in base_places(published.sidecar)
    ]


def _check_result(
    published: Published, size: InputSize, other: Published
) -> None:
    """Applies the whole base as a patch of this size.

    With the weights, which are the same, this shows that any patch gives the
    same bytes with one base as with the other.
    """
    sidecar = joined(published, (0, 0), [size]).sidecar
    activations = (
        other.whole.releases[0].activations if (other.whole.releases) else ()
    )
    release = Release(size.base_sha256, NO_DIGEST, activations)
    patch = dataclasses.replace(other.whole, releases=(release,))
    model = patched_model(
        memoryview(published.model), sidecar, patch, fit(sidecar, patch)
    )
    if model != other.model:
        raise StructureError(
            "A base at another size must be what an export at that size "
            f"writes. Received: another model at {size.height} x "
            f"{size.width} pixels, which is an error of this program; please "
            "report it."
        )

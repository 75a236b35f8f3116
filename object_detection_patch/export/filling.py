"""A structure and the base's numbers -> base.tflite and its sidecar."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export.assembly import NO_DIGEST
from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.norms import norm_of
from object_detection_patch.export.structure import Structure
from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    Release,
    Replace,
    ScaleOffset,
)
from object_detection_patch.patch_file.edits import is_slot, place_of
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.layout import base_places
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.sidecar import (
    INT8,
    Bias,
    Sidecar,
    Vector,
)
from object_detection_patch.tflite.sidecar_file import to_bytes


@dataclasses.dataclass(frozen=True)
class Published:
    """A base as it is shipped.

    Args:
      whole: the base as a patch that replaces all of it.
    """

    model: bytes
    sidecar: Sidecar
    whole: Patch

    @property
    def sidecar_bytes(self) -> bytes:
        return to_bytes(self.sidecar)


def fill(
    structure: Structure,
    *,
    tensors: Mapping[str, np.ndarray],
    epsilons: Mapping[str, float],
    label_map: Sequence[LabelMapItem],
    metadata: bytes,
    activations: Sequence[tuple[float, int]],
) -> Published:
    """The published base with its own numbers, by the phone's arithmetic.

    Args:
      tensors: stable name -> value, base and heads.
      epsilons: name of a BatchNorm -> its epsilon.
      metadata: the TFLite Model Metadata.
      activations: scale and zero point of each; empty unless int8.
    """
    empty = dataclasses.replace(
        structure.sidecar,
        base_fingerprint=_fingerprint(tensors),
        norms=tuple(
            norm_of(norm.name, tensors, epsilons[norm.name])
            for norm in structure.sidecar.norms
        ),
    )
    patch = _whole_model(empty, tensors, label_map, metadata, activations)
    model = bytes(
        patched_model(
            memoryview(structure.model), empty, patch, fit(empty, patch)
        )
    )
    classes = max(item.id for item in label_map)
    finished = _finished(empty, tensors, classes, metadata, model)
    return Published(model, finished, patch)


def _fingerprint(tensors: Mapping[str, np.ndarray]) -> str:
    return hosts_lib.fingerprint(
        {
            name: value
            for name, value in tensors.items()
            if place_of(name) not in hosts_lib.HEADS and not is_slot(name)
        }
    )


def _whole_model(
    sidecar: Sidecar,
    tensors: Mapping[str, np.ndarray],
    label_map: Sequence[LabelMapItem],
    metadata: bytes,
    activations: Sequence[tuple[float, int]],
) -> Patch:
    """A patch that replaces everything: the base, seen from the probe."""
    norms = [
        ScaleOffset(norm.name, norm.gamma, norm.beta) for norm in sidecar.norms
    ]
    names = [kernel.name for kernel in sidecar.kernels]
    names += [bias.name for bias in sidecar.biases]
    releases = ()
    if sidecar.precision == INT8:
        releases = (Release(NO_DIGEST, NO_DIGEST, tuple(activations)),)
    return Patch(
        "BASE",
        sidecar.base_fingerprint,
        (*norms, *(Replace(name, tensors[name]) for name in names)),
        tuple(label_map),
        releases=releases,
        model_metadata=metadata,
    )


def _finished(
    empty: Sidecar,
    tensors: Mapping[str, np.ndarray],
    classes: int,
    metadata: bytes,
    model: bytes,
) -> Sidecar:
    """The sidecar of the written base: its sizes, its sharing, its digests."""
    targets = _targets(empty, model)
    finished = dataclasses.replace(
        empty,
        base_sha256=hashlib.sha256(model).hexdigest(),
        base_bytes=len(model),
        classes=classes,
        vectors=_written_vectors(empty, classes, metadata, targets),
        biases=tuple(
            Bias(bias.name, tensors[bias.name].astype(np.float32))
            for bias in empty.biases
        ),
        kernels=tuple(kernel.for_classes(classes) for kernel in empty.kernels),
    )
    placed = [place.count_position for place in base_places(finished)]
    if placed != targets:
        raise StructureError(
            "A published base must be laid out as its sidecar says. Received: "
            "vectors elsewhere, which is an error of this program."
        )
    return finished


def _targets(sidecar: Sidecar, model: bytes) -> list[int]:
    """Where the link to each vector leads."""
    links = {link.vector: link.position for link in sidecar.links}
    return [
        links[index] + struct.unpack_from("<I", model, links[index])[0]
        for index in range(len(sidecar.vectors))
    ]


def _written_vectors(
    empty: Sidecar, classes: int, metadata: bytes, targets: list[int]
) -> tuple[Vector, ...]:
    vectors = list(empty.vectors_for_classes(classes))
    if empty.metadata_vector is not None:
        vectors[empty.metadata_vector] = Vector(1, len(metadata))
    for index, vector in enumerate(vectors):
        if vector.leader is not None:
            shared = targets[index] == targets[vector.leader]
            vectors[index] = dataclasses.replace(vector, shared=shared)
    return tuple(vectors)

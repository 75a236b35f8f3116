"""Finds the structure that all models of one architecture have as TFLite."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection_patch.export import mapping, routing
from object_detection_patch.export.assembly import Assembly
from object_detection_patch.export.class_numbers import find_class_numbers
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.export.probe import Probe
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.skeleton import Skeleton, take_apart
from object_detection_patch.tflite.layout import place_after
from object_detection_patch.tflite.sidecar import FLOAT16, Sidecar

# Unlike each other and unlike what boxes have, so that no two constants of a
# model are equal by chance and merge.
PROBE_CLASSES = (13, 29)


@dataclasses.dataclass(frozen=True)
class Structure:
    """What the probes told about the models of one architecture.

    Args:
      sidecar: complete but for numbers and digests, for `PROBE_CLASSES[0]`.
      model: a file in the published layout with the probe's numbers.
      margin: how many times nearer the best match of any constant was than
        the next one, at least.
    """

    sidecar: Sidecar
    model: bytes
    margin: float


def find(
    pipeline: Any,
    *,
    precision: str,
    capacity: int,
    max_detections: int,
    regular_nms: bool,
    steps: Steps,
    policy: PolicySize | None = None,
) -> Structure:
    """Converts two probes of an architecture and maps their constants.

    Args:
      policy: of a routing base; None for an ordinary one.

    Raises:
      TensorMapError, StructureError: if the converter's graph cannot be
        mapped; the message names what.
    """
    probes = []
    for seed, classes in enumerate(PROBE_CLASSES):
        steps.begin(
            f"converting a model of random weights ({seed + 1} of "
            f"{len(PROBE_CLASSES)}), to find what lies where"
        )
        probes.append(
            Probe(
                pipeline,
                classes=classes,
                precision=precision,
                max_detections=max_detections,
                regular_nms=regular_nms,
                seed=seed,
            )
        )
    steps.begin("mapping constants")
    return find_structure(
        *probes, precision=precision, capacity=capacity, policy=policy
    )


def find_structure(
    probe: Probe,
    other: Probe,
    *,
    precision: str,
    capacity: int,
    policy: PolicySize | None = None,
) -> Structure:
    """Maps every constant of the models of one architecture.

    Args:
      probe, other: of `PROBE_CLASSES` classes, converted alike; their graphs
        are changed.
      policy: see `find`.

    Raises:
      TensorMapError: if a constant comes from no tensor, or from several.
      StructureError: if the two graphs differ in more than classes.
    """
    mapped = [mapping.map_probe(one) for one in (probe, other)]
    mapping.check_alike(*(one.sources for one in mapped))
    if policy is not None:
        half = precision == FLOAT16
        (probe, other), mapped = zip(
            *(
                routing.route(one, its, policy, half=half)
                for one, its in zip((probe, other), mapped, strict=True)
            ),
            strict=True,
        )
    first, second = (
        take_apart(one.graph, names=its.kernel_names())
        for one, its in zip((probe, other), mapped, strict=True)
    )
    numbers = find_class_numbers(
        first.data,
        second.data,
        classes=probe.classes,
        other_classes=other.classes,
        written=_written(first),
    )
    assembly = Assembly(probe, other, mapped[0], first, precision)
    sidecar = assembly.sidecar(numbers, capacity)
    return Structure(
        sidecar,
        _laid_out(sidecar, first, assembly.contents()),
        min(one.margin for one in mapped),
    )


def _written(skeleton: Skeleton) -> list[int]:
    positions = list(skeleton.links.values())
    for activation in skeleton.activations:
        positions.append(activation.scale_position)
        positions += [
            activation.zero_point_position,
            activation.zero_point_position + 4,
        ]
    return positions


def _laid_out(
    sidecar: Sidecar, skeleton: Skeleton, contents: Sequence[np.ndarray]
) -> bytes:
    """A file whose vectors lie where `base_places` of its sidecar looks."""
    model = bytearray(skeleton.data)
    for vector, items in zip(sidecar.vectors, contents, strict=True):
        place = place_after(len(model), vector)
        model += bytes(place.count_position - len(model))
        model += struct.pack("<I", vector.items)
        model += items.tobytes()
    return bytes(model)

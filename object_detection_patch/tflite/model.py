"""base.tflite + sidecar + patch -> the bytes of task.tflite.

The reference for `native/`: the same bytes, in plain numpy.
"""

from __future__ import annotations

import dataclasses
import struct

from object_detection_patch.patch_file import Patch
from object_detection_patch.tflite.contents import Contents
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.fit import Fit
from object_detection_patch.tflite.labels import labels_archive
from object_detection_patch.tflite.layout import Place, place_after
from object_detection_patch.tflite.limits import MAX_MODEL_BYTES
from object_detection_patch.tflite.sidecar import InputSize, Sidecar


def patched_model(
    base: memoryview, sidecar: Sidecar, patch: Patch, fit: Fit
) -> bytearray:
    """The bytes of the task's model.

    Args:
      base: base.tflite, already compared with the sidecar.
      fit: of this patch and sidecar.

    Raises:
      NumberError: if a number of the result is not finite or out of range,
        or the result too large.
    """
    model = bytearray(base[: sidecar.skeleton_bytes])
    if fit.size is not None:
        _write_words(model, fit.size)
    contents = Contents(base, sidecar, patch, fit)
    places = _append_vectors(model, sidecar, contents)
    _write_links(model, sidecar, places)
    _write_class_numbers(model, sidecar, fit)
    _write_activations(model, sidecar, fit)
    _check_size(model)
    model += labels_archive(patch.label_map, start=len(model))
    _check_size(model)
    return model


def _write_words(model: bytearray, size: InputSize) -> None:
    for position, word in size.words.items():
        struct.pack_into("<I", model, position, word)


def _append_vectors(
    model: bytearray, sidecar: Sidecar, contents: Contents
) -> list[Place]:
    places: list[Place] = []
    for index, vector in enumerate(sidecar.vectors):
        data = contents.data(index)
        if vector.leader is not None:
            leader = places[vector.leader]
            if model[leader.start : leader.end] == data:
                places.append(leader)
                continue
        items = len(data) // vector.item_bytes
        place = place_after(
            len(model), dataclasses.replace(vector, items=items)
        )
        model += bytes(place.count_position - len(model))
        model += struct.pack("<I", items)
        model += data
        places.append(place)
    return places


def _write_links(
    model: bytearray, sidecar: Sidecar, places: list[Place]
) -> None:
    for link in sidecar.links:
        distance = places[link.vector].count_position - link.position
        struct.pack_into("<I", model, link.position, distance)


def _write_class_numbers(model: bytearray, sidecar: Sidecar, fit: Fit) -> None:
    for number in sidecar.class_numbers:
        value = number.factor * (fit.classes + number.addend)
        struct.pack_into("<i", model, number.position, value)


def _write_activations(model: bytearray, sidecar: Sidecar, fit: Fit) -> None:
    values = () if fit.release is None else fit.release.activations
    for activation, (scale, zero_point) in zip(
        sidecar.activations, values, strict=True
    ):
        struct.pack_into("<f", model, activation.scale_position, scale)
        struct.pack_into(
            "<q", model, activation.zero_point_position, zero_point
        )


def _check_size(model: bytearray) -> None:
    if len(model) > MAX_MODEL_BYTES:
        raise NumberError(
            f"A model may have {MAX_MODEL_BYTES} bytes. Received: {len(model)}."
        )

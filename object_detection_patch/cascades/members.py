"""The detectors of a base and its patches: what each finds, and costs."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from object_detection_patch.checkpoints import extract, merge
from object_detection_patch.od_api import (
    checks,
    evaluation,
    input_size,
    label_map,
)
from object_detection_patch.patch_file import (
    FingerprintError,
    Patch,
    read_patch,
)
from object_detection_patch.profiling import costs, ssd


@dataclasses.dataclass(frozen=True)
class Member:
    """A detector that a cascade may have.

    Args:
      patch: its file.
      image_size: (height, width) in pixels.
      flops: of the forward pass of one image, resizing and post-processing
        left out.
      images: what it found in each image, pixels left out.
    """

    patch: str
    image_size: tuple[int, int]
    flops: int
    images: list[evaluation.EvaluatedImage]


def read_patches(paths: Sequence[str]) -> list[Patch]:
    """Reads patches of one task.

    Raises:
      FingerprintError: for patches of different bases.
      ValueError: for fewer than two, a file given twice, or patches of
        different classes.
    """
    if len(paths) < 2 or len(set(map(os.path.realpath, paths))) < len(paths):
        raise ValueError(
            "A cascade needs two patches or more, each once (`--patches`). "
            f"Received: {', '.join(paths)}."
        )
    patches = [read_patch(path) for path in paths]
    for path, patch in zip(paths, patches, strict=True):
        if patch.label_map != patches[0].label_map:
            raise ValueError(
                "The patches of a cascade must be of one task: all detect the "
                f"same classes. Received: {paths[0]} and {path}, whose labels "
                "differ."
            )
        if patch.base_fingerprint != patches[0].base_fingerprint:
            raise FingerprintError(
                "The patches of a cascade must be of one base. Received: "
                f"{paths[0]} of base {patches[0].base_fingerprint[:12]} and "
                f"{path} of base {patch.base_fingerprint[:12]}."
            )
    return patches


def check(paths: Sequence[str], records: Mapping[str, str | None]) -> None:
    """Refuses, before any detector runs, what could not be run or compared.

    Args:
      paths: of patches.
      records: option -> pattern of record files, or None where not given.

    Raises:
      ValueError: for whatever `read_patches` refuses, records that cannot be
        read or have classes that the patches lack, and a file of records
        under two options.
    """
    items = _items(read_patches(paths)[0])
    owner: dict[str, str] = {}
    for option, pattern in records.items():
        if pattern is None:
            continue
        for file in checks.check_records(
            [pattern], items, option=f"`{option}`", labels=paths[0]
        ):
            other = owner.setdefault(os.path.realpath(file), option)
            if other != option:
                raise ValueError(
                    "A cascade is measured on other images than it is chosen "
                    f"on. Received: {file} under `{other}` and `{option}`."
                )


def members(
    base_config: str,
    base_checkpoint: str,
    paths: Sequence[str],
    records: Sequence[str],
) -> Iterator[Member]:
    """Merges each patch into the base and runs it over records, in order.

    Raises:
      FingerprintError: for a patch of another base.
      ValueError: for whatever does not fit.
    """
    patches = read_patches(paths)
    checkpoint = extract.find_checkpoint(base_checkpoint)
    with tempfile.TemporaryDirectory(prefix="od-patch-") as folder:
        labels = _label_file(patches[0], folder)
        for path, patch in zip(paths, patches, strict=True):
            pipeline = merge.task_pipeline(base_config, patch, folder)
            size = input_size.fixed_size(pipeline, base_config)
            model = merge.merged_model(pipeline, checkpoint, patch)
            found = evaluation.detect(model, records, label_map_path=labels)
            images = [_without_pixels(image) for image in found]
            yield Member(path, size, forward_flops(model, size), images)


def forward_flops(model: Any, size: tuple[int, int]) -> int:
    """FLOPs of one image's forward pass in inference mode."""
    network = ssd.network_of(model, 1, size, is_training=False)
    return costs.in_sum(costs.by_layer(network, slots=0)).forward_flops


def _label_file(patch: Patch, folder: str) -> str:
    path = os.path.join(folder, "label_map.pbtxt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(label_map.label_map_text(_items(patch)))
    return path


def _items(patch: Patch) -> list[tuple[int, str, str]]:
    return [(i.id, i.name, i.display_name) for i in patch.label_map]


def _without_pixels(
    image: evaluation.EvaluatedImage,
) -> evaluation.EvaluatedImage:
    # A view would keep the pixels alive.
    return dataclasses.replace(image, image=image.image[:0].copy())

"""The figures of one evaluated patch; docs/gpu_and_tpu.md lists them all.

They are what a decathlon's report has of each run, computed alike, so a task
that is trained alone can be laid beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from object_detection_patch.decathlon import evaluated, score
from object_detection_patch.footprint import BaseSize, Footprint
from object_detection_patch.methods.patch_method import GateState
from object_detection_patch.patch_file import Patch
from object_detection_patch.training import shipped
from object_detection_patch.training.block_use import BlockUse

_MapDefinition = Literal["coco", "pascal"]
_MEGABYTE = 1e6
_KILOBYTE = 1e3


def cost_figures(size: Footprint, base: BaseSize) -> dict[str, float]:
    """Nominal size in percent of the base, floats of 32 and of 8 bits."""
    return {
        "nominal_footprint_percent": 100 * size.fraction(base, bits=32),
        "nominal_footprint_8_bits_percent": 100 * size.fraction(base, bits=8),
    }


def gate_figures(gates: Sequence[GateState]) -> dict[str, float]:
    """Open gates in percent, by kernels and by weights, of all and by place.

    Empty for a method without gates.
    """
    if not gates:
        return {}
    figures = _open_shares(gates, "")
    for place in dict.fromkeys(gate.place for gate in gates):
        there = [gate for gate in gates if gate.place == place]
        figures |= _open_shares(there, f"/{place}")
    return figures


def route_figures(use: BlockUse | None) -> dict[str, float]:
    """Tuned blocks of an image on average, and blocks on which images differ.

    Empty for a method that routes nothing.
    """
    if use is None:
        return {}
    contested = sum(0 < share < 1 for share in use.shares)
    return {
        "tuned_blocks": float(sum(use.shares)),
        "contested_blocks": float(contested),
    }


def file_figures(
    patch: Patch, class_head: frozenset[str], target: int | None = None
) -> dict[str, float]:
    """Bytes of the patch's file, by encoding, and those it may have.

    Args:
      class_head: targets of the class head's last layer, without which the
        file is weighed a second time.
      target: `target_file_bytes` of its config.

    Raises:
      PatchFileError: for a patch that no file may hold.
    """
    headless = shipped.without(patch, class_head)
    bound = {} if target is None else {"target_file_bytes": target}
    return bound | {
        f"{name}/{encoding}": size
        for name, weighed in (
            ("file_bytes", patch),
            ("file_bytes_without_class_head", headless),
        )
        for encoding, size in shipped.file_bytes(weighed).items()
    }


def map_figures(images: Sequence[evaluated.Evaluated]) -> dict[str, float]:
    """mAP at IoU 0.5 in [0, 1], by the decathlon's two definitions.

    Boxes that the records call difficult, a crowd or a group are no objects
    to be found.

    Raises:
      ValueError: if there is nothing to be found, or boxes are malformed.
    """
    return {
        f"map_{definition}": evaluated.measure(
            images, definition=definition
        ).value
        for definition in get_args(_MapDefinition)
    }


def value_figures(
    figures: Mapping[str, float],
    size: Footprint,
    fine_tuning_map: float | None,
) -> dict[str, float]:
    """What the mAP costs, and the task's Score if a reference is known.

    Args:
      figures: those of the functions above; what they lack is left out here.
      fine_tuning_map: mAP of fine-tuning in [0, 1), or None.
    """
    if "map_coco" not in figures:
        return {}
    achieved = figures["map_coco"]
    megabytes = size.nominal_bits(bits=32) / 8 / _MEGABYTE
    values = {"map_per_nominal_megabyte": achieved / megabytes}
    if "file_bytes/small" in figures:
        kilobytes = figures["file_bytes/small"] / _KILOBYTE
        values["map_per_file_kilobyte"] = achieved / kilobytes
    if fine_tuning_map is not None:
        values |= _scores(
            achieved,
            fine_tuning_map,
            figures["nominal_footprint_percent"] / 100,
        )
    return values


def _scores(
    achieved: float, fine_tuning: float, footprint: float
) -> dict[str, float]:
    reached = score.decathlon_score({"task": achieved}, {"task": fine_tuning})
    return {
        "score": reached,
        "score_per_footprint": score.score_per_footprint(reached, footprint),
    }


def _open_shares(gates: Sequence[GateState], suffix: str) -> dict[str, float]:
    opened = [gate.weights for gate in gates if gate.is_open]
    weights = sum(gate.weights for gate in gates)
    return {
        f"patched_layers_percent{suffix}": 100 * len(opened) / len(gates),
        f"patched_weights_percent{suffix}": 100 * sum(opened) / weights,
    }

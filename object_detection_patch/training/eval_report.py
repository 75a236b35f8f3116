"""What an evaluation shows of a patch beside the OD API's metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch import pictures
from object_detection_patch.methods import PatchMethod
from object_detection_patch.od_api.eval_loop import Evaluation
from object_detection_patch.protos import patch_pb2
from object_detection_patch.training import (
    block_use,
    cost,
    eval_figures,
    shipped,
)

_LOG = logging.getLogger(__name__)
# Figure without which a text is left out -> the text.
_IN_WORDS = {
    "map_coco": "mAP@0.5 {map_coco:.3f} (Pascal {map_pascal:.3f})",
    "nominal_footprint_percent": (
        "nominal footprint {nominal_footprint_percent:.2f} % of the base "
        "({nominal_footprint_8_bits_percent:.2f} % at 8 bits)"
    ),
    "file_bytes/small": (
        "patch file {file_bytes/small:,} bytes small, "
        "{file_bytes/exact:,} exact"
    ),
    "target_file_bytes": (
        "{file_bytes/compact:,} compact for a target of {target_file_bytes:,}"
    ),
    "patched_layers_percent": "{patched_layers_percent:.0f} % of gates open",
    "tuned_blocks": "{tuned_blocks:.1f} tuned blocks an image",
    "score": "Score {score:.0f}",
    "score_per_footprint": "Score/Footprint {score_per_footprint:.0f}",
}


def check(config: patch_pb2.Patch) -> None:
    """Raises ValueError for a reference that no Score can be relative to."""
    reference = _reference(config)
    # Written so that NaN, which compares false, is refused too.
    if reference is not None and not 0.0 <= reference < 1.0:
        raise ValueError(
            "`reporting.fine_tuning_map` must lie in [0, 1): the mAP@0.5 of "
            "fine-tuning as a fraction (71 % is 0.71), below a perfect one, "
            f"which leaves no room to score. Received: {reference:g} "
            "(pipeline.config, [object_detection_patch.patch])."
        )


def write_patch_report(config: patch_pb2.Patch, evaluation: Evaluation) -> None:
    """Writes the figures of `eval_figures`, pictures of gates and routes.

    Runs under the evaluation's summary writer, after its metrics. What the
    evaluated patch does not allow is left out with a warning: its numbers may
    be NaN, and evaluations go on.
    """
    method = evaluation.model.patch
    figures = _figures(config, evaluation)
    for name, value in figures.items():
        tf.summary.scalar(f"patch/{name}", value, step=evaluation.step)
    _write_gates(method, evaluation.step)
    _write_routes(evaluation)
    _warn_of_cut_boxes(evaluation)
    _LOG.info("%s", _line(method, evaluation.step, figures))


def _figures(
    config: patch_pb2.Patch, evaluation: Evaluation
) -> dict[str, float]:
    method = evaluation.model.patch
    size = cost.patch_footprint(method)
    figures = eval_figures.cost_figures(size, cost.base_size(method.hosts))
    figures |= eval_figures.gate_figures(method.gates())
    figures |= eval_figures.route_figures(_routes(evaluation))
    figures |= _or_warning("patch file", lambda: _file_figures(evaluation))
    figures |= _or_warning(
        "mAP", lambda: eval_figures.map_figures(evaluation.images)
    )
    return figures | eval_figures.value_figures(
        figures, size, _reference(config)
    )


def _file_figures(evaluation: Evaluation) -> dict[str, float]:
    patch = shipped.shipped_patch(
        evaluation.model, evaluation.pipeline, step=evaluation.step
    )
    method = evaluation.model.patch
    return eval_figures.file_figures(
        patch,
        cost.uncounted_names(method.hosts),
        method.target_file_bytes,
    )


def _or_warning(
    what: str, figures: Callable[[], dict[str, float]]
) -> dict[str, float]:
    try:
        return figures()
    except ValueError as error:
        _LOG.warning(
            "This evaluation has no figures of the %s: %s", what, error
        )
        return {}


def _write_gates(method: PatchMethod, step: int) -> None:
    gates = method.gates()
    if gates:
        chart = pictures.gate_chart(
            [
                (gate.host, gate.place, gate.is_open, gate.weights)
                for gate in gates
            ],
            title=f"{method.method}, step {step}",
        )
        tf.summary.image("patch/gates", np.asarray(chart)[None], step=step)


def _routes(evaluation: Evaluation) -> block_use.BlockUse | None:
    return block_use.block_use(evaluation.model.patch, evaluation.seen)


def _write_routes(evaluation: Evaluation) -> None:
    use = _routes(evaluation)
    if use is not None:
        method = evaluation.model.patch.method
        chart = pictures.policy_chart(
            use.shares,
            use.histogram,
            title=f"{method}, step {evaluation.step}",
        )
        step = evaluation.step
        tf.summary.image("patch/routes", np.asarray(chart)[None], step=step)


def _warn_of_cut_boxes(evaluation: Evaluation) -> None:
    """The OD API's reader passes over boxes beyond a limit, in silence."""
    limit = evaluation.pipeline.eval_input_reader[0].max_number_of_boxes
    full = sum(len(image.true_boxes) >= limit for image in evaluation.images)
    if full:
        _LOG.warning(
            "%d images have %d boxes or more; what is beyond counts in no "
            "mAP. Raise `eval_input_reader.max_number_of_boxes` "
            "(pipeline.config).",
            full,
            limit,
        )


def _line(method: PatchMethod, step: int, figures: dict[str, float]) -> str:
    """The essential figures for people, those that are known."""
    known = [
        text.format_map(figures)
        for name, text in _IN_WORDS.items()
        if name in figures
    ]
    base = method.base_fingerprint[:12]
    return f"{method.method} on base {base}, step {step}: {', '.join(known)}"


def _reference(config: patch_pb2.Patch) -> Any:
    if config.reporting.HasField("fine_tuning_map"):
        return config.reporting.fine_tuning_map
    return None

"""What an evaluation shows of a patch beside the OD API's metrics."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch import pictures
from object_detection_patch.training import cost


def write_patch_report(
    model: Any, metrics: dict[str, Any], global_step: Any
) -> None:
    """Writes patched layers, footprint and a picture of the gates.

    Runs under the evaluation's summary writer, after its metrics.
    """
    method = model.patch
    fingerprint = method.base_fingerprint
    base = cost.base_size(method.hosts)
    fraction = cost.patch_footprint(method).fraction(base, bits=32)
    tf.summary.scalar(
        "patch/nominal_footprint_percent", 100.0 * fraction, step=global_step
    )
    gates = method.gates()
    if gates:
        opened = sum(gate.is_open for gate in gates)
        tf.summary.scalar(
            "patch/patched_layers_percent",
            100.0 * opened / len(gates),
            step=global_step,
        )
        chart = pictures.gate_chart(
            [
                (gate.host, gate.place, gate.is_open, gate.weights)
                for gate in gates
            ],
            title=f"{method.method}, step {int(global_step)}",
        )
        tf.summary.image(
            "patch/gates", np.asarray(chart)[None], step=global_step
        )
    logging.getLogger(__name__).info(
        "%s on base %s: %s mAP@0.5, nominal footprint %.2f %% of the base",
        method.method,
        fingerprint[:12],
        _map_text(metrics),
        100.0 * fraction,
    )


def _map_text(metrics: dict[str, Any]) -> str:
    for key, value in metrics.items():
        if key.endswith("mAP@.50IOU"):
            return f"{float(value):.3f}"
    return "no"

"""What TensorBoard shows of a patch while it is trained."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from object_detection_patch.methods import PatchMethod
from object_detection_patch.training import cost

_BITS = 32


class PatchStateWriter:
    """Writes the share of patched layers and the nominal footprint.

    Both in percent: open gates of all gated kernels, and bits of the patch
    at 32 bits a float of the base model's. Sizes are counted once, outside
    the traced step; only the gates are read at every step. With a
    `target_file_bytes` it writes the most bytes that the file can have, too.
    """

    def __init__(self) -> None:
        self._sizes: tuple[float, dict[str, float], float] | None = None

    def prepare(self, method: PatchMethod) -> None:
        self._sizes = _sizes(method)

    def __call__(self, model: Any, global_step: Any) -> None:
        gates = model.patch.gate_tensors()
        if not gates or self._sizes is None:
            return
        closed_bits, gate_bits, base_bits = self._sizes
        tf.summary.scalar(
            "patch/patched_layers_percent",
            100.0 * tf.add_n(list(gates.values())) / len(gates),
            step=global_step,
        )
        bits = closed_bits + tf.add_n(
            [gate * gate_bits[name] for name, gate in gates.items()]
        )
        tf.summary.scalar(
            "patch/nominal_footprint_percent",
            100.0 * bits / base_bits,
            step=global_step,
        )
        if model.patch.budget is not None:
            tf.summary.scalar(
                "patch/most_file_bytes",
                model.patch.budget.open_bytes(),
                step=global_step,
            )


def _sizes(method: PatchMethod) -> tuple[float, dict[str, float], float]:
    closed = cost.patch_footprint(method, gates="closed")
    gate_bits = {
        gate.host: float(gate.weights + _BITS) for gate in method.gates()
    }
    base = cost.base_size(method.hosts)
    return (
        float(closed.nominal_bits(bits=_BITS)),
        gate_bits,
        float(_BITS * base.total),
    )

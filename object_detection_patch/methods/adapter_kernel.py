"""A convolution and its residual adapter as one kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.hosts import HostKernel
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.patch_file import adapter_edits, edits

PARALLEL, SERIES = "PARALLEL", "SERIES"


@keras.utils.register_keras_serializable("object_detection_patch")
class AdapterKernel(base.KernelPatch):
    """A convolution and its residual adapter as one kernel.

    PARALLEL: kernel' = kernel + A at the centre,    A (in, out)
    SERIES:   kernel' = kernel (I + A),              A (out, out)

    which are y = W * x + A x and y = (I + A) (W * x) for the layer's output.
    A = L R for a rank above 0. R, or all of A, starts at 0, so the task starts
    at the base model exactly.

    Args:
      topology: PARALLEL or SERIES.
      rank: columns of L; 0 for a whole A.
      weight_decay: of A, or of L and R; see `penalties`.
      left_only: L trains and R stays as it starts, for a rank above 0.
      dropout: share of the rows of A, the channels that the adapter reads,
        that a training step leaves out; the others grow by 1 / (1 - dropout).

    Input: the frozen kernel, float [h, w, in, out]; output alike.
    Stored per host: in * out or out^2 floats; rank * (in + out) or
    rank * 2 out of a product.
    Reference: Rebuffi et al., Sections 3.1.1, 3.1.2, 3.3 and 3.4. Where we
    differ: the paper drops channels for each image, we for the images of a
    step together, since what trains is one kernel; its code has a BatchNorm
    of its own in front of a series adapter, we have the equation's; and a
    bias of the host is added behind a series adapter, where the BatchNorm
    that follows takes it up.
    """

    def __init__(
        self,
        *,
        topology: str = PARALLEL,
        rank: int = 0,
        weight_decay: float = 1e-4,
        dropout: float = 0.0,
        left_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topology = topology
        self.rank = rank
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.left_only = left_only

    def build(self, kernel_shape: Any) -> None:
        height, width, inputs, outputs = kernel_shape
        self.centre = (height // 2, width // 2)
        self.extent = (height, width)
        self.rows = outputs if self.topology == SERIES else inputs
        if self.rank:
            self.left = self.add_weight(
                name="left",
                shape=(self.rows, self.rank),
                initializer=keras.initializers.LecunNormal(),
            )
        self.right = self.add_weight(
            name="right",
            shape=(self.rank or self.rows, outputs),
            initializer="zeros",
            trainable=not (self.rank and self.left_only),
        )
        self.built = True

    def call(self, kernel: tf.Tensor, training: Any = None) -> tf.Tensor:
        frozen = tf.stop_gradient(tf.convert_to_tensor(kernel))
        first, *last = self._factors(training)
        if self.topology == SERIES:
            change = tf.tensordot(frozen, first, 1)
            return frozen + (tf.tensordot(change, *last, 1) if last else change)
        matrix = tf.matmul(first, *last) if last else first
        return frozen + self._at_centre(matrix)

    def penalties(self) -> dict[str, tf.Tensor]:
        """weight_decay / 2 * sum of squares: its gradient is weight decay."""
        if not self.weight_decay:
            return {}
        squares = [tf.reduce_sum(tf.square(w)) for w in self.trainable_weights]
        return {"adapter_decay": 0.5 * self.weight_decay * tf.add_n(squares)}

    def start_from(self, host: HostKernel, edit: edits.Edit) -> None:
        values = edit.values
        if self.rank:
            base.assign(self.left, values[:, : self.rows].T, host.name)
            values = values[:, self.rows :]
        base.assign(self.right, values, host.name)

    def edits(self, host: HostKernel) -> list[edits.Edit]:
        right = self.right.numpy()
        if self.rank:
            right = np.concatenate([self.left.numpy().T, right], axis=1)
        kind = {
            (PARALLEL, False): adapter_edits.AddAtCentre,
            (PARALLEL, True): adapter_edits.AddProductAtCentre,
            (SERIES, False): adapter_edits.MixOutputs,
            (SERIES, True): adapter_edits.MixOutputsByProduct,
        }[self.topology, self.rank > 0]
        return [kind(host.name, right)]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "topology": self.topology,
            "rank": self.rank,
            "weight_decay": self.weight_decay,
            "dropout": self.dropout,
            "left_only": self.left_only,
        }

    def _factors(self, training: Any) -> list[tf.Tensor]:
        """A, or L and R; in training without some rows."""
        weights = [self.left, self.right] if self.rank else [self.right]
        first, *last = map(tf.convert_to_tensor, weights)
        if not self.dropout:
            return [first, *last]
        kept = tf.nn.dropout(tf.ones((self.rows, 1)), self.dropout)
        dropped = keras.backend.in_train_phase(
            first * kept, first, training=training
        )
        return [dropped, *last]

    def _at_centre(self, matrix: tf.Tensor) -> tf.Tensor:
        around = [
            (at, size - 1 - at)
            for at, size in zip(self.centre, self.extent, strict=True)
        ]
        return tf.pad(matrix[None, None], [*around, (0, 0), (0, 0)])

"""Raw outputs of two detectors, and how far they are apart."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.od_api import base_model

# Share of the squared differences in the objective, beside its other terms.
_SQUARES = 0.1

# Box encodings [batch, anchors, 4] and class scores before the sigmoid [batch,
# anchors, classes], with or without a first column for the background.
Outputs = tuple[tf.Tensor, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class OutputDifference:
    """How far raw outputs are from the tuned detector's; 0 is equal.

    Args:
      boxes: RMS of the difference of box encodings, as a share of the RMS of
        the tuned detector's.
      classes: the same of class scores before the sigmoid.
      images: how many were compared.
    """

    boxes: float
    classes: float
    images: int

    @property
    def total(self) -> float:
        return float(np.hypot(self.boxes, self.classes))


def raw_outputs(model: Any, images: tf.Tensor, shapes: tf.Tensor) -> Outputs:
    """What a detector says in inference mode, before any post-processing.

    Args:
      images: float32 [batch, height, width, 3], as `model.preprocess` gives
        them.
      shapes: int32 [batch, 3], their true sizes.
    """
    base_model.set_training(model, False)
    found = model.predict(images, shapes)
    return found["box_encodings"], found["class_predictions_with_background"]


def output_difference(found: Outputs, tuned: Outputs) -> OutputDifference:
    """RMS of the differences, relative to the tuned detector's outputs."""

    def rms(values: tf.Tensor) -> float:
        return float(tf.sqrt(tf.reduce_mean(tf.square(values))))

    boxes, classes = (
        # Outputs that are all 0 would divide by it.
        rms(one - other) / max(rms(other), float(np.finfo(np.float32).tiny))
        for one, other in zip(found, tuned, strict=True)
    )
    return OutputDifference(boxes, classes, int(tuned[0].shape[0]))


def objective(found: Outputs, tuned: Outputs, num_classes: int) -> tf.Tensor:
    """What distillation lowers: smooth, and 0 where both say the same.

    With t the tuned scores and s those found, p = sigmoid(t), c = max p over
    the classes of an anchor, C = 1 + the sum of c over all anchors, and d the
    differences of box encodings:

        sum KL(p || sigmoid(s)) / C  +  sum c (sqrt(1 + d^2) - 1) / C
        +  0.1 (mean d^2 + mean (s - t)^2)

    The first two look where the tuned detector sees objects, as mAP does; the
    squares keep the background in place.

    Args:
      num_classes: of the task; a column of background may stand before them.
    """
    (boxes, scores), (tuned_boxes, tuned_scores) = found, tuned
    seen = tf.sigmoid(tuned_scores)
    confidence = tf.reduce_max(seen[..., -num_classes:], axis=-1)
    divergence = _cross_entropy(seen, scores) - _cross_entropy(
        seen, tuned_scores
    )
    apart = boxes - tuned_boxes
    huber = tf.reduce_sum(tf.sqrt(1.0 + tf.square(apart)) - 1.0, axis=-1)
    squares = tf.reduce_mean(tf.square(apart)) + tf.reduce_mean(
        tf.square(scores - tuned_scores)
    )
    weighted = tf.reduce_sum(divergence) + tf.reduce_sum(confidence * huber)
    return weighted / (1.0 + tf.reduce_sum(confidence)) + _SQUARES * squares


def _cross_entropy(labels: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=scores)

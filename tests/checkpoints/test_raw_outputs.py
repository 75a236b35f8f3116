"""The objective of distillation and its measure, against plain numpy."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.checkpoints import raw_outputs


def _outputs(seed, anchors=6, columns=4):
    generator = np.random.default_rng(seed)
    boxes = generator.normal(0, 2, (2, anchors, 4)).astype("float32")
    scores = generator.normal(-1, 3, (2, anchors, columns)).astype("float32")
    return boxes, scores


def _oracle(found, tuned, num_classes):
    boxes, scores = (value.astype(np.float64) for value in found)
    expected, t = (value.astype(np.float64) for value in tuned)
    p, q = 1 / (1 + np.exp(-t)), 1 / (1 + np.exp(-scores))
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    confidence = p[..., p.shape[-1] - num_classes :].max(axis=-1)
    d = boxes - expected
    huber = (np.sqrt(1 + d**2) - 1).sum(axis=-1)
    whole = 1 + confidence.sum()
    return (
        divergence.sum() / whole
        + (confidence * huber).sum() / whole
        + 0.1 * ((d**2).mean() + ((scores - t) ** 2).mean())
    )


@pytest.mark.parametrize("num_classes", [4, 3])
def test_objective_is_the_formula(num_classes):
    found, tuned = _outputs(1), _outputs(2)
    value = raw_outputs.objective(found, tuned, num_classes)
    assert float(value) == pytest.approx(
        _oracle(found, tuned, num_classes), rel=1e-5
    )


def test_objective_is_flat_zero_where_both_say_the_same():
    boxes, scores = (tf.constant(value) for value in _outputs(1))
    with tf.GradientTape() as tape:
        tape.watch([boxes, scores])
        value = raw_outputs.objective((boxes, scores), _outputs(1), 3)
    assert float(value) == pytest.approx(0, abs=1e-6)
    for gradient in tape.gradient(value, [boxes, scores]):
        np.testing.assert_allclose(gradient, 0, atol=1e-6)


def test_objective_is_finite_for_sure_scores():
    boxes, scores = _outputs(1)
    sure = tf.constant(np.where(scores > 0, 90, -90).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(sure)
        value = raw_outputs.objective((boxes, sure), (boxes, -sure), 3)
    assert np.isfinite(float(value))
    assert np.isfinite(tape.gradient(value, sure)).all()


def test_difference_is_a_share_of_the_tuned_outputs():
    found, tuned = _outputs(1), _outputs(2)
    difference = raw_outputs.output_difference(found, tuned)
    boxes, classes = (
        np.sqrt(((a - b) ** 2).mean() / (b**2).mean())
        for a, b in zip(found, tuned, strict=True)
    )
    assert difference.boxes == pytest.approx(boxes, rel=1e-5)
    assert difference.classes == pytest.approx(classes, rel=1e-5)
    assert difference.images == 2
    assert difference.total == pytest.approx(np.hypot(boxes, classes))


def test_difference_from_outputs_that_are_all_zero():
    zero = (np.zeros((1, 2, 4), "float32"), np.zeros((1, 2, 3), "float32"))
    assert raw_outputs.output_difference(zero, zero).total == 0

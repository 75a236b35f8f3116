"""A model that trains in LiteRT, of one number, built in seconds."""

from __future__ import annotations

import tempfile

import tensorflow as tf

from object_detection_patch.on_device import names


class _Toy(tf.Module):
    """The loss is the square of its one number, w, which begins at 2."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable([2.0])
        self.steps = tf.Variable(0)

    def train(self, images, boxes, classes, weights, learning_rate):
        loss = tf.reduce_sum(self.w**2)
        unused = [tf.reduce_sum(x) for x in (images, boxes, weights)]
        unused.append(tf.cast(tf.reduce_sum(classes), tf.float32))
        self.w.assign(self.w - learning_rate * 2 * self.w)
        self.steps.assign_add(1)
        return {"loss": loss + 0 * tf.add_n(unused)}

    def infer(self, images):
        scores = self.w * tf.reduce_sum(images)
        return {names.CLASSES: tf.tile(scores[None, None], [1, 5, 9])}

    def parameters(self):
        return {
            "w": tf.identity(self.w),
            names.STEPS: tf.identity(self.steps),
            names.FINGERPRINT: tf.range(32),
        }

    def restore(self, w, steps):
        self.w.assign(w)
        self.steps.assign(steps)
        return {names.STEPS: tf.identity(self.steps)}


def build(*, batch_size: int, side: int, max_boxes: int) -> bytes:
    """A .tflite for eight classes, images of `side` x `side` pixels."""
    toy = _Toy()
    signatures = {
        name: tf.function(getattr(toy, name)).get_concrete_function(
            **{
                key: tf.TensorSpec(shape, dtype, key)
                for key, (shape, dtype) in inputs.items()
            }
        )
        for name, inputs in _inputs(batch_size, side, max_boxes).items()
    }
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(toy, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.experimental_enable_resource_variables = True
        return converter.convert()


def _inputs(batch_size, side, max_boxes):
    places = [batch_size, max_boxes]
    return {
        names.TRAIN: {
            "images": ([batch_size, side, side, 3], tf.float32),
            "boxes": ([*places, 4], tf.float32),
            "classes": (places, tf.int32),
            "weights": (places, tf.float32),
            "learning_rate": ([], tf.float32),
        },
        names.INFER: {"images": ([1, side, side, 3], tf.float32)},
        names.PARAMETERS: {},
        names.RESTORE: {"w": ([1], tf.float32), "steps": ([], tf.int32)},
    }

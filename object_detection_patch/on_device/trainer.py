"""The functions of a model that trains where it runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import base_model
from object_detection_patch.on_device import names
from object_detection_patch.on_device.batch_norm import normalising_by_batch
from object_detection_patch.on_device.builtin_gradients import (
    builtin_gradients,
)
from object_detection_patch.training import trainable


@dataclasses.dataclass(frozen=True)
class Shapes:
    """What is fixed when a model is exported.

    Args:
      batch_size: images in a training step.
      image_size: (height, width) in pixels.
      max_boxes: of an image; fewer are filled up with boxes of weight 0.
    """

    batch_size: int
    image_size: tuple[int, int]
    max_boxes: int


class Trainer:
    """Signatures of a patched SSD whose patch trains tensors in place.

    What changes is variables; all else becomes constants of the file. Anchors
    are assigned in the graph, by the OD API's own code, so an app hands over
    boxes as they were drawn.

    Args:
      model: patched SSD on its restored base.
      momentum: of stochastic gradient descent; 0 holds no slots.
    """

    def __init__(self, model: Any, shapes: Shapes, *, momentum: float) -> None:
        hosts: Hosts = model.patch.hosts
        changed = trainable.moving_names(model, hosts)
        tensors = hosts.base_tensors() | hosts.head_tensors()
        self._names = names.signature_names(changed)
        self._changed = {name: tensors[name] for name in changed}
        self._trained = list(model.trainable_variables)
        kept = self._trained if momentum else []
        self._slots = [tf.Variable(tf.zeros_like(v)) for v in kept]
        self._steps = tf.Variable(0, name="steps")
        self._normalising = [
            host.layer
            for host in hosts.batch_norms
            if f"{host.name}/moving_mean" in self._changed
        ]
        self._momentum = momentum
        self._shapes = shapes
        self._model = model
        self._fingerprint = list(bytes.fromhex(model.patch.base_fingerprint))

    def variables(self) -> list[tf.Variable]:
        """All that the signatures read or write."""
        return [*self._model.variables, *self._slots, self._steps]

    @property
    def trained_parameters(self) -> int:
        """Numbers that a training step moves by their gradients."""
        return sum(v.shape.num_elements() for v in self._trained)

    def signatures(self) -> dict[str, Any]:
        """Name -> traced function."""
        batch, size = self._shapes.batch_size, self._shapes.image_size
        boxes = self._shapes.max_boxes
        train = tf.function(self._train).get_concrete_function(
            images=tf.TensorSpec([batch, *size, 3], name="images"),
            boxes=tf.TensorSpec([batch, boxes, 4], name="boxes"),
            classes=tf.TensorSpec([batch, boxes], tf.int32, "classes"),
            weights=tf.TensorSpec([batch, boxes], name="weights"),
            learning_rate=tf.TensorSpec([], name="learning_rate"),
        )
        infer = tf.function(self._infer).get_concrete_function(
            images=tf.TensorSpec([1, *size, 3], name="images")
        )
        restored = {self._names[n]: v for n, v in self._changed.items()}
        restored[names.STEPS] = self._steps
        restore = tf.function(self._restore).get_concrete_function(
            **{
                name: tf.TensorSpec(variable.shape, variable.dtype, name)
                for name, variable in restored.items()
            }
        )
        return {
            names.TRAIN: train,
            names.INFER: infer,
            names.PARAMETERS: tf.function(
                self._parameters
            ).get_concrete_function(),
            names.RESTORE: restore,
        }

    def _train(
        self,
        images: tf.Tensor,
        boxes: tf.Tensor,
        classes: tf.Tensor,
        weights: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        base_model.set_training(self._model, True)
        with (
            builtin_gradients(),
            normalising_by_batch(self._normalising) as statistics,
        ):
            loss = self._loss(images, boxes, classes, weights)
            gradients = tf.gradients(loss, self._trained)
        moves = self._with_momentum(gradients)
        for variable, move in zip(self._trained, moves, strict=True):
            variable.assign(variable - learning_rate * move)
        for variable, value in statistics:
            variable.assign(value)
        self._steps.assign(self._steps + 1)
        return {"loss": loss}

    def _with_momentum(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        if not self._slots:
            return gradients
        moves = [
            self._momentum * slot + gradient
            for slot, gradient in zip(self._slots, gradients, strict=True)
        ]
        for slot, move in zip(self._slots, moves, strict=True):
            slot.assign(move)
        return moves

    def _loss(
        self,
        images: tf.Tensor,
        boxes: tf.Tensor,
        classes: tf.Tensor,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        model = self._model
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(boxes),
            groundtruth_classes_list=tf.unstack(
                tf.one_hot(classes, model.num_classes)
            ),
            groundtruth_weights_list=tf.unstack(weights),
        )
        shapes = self._true_shapes(images)
        losses = model.loss(model.predict(images, shapes), shapes)
        return tf.add_n([*losses.values(), *model.regularization_losses()])

    def _infer(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        base_model.set_training(self._model, False)
        found = self._model.predict(images, self._true_shapes(images))
        return {name: found[name] for name in (names.BOXES, names.CLASSES)}

    def _parameters(self) -> dict[str, tf.Tensor]:
        found = {
            self._names[name]: tf.identity(variable)
            for name, variable in self._changed.items()
        }
        return found | {
            names.FINGERPRINT: tf.constant(self._fingerprint, tf.int32),
            names.STEPS: tf.identity(self._steps),
        }

    def _restore(self, **values: tf.Tensor) -> dict[str, tf.Tensor]:
        for name, variable in self._changed.items():
            variable.assign(values[self._names[name]])
        for slot in self._slots:
            slot.assign(tf.zeros_like(slot))
        self._steps.assign(values[names.STEPS])
        return {names.STEPS: tf.identity(self._steps)}

    def _true_shapes(self, images: tf.Tensor) -> tf.Tensor:
        return tf.constant([images.shape[1:].as_list()] * images.shape[0])

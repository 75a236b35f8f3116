"""Fits the numbers of a patch so that it answers as the tuned detector does.

The masks stay, and so does the file's size: trained are one scale a mask, and
gamma and beta of the BatchNorms that the patch holds. Heads stay exact.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.checkpoints.pair import Detector
from object_detection_patch.checkpoints.raw_outputs import (
    OutputDifference,
    objective,
    output_difference,
    raw_outputs,
)
from object_detection_patch.checkpoints.record_images import RecordImages
from object_detection_patch.keras_version import keras
from object_detection_patch.patch_file import (
    AddSigned,
    Edit,
    ScaleOffset,
    apply_edits,
)

BATCH_SIZE = 16
MEASURED_IMAGES = 32
# Adam's first rate, then a cosine down to 0. Of 0.01, 0.02 and 0.05 none was
# best on both of the demo's tasks; they end within 0.7 points of mAP.
_RATE = 0.02
_TRAINED = (AddSigned, ScaleOffset)

Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Distilled:
    """Edits and the output difference before and after training them.

    `edits` are those from before where training did not bring the outputs
    nearer; `after` is what training came to, None without a step.
    """

    edits: tuple[Edit, ...]
    steps: int
    before: OutputDifference
    after: OutputDifference | None

    @property
    def helped(self) -> bool:
        # An `after` that is NaN did not help either.
        return self.after is not None and self.after.total < self.before.total


def distill(
    base: Detector,
    tuned: Detector,
    edits: Sequence[Edit],
    *,
    records: str,
    steps: int,
) -> Distilled:
    """Trains scales and BatchNorms towards the tuned detector's outputs.

    The difference is measured on the first images of the records, which
    training sees too.

    Args:
      base: with room for the tuned heads; its model is written to.
      edits: the patch so far.
      records: pattern of TFRecords with `image/encoded`; nothing else in
        them is read.
      steps: of 16 images each; 0 only measures.

    Raises:
      ValueError: for records that are missing, unreadable or without images,
        images that do not come to one size, and outputs that become NaN.
    """
    values = base.base_tensors()
    images = RecordImages(records, tuned.model)
    measured = images.first(MEASURED_IMAGES)
    expected = raw_outputs(tuned.model, *measured)

    def difference() -> OutputDifference:
        return output_difference(raw_outputs(base.model, *measured), expected)

    write(base, values, edits)
    before = difference()
    if not steps or not any(isinstance(edit, _TRAINED) for edit in edits):
        return Distilled(tuple(edits), 0, before, None)
    trained = _train(base, tuned, edits, images, steps)
    write(base, values, trained)
    done = Distilled(trained, steps, before, difference())
    if done.helped:
        return done
    return dataclasses.replace(done, edits=tuple(edits))


def write(
    base: Detector, values: Mapping[str, np.ndarray], edits: Sequence[Edit]
) -> None:
    """Gives the base's model the values of the patched one.

    Args:
      values: stable name -> tensor of the base, heads left out.
    """
    variables = base.hosts.base_tensors() | base.hosts.head_tensors()
    for name, value in (dict(values) | apply_edits(values, edits)).items():
        variables[name].assign(value)


class _Moved:
    """variable = start + unit * amount, where `amount` is trained from 0.

    The unit makes amounts of different tensors alike, so that one learning
    rate suits all: a mask's scale moves by shares of itself, a BatchNorm's
    gamma and beta by shares of its mean gamma.
    """

    def __init__(self, variable: Any, unit: Any, amount_shape: Any) -> None:
        self.variable = variable
        self.start = tf.constant(variable.numpy())
        self.unit = tf.constant(unit, tf.float32)
        self.amount = tf.Variable(tf.zeros(amount_shape))

    def gradient(self, of_variable: tf.Tensor) -> tf.Tensor:
        product = of_variable * self.unit
        return product if self.amount.shape.rank else tf.reduce_sum(product)

    def write(self) -> None:
        self.variable.assign(self.start + self.unit * self.amount)


def _train(
    base: Detector,
    tuned: Detector,
    edits: Sequence[Edit],
    images: RecordImages,
    steps: int,
) -> tuple[Edit, ...]:
    """The edits after `steps` steps of Adam; `edits` are written already."""
    from tqdm import tqdm

    moved = _moved(base, edits)
    step = _step(base.model, tuned.model, list(moved.values()), steps)
    batches = images.batches(BATCH_SIZE, steps)
    with tqdm(total=steps, unit="step", desc="distilling") as bar:
        for batch in batches:
            loss = float(step(*batch))
            _refuse_divergence(loss, bar.n)
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            bar.update()
    return tuple(
        edit for edit in (_read(edit, moved) for edit in edits) if edit
    )


def _refuse_divergence(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        raise ValueError(
            "Distillation must keep outputs finite. Received: a difference "
            f"of {loss} at step {step}; without `--distill_records` the "
            "fitted scales ship as they are."
        )


def _moved(base: Detector, edits: Sequence[Edit]) -> dict[str, _Moved]:
    """Name of the written tensor -> what is trained of it."""
    variables = base.hosts.base_tensors()
    found = {}
    for edit in edits:
        if isinstance(edit, AddSigned):
            signs = np.where(edit.mask, -edit.scale, edit.scale)
            found[edit.target] = _Moved(variables[edit.target], signs, ())
        elif isinstance(edit, ScaleOffset):
            unit = np.sqrt(np.mean(np.square(edit.scale)))
            for name in (f"{edit.target}/gamma", f"{edit.target}/beta"):
                found[name] = _Moved(variables[name], unit, edit.scale.shape)
    return found


def _read(edit: Edit, moved: Mapping[str, _Moved]) -> Edit | None:
    """The edit as trained; None for a scale that came to 0."""
    if isinstance(edit, AddSigned):
        scale = edit.scale * (1.0 + float(moved[edit.target].amount))
        trained = dataclasses.replace(edit, scale=scale)
        return trained if trained.scale else None
    if isinstance(edit, ScaleOffset):
        gamma, beta = (
            moved[f"{edit.target}/{key}"].variable.numpy()
            for key in ("gamma", "beta")
        )
        return ScaleOffset(edit.target, gamma, beta)
    return edit


def _step(model: Any, tuned: Any, moved: Sequence[_Moved], steps: int) -> Step:
    """A function of one batch that trains once and returns the objective."""
    variables = [one.variable for one in moved]
    amounts = [one.amount for one in moved]
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(_RATE, steps)
    )
    optimizer.build(amounts)

    # Autograph would convert all of the OD API for nothing.
    @tf.function(autograph=False)
    def step(images: tf.Tensor, shapes: tf.Tensor) -> tf.Tensor:
        expected = raw_outputs(tuned, images, shapes)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            found = raw_outputs(model, images, shapes)
            loss = objective(found, expected, tuned.num_classes)
        gradients = tape.gradient(
            loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        optimizer.apply_gradients(
            (one.gradient(gradient), one.amount)
            for one, gradient in zip(moved, gradients, strict=True)
        )
        for one in moved:
            one.write()
        return loss

    return step

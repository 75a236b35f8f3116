"""Trains one classifier and says how often it is right."""

from __future__ import annotations

import functools
import pathlib
import time
from typing import Any

import classification_data
import classification_hosts
import classification_runs as runs
import numpy as np
from classification_hosts import HOSTS
from classification_runs import Result, Run

from object_detection_patch.decathlon.running.phases import environment
from object_detection_patch.decathlon.running.record import write_json
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import Patch, to_bytes

_EVALUATION_BATCH = 64


def measured(folder: pathlib.Path, run: Run) -> Result:
    """Trains a run, writes its JSON, and returns what was measured."""
    started = time.perf_counter()
    found = _pictures(run.task, HOSTS[run.host].image_size, run.train_images)
    model = _started(folder, run, found.classes)
    patch_bytes = 0
    if run.method:
        patch = patch_model(model, run.method)
    _fit(model, found, run)
    if run.method:
        patch_bytes = len(to_bytes(_shipped(patch)))
    if run.task == runs.SOURCE:
        classification_hosts.save_weights(
            _weights_of(folder, run),
            classification_hosts.backbone_weights(model),
        )
    result = Result(
        run=run,
        accuracy=_accuracy(model, found),
        chance=found.chance,
        trained_parameters=sum(
            int(np.prod(v.shape)) for v in model.trainable_variables
        ),
        patch_bytes=patch_bytes,
        seconds=round(time.perf_counter() - started, 1),
        environment=environment(),
    )
    write_json(runs.path_of(folder, run), result)
    keras.backend.clear_session()
    return result


@functools.cache
def _pictures(task: str, side: int, train: int) -> classification_data.Pictures:
    return classification_data.pictures(
        task, side, train, runs.EVALUATION_IMAGES
    )


def _started(folder: pathlib.Path, run: Run, classes: int) -> Any:
    keras.utils.set_random_seed(run.seed)
    host = HOSTS[run.host]
    trained = run.start == runs.TRAINED
    model = host.build(classes, host.image_size, trained)
    if trained and not host.comes_trained:
        path = _weights_of(folder, runs.on_source(run))
        classification_hosts.set_backbone_weights(
            model, classification_hosts.load_weights(path)
        )
    return model


def _weights_of(folder: pathlib.Path, run: Run) -> pathlib.Path:
    return folder / f"{run.id}.npz"


def _fit(model: Any, found: classification_data.Pictures, run: Run) -> None:
    rate = keras.optimizers.schedules.CosineDecay(run.rate, run.steps)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(
        _batches(*found.train, run),
        steps_per_epoch=run.steps,
        epochs=1,
        verbose=0,
    )


def _batches(images: np.ndarray, labels: np.ndarray, run: Run) -> Any:
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((images, labels))
    data = data.shuffle(len(labels), seed=run.seed).repeat()
    return data.batch(run.batch_size).map(
        lambda image, label: (tf.cast(image, tf.float32), label)
    )


def _accuracy(model: Any, found: classification_data.Pictures) -> float:
    images, labels = found.evaluation
    logits = model.predict(
        images.astype(np.float32), batch_size=_EVALUATION_BATCH, verbose=0
    )
    return float(np.mean(logits.argmax(-1) == labels))


def _shipped(patch: Any) -> Patch:
    return Patch(patch.method, patch.base_fingerprint, tuple(patch.edits()))

"""Classifiers to patch: an SSD's backbone, MobileNetV2 and InceptionV3.

There are no weights to download. MobileNetV2 and InceptionV3 are trained here
on crops of the source world, small and for a few hundred steps; the SSD is the
base that comes with the package, which was trained to detect in that world.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from classification_data import DIGITS

from object_detection_patch import recipes
from object_detection_patch.decathlon.suite import kept
from object_detection_patch.keras_version import keras
from object_detection_patch.od_api import (
    classifier,
    label_map,
    pipeline_config,
)

METHODS = (
    "FEATURE_EXTRACTOR",
    "BN_STATISTICS",
    "SCALE_BIAS_ONLY",
    "BN_PATCH",
    "DW_PATCH",
    "FINE_TUNING",
)
_MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True)
class Host:
    """A classifier without a task.

    Args:
      title: for tables.
      image_size: side of its images in pixels.
      build: (classes, image_size, trained) -> the model, with random numbers
        unless `trained`.
      comes_trained: whether `build` can give it trained.
      pretraining: steps on the source otherwise.
      tasks, methods, steps: of its trainings, unless they are told.
    """

    title: str
    image_size: int
    build: Callable[[int, int, bool], Any]
    comes_trained: bool = False
    pretraining: int = 0
    tasks: tuple[str, ...] = (DIGITS, "birds")
    methods: tuple[str, ...] = METHODS
    steps: int = 150
    batch_size: int = 32


def _ssd(classes: int, image_size: int, trained: bool) -> Any:
    (fingerprint,) = kept.fingerprints()
    base = kept.kept_base(fingerprint)
    items = label_map.read_label_map(base.label_map)
    task = recipes.TaskData(
        label_map.num_classes_of(items), "unused", "unused", base.label_map
    )
    text = recipes.pipeline_text(
        recipes.WIDE_96,
        task,
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=1,
        batch_size=1,
    )
    pipeline = pipeline_config.parse_pipeline(text, "the kept base")
    return classifier.build_classifier(
        pipeline.model,
        classes=classes,
        image_size=image_size,
        checkpoint=base.checkpoint if trained else None,
    )


def _application(
    build: Callable[..., Any], **options: Any
) -> Callable[[int, int, bool], Any]:
    def built(classes: int, image_size: int, trained: bool) -> Any:
        del trained
        backbone = build(
            input_shape=(image_size, image_size, 3),
            weights=None,
            include_top=False,
            **options,
        )
        return _with_head(_foldable(backbone), classes, image_size)

    return built


def _foldable(backbone: Any) -> Any:
    """The same network, every BatchNorm with a scale to train.

    InceptionV3's have none, and statistics of a few hundred steps need a
    shorter memory than the thousands that both expect.
    """

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            config |= {"scale": True, "momentum": _MOMENTUM}
        return type(layer).from_config(config)

    return keras.models.clone_model(backbone, clone_function=clone)


def _with_head(backbone: Any, classes: int, image_size: int) -> Any:
    inputs = keras.Input((image_size, image_size, 3), name="images")
    pixels = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(pixels))
    logits = keras.layers.Dense(classes, name="logits")(pooled)
    return keras.Model(inputs, logits)


HOSTS = {
    "ssd": Host("SSD's MobileNetV2, width 0.75", 48, _ssd, comes_trained=True),
    "mobilenet": Host(
        "MobileNetV2, width 0.35",
        48,
        _application(keras.applications.MobileNetV2, alpha=0.35),
        pretraining=400,
    ),
    "inception": Host(
        "InceptionV3",
        75,
        _application(keras.applications.InceptionV3),
        pretraining=100,
        tasks=(DIGITS,),
        # Without a depthwise convolution; a step of it takes seconds.
        methods=(
            "FEATURE_EXTRACTOR",
            "SCALE_BIAS_ONLY",
            "BN_PATCH",
            "FINE_TUNING",
        ),
        steps=40,
        batch_size=16,
    ),
}


def backbone_weights(model: Any) -> list[np.ndarray]:
    """All weights but the head's."""
    return [v.numpy() for v in _backbone_variables(model)]


def set_backbone_weights(model: Any, values: list[np.ndarray]) -> None:
    """Gives a model those of another with other classes."""
    variables = _backbone_variables(model)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _backbone_variables(model: Any) -> list[Any]:
    head = {id(v) for v in model.get_layer("logits").weights}
    return [v for v in model.weights if id(v) not in head]


def save_weights(path: pathlib.Path, values: list[np.ndarray]) -> None:
    """Written beside, then renamed."""
    beside = path.with_suffix(".partial.npz")
    np.savez(beside, *values)
    beside.replace(path)


def load_weights(path: pathlib.Path) -> list[np.ndarray]:
    """What `save_weights` wrote."""
    with np.load(path) as stored:
        return [stored[f"arr_{i}"] for i in range(len(stored.files))]

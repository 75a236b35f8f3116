"""A classifier on the feature extractor of an SSD.

Reference: Mudrarkarta et al., K for the price of 1, Section 5.2 and Table 3,
"Learning Imagenet from SSD feature extractor".
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.od_api import base_model, host_layers


def build_classifier(
    model_config: Any,
    *,
    classes: int,
    image_size: int,
    checkpoint: str | None = None,
) -> Any:
    """The backbone of an SSD, then the mean over places, then a dense layer.

    A tf_keras model, for `patch_model` among others: the dense layer is new and
    random, and FPN, tower and heads are left out. Its weights can be saved and
    loaded (`save_weights`), the model as a whole cannot: layers of the OD API
    do not say what they are made of.

    Args:
      model_config: DetectionModel message of an SSD.
      classes: 2 or more; the model's outputs are their logits.
      image_size: side in pixels of the images, float32 [batch, side, side, 3]
        in 0 to 255; it may be another one than the SSD's.
      checkpoint: prefix of a checkpoint of that SSD, or a directory whose
        newest is taken; the classifier gets its backbone. None for random
        numbers.

    Raises:
      BaseRestoreError: for a checkpoint that does not hold that SSD.
      ValueError: for another architecture than SSD, an SSD whose extractor
        has no backbone of its own, fewer than two classes, a size below 1, or
        a directory without a checkpoint.
    """
    if classes < 2:
        raise ValueError(
            "A classifier needs two classes or more (`classes`). Received: "
            f"{classes}."
        )
    if image_size < 1:
        raise ValueError(
            "A classifier needs images of a pixel or more (`image_size`). "
            f"Received: {image_size}."
        )
    ssd = base_model.build_model(model_config, is_training=True)
    # Refuses extractors that are no Keras models.
    hosts = host_layers.find_ssd_hosts(ssd)
    if hosts.backbone is None:
        raise ValueError(
            "A classifier is made of an SSD whose extractor has a backbone of "
            "its own (model.ssd.feature_extractor.type in pipeline.config). "
            f"Received: {type(ssd.feature_extractor).__name__}."
        )
    if checkpoint is not None:
        base_model.restore_base(
            ssd, hosts, _prefix(checkpoint), checkpoint_type="detection"
        )
    # Or the next model called without `training` would train.
    base_model.set_training(ssd, False)
    return _on_backbone(ssd, hosts.backbone.model, classes, image_size)


def _prefix(checkpoint: str) -> str:
    if not tf.io.gfile.isdir(checkpoint):
        return checkpoint
    newest = tf.train.latest_checkpoint(checkpoint)
    if newest is None:
        raise ValueError(
            "A classifier's base is a checkpoint, or a directory with one "
            f"(`checkpoint`). Received: {checkpoint!r}, which has none."
        )
    return str(newest)


def _on_backbone(ssd: Any, backbone: Any, classes: int, side: int) -> Any:
    inputs = keras.Input((side, side, 3), name="images")
    pixels = keras.layers.Lambda(
        ssd.feature_extractor.preprocess, name="preprocess"
    )(inputs)
    # The last of its levels is the deepest.
    features = tf.nest.flatten(backbone(pixels))[-1]
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    logits = keras.layers.Dense(classes, name="logits")(pooled)
    return keras.Model(inputs, logits, name="classifier")

"""How a model wants its pixels, measured on the model and read from files."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.tflite.model_metadata import read_metadata

_TOLERANCE = 1e-4
_BLACK, _WHITE = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
# Three values, so that channels which mix or change places are seen.
_MIXED = (30.0, 100.0, 200.0)


@dataclasses.dataclass(frozen=True)
class Normalisation:
    """input = (pixel - mean) / std; one number, or one for each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """float32 (height, width, 3) from 0 to 255 -> the model's input."""
        return (pixels - np.float32(self.mean)) / np.float32(self.std)


def measured(model: Any) -> Normalisation:
    """What an SSDMetaArch's preprocessing does to pixels.

    Raises:
      ValueError: if it is more than a scale and an offset a channel, which
        model metadata cannot express.
    """
    black, white, mixed = (
        _channels(model, colour) for colour in (_BLACK, _WHITE, _MIXED)
    )
    slope = (white - black) / 255
    error = np.abs(black + slope * _MIXED - mixed).max()
    # Written so that NaN is refused too.
    if not (error <= _TOLERANCE and slope.all()):
        raise ValueError(
            "The extractor must scale and shift each channel, or phones "
            "cannot be told what to do. Received: "
            f"{type(model.feature_extractor).__name__}, which does more."
        )
    mean, std = -black / slope, 1 / slope
    if np.ptp(mean) == 0 and np.ptp(std) == 0:
        mean, std = mean[:1], std[:1]
    return Normalisation(tuple(map(float, mean)), tuple(map(float, std)))


def of_model(data: bytes) -> Normalisation:
    """The normalisation that an exported model's metadata ask for."""
    image = read_metadata(data)["subgraph_metadata"][0]
    unit = image["input_tensor_metadata"][0]["process_units"][0]["options"]
    return Normalisation(tuple(unit["mean"]), tuple(unit["std"]))


def _channels(model: Any, colour: tuple[float, float, float]) -> np.ndarray:
    # All of one colour, so that no resizing rounds.
    image = tf.broadcast_to(tf.constant(colour, tf.float32), [1, 8, 8, 3])
    return model.preprocess(image)[0][0, 0, 0].numpy().astype(np.float64)

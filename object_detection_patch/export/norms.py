"""BatchNorms as sidecars keep them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from object_detection_patch.tflite.sidecar import Norm


def norm_of(
    name: str, tensors: Mapping[str, np.ndarray], epsilon: float
) -> Norm:
    """A BatchNorm of Keras as the sidecar keeps it.

    Args:
      name: of the BatchNorm; without gamma its gamma is 1, without beta its
        beta is 0.
      tensors: stable name -> float32 (channels,).
    """
    mean = tensors[f"{name}/moving_mean"].astype(np.float32)
    variance = tensors[f"{name}/moving_variance"].astype(np.float32)
    deviation = np.sqrt(variance + np.float32(epsilon))
    gamma = tensors.get(f"{name}/gamma", np.ones_like(mean))
    beta = tensors.get(f"{name}/beta", np.zeros_like(mean))
    return Norm(name, gamma, beta, mean, np.float32(1) / deviation)

"""Values for models that nobody trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def enliven(model: Any, seed: int) -> None:
    """Random values under which signals neither vanish nor become chaotic.

    With larger gammas each layer amplifies the last bits of the one before,
    until two exact computations of one output differ in its third digit.
    """
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        shape = variable.shape.as_list()
        if "moving_variance" in variable.name:
            value = generator.uniform(0.7, 1.4, shape)
        elif "gamma" in variable.name:
            value = generator.uniform(0.5, 1.0, shape)
        elif len(shape) > 1:
            each_alone = "depthwise" in variable.name
            inputs = math.prod(shape[: 2 if each_alone else -1])
            value = generator.normal(0, (2 / inputs) ** 0.5, shape)
        else:
            value = generator.normal(0, 0.3, shape)
        variable.assign(value.astype("float32"))

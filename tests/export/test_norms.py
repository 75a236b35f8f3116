"""BatchNorms of Keras as the sidecar keeps them, against Keras itself."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.export.norms import norm_of
from object_detection_patch.keras_version import keras


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
def test_it_computes_what_the_layer_does(scale, center):
    random = np.random.default_rng(0)
    layer = keras.layers.BatchNormalization(
        epsilon=0.01, scale=scale, center=center
    )
    layer.build((None, 5))
    layer.set_weights([random.uniform(0.5, 2, v.shape) for v in layer.weights])
    tensors = {
        f"norm/{variable.name.split('/')[-1].split(':')[0]}": variable.numpy()
        for variable in layer.weights
    }
    norm = norm_of("norm", tensors, 0.01)
    inputs = random.normal(0, 3, (7, 5)).astype(np.float32)
    found = (inputs - norm.mean) * norm.inverse_deviation
    np.testing.assert_allclose(
        found * norm.gamma + norm.beta, layer(inputs).numpy(), atol=1e-5
    )
    assert {norm.gamma.dtype, norm.inverse_deviation.dtype} == {
        np.dtype(np.float32)
    }

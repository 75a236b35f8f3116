"""A shift changes which inputs a network folds together: Section 4, Figure 2.

The paper's network of four layers, F = q(q(x)) with

    q(x; b) = 2 ReLU(max(0, x + b0) - max(0, 2 x - 1 + b1) + b2),

as convolutions with BatchNorms that hold the biases. A scale-and-bias patch
of its first shift alone decides how many connected components of the line
end in [0.2, 0.4].
"""

import numpy as np
import pytest

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import apply_edits

# So fine that no piece of the preimage falls between two inputs.
_LINE = np.linspace(-0.5, 1.5, 40_001, dtype=np.float32)


def _layer(outputs, kernel, bias, name):
    convolution = keras.layers.Conv2D(
        len(bias), 1, use_bias=False, name=f"conv_{name}"
    )
    norm = keras.layers.BatchNormalization(name=f"norm_{name}")
    outputs = keras.layers.ReLU()(norm(convolution(outputs)))
    convolution.kernel.assign(np.reshape(kernel, convolution.kernel.shape))
    norm.beta.assign(bias)
    # What BatchNorm divides by is then 1.
    norm.moving_variance.assign(1.0 - norm.epsilon + 0.0 * norm.gamma)
    return outputs


def _network():
    """F with all b at 0."""
    inputs = outputs = keras.Input((1, 1, 1))
    for name in ("first", "second"):
        outputs = _layer(outputs, [1.0, 2.0], [0.0, -1.0], f"{name}_fold")
        outputs = _layer(outputs, [2.0, -2.0], [0.0], f"{name}_sum")
    return keras.Model(inputs, outputs)


def _components(model):
    """Connected components of the inputs that end in [0.2, 0.4]."""
    ends = model(_LINE[:, None, None, None], training=False).numpy().ravel()
    inside = (ends >= 0.2) & (ends <= 0.4)
    return int(np.sum(np.diff(inside.astype(int), prepend=0) == 1))


def _patched(shift):
    """The network, merged with a patch of its first shift."""
    teacher = _network()
    patch = patch_model(teacher, "BN_PATCH")
    teacher.get_layer("norm_first_fold").beta.assign([shift, -1.0])
    merged = _network()
    tensors = hosts_lib.find_hosts(
        ("backbone", layer) for layer in merged.layers
    ).base_tensors()
    values = {name: variable.numpy() for name, variable in tensors.items()}
    for name, value in apply_edits(values, patch.edits()).items():
        tensors[name].assign(value)
    return merged


@pytest.mark.parametrize(
    ("shift", "components"),
    [
        # Those of Figure 2.
        (0.0, 4),
        (-0.075, 3),
        (-0.125, 2),
        (-0.425, 1),
        # Just inside the ranges that the text gives.
        (-0.049, 4),
        (-0.051, 3),
        (-0.099, 3),
        (-0.101, 2),
        (-0.399, 2),
        (-0.401, 1),
        (-0.449, 1),
        (-0.451, 0),
    ],
)
def test_one_shift_sets_the_number_of_components(shift, components):
    assert _components(_network()) == 4
    assert _components(_patched(shift)) == components


def test_the_network_is_the_papers_function():
    def q(x):
        folded = np.maximum(0, x) - np.maximum(0, 2 * x - 1)
        return 2 * np.maximum(0, folded)

    ends = _network()(_LINE[:, None, None, None], training=False)
    np.testing.assert_allclose(ends.numpy().ravel(), q(q(_LINE)), atol=1e-5)

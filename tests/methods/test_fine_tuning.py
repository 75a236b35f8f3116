"""L2-SP: what trains is pulled towards the base."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods import presets


def _move(hosts):
    """Adds 1 to everything that trains and counts it."""
    numbers = 0
    for name, variable in hosts.base_tensors().items():
        if "/moving_" not in name:
            variable.assign_add(tf.ones_like(variable))
            numbers += int(np.prod(variable.shape))
    return numbers


def test_the_penalty_is_half_the_squared_distance(make_patched):
    found = make_patched(presets.patch_config("L2_SP"))

    assert float(found.patch.penalties()["starting_point"]) == 0
    numbers = _move(found.hosts)
    penalty = found.patch.penalties()["starting_point"]
    assert float(penalty) == pytest.approx(0.01 / 2 * numbers, rel=1e-5)


def test_its_gradient_leads_back_to_the_base(make_patched):
    found = make_patched(presets.patch_config("L2_SP"))
    kernel = found.hosts.kernels[0].variable
    before = kernel.numpy()
    kernel.assign_add(np.random.default_rng(1).standard_normal(kernel.shape))
    with tf.GradientTape() as tape:
        penalty = found.patch.penalties()["starting_point"]

    gradient = tape.gradient(penalty, kernel)
    np.testing.assert_allclose(
        gradient, 0.01 * (kernel.numpy() - before), rtol=1e-4, atol=1e-7
    )


def test_statistics_and_heads_are_free(make_patched):
    found = make_patched(presets.patch_config("L2_SP"))
    for name, variable in found.hosts.base_tensors().items():
        if "/moving_" in name:
            variable.assign_add(tf.ones_like(variable))
    for variable in found.hosts.head_tensors().values():
        variable.assign_add(tf.ones_like(variable))

    assert float(found.patch.penalties()["starting_point"]) == 0


def test_plain_fine_tuning_has_no_penalty_and_no_copy(make_patched):
    found = make_patched(presets.patch_config("FINE_TUNING"))

    assert not found.patch.penalties()
    assert not found.patch.model_patches

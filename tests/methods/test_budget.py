"""Which gates a budget of bytes leaves open, against plain numpy."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from object_detection_patch import methods
from object_detection_patch.methods import budget, presets
from object_detection_patch.methods.binary_mask import BinaryMaskKernel
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import layout

_LATENTS = st.floats(-2, 2, width=32)


def _oracle(latents, costs, capacity):
    """Greedy, one gate after the other, in Python's integers."""
    taken = np.zeros(len(latents), bool)
    for index in sorted(range(len(latents)), key=lambda i: -latents[i]):
        if latents[index] > 0 and costs[index] <= capacity:
            taken[index] = True
            capacity -= costs[index]
    return taken


def _fitting(latents, costs, capacity):
    found = budget.fitting(
        tf.constant(latents, tf.float32),
        np.array(costs, np.int64),
        tf.constant(capacity, tf.int64),
    )
    return found.numpy()


@hypothesis.settings(deadline=None)
@hypothesis.given(
    gates=st.lists(
        st.tuples(_LATENTS, st.integers(1, 60)), min_size=1, max_size=12
    ),
    capacity=st.integers(0, 300),
)
def test_gates_are_those_of_the_greedy_choice(gates, capacity):
    latents, costs = zip(*gates, strict=True)
    found = _fitting(latents, costs, capacity)

    np.testing.assert_array_equal(found, _oracle(latents, costs, capacity))
    assert np.dot(found, costs) <= capacity
    left = capacity - np.dot(found, costs)
    for latent, cost, taken in zip(latents, costs, found, strict=True):
        assert taken or latent <= 0 or cost > left


def test_what_does_not_fit_is_passed_over_and_equals_go_in_order():
    found = _fitting([0.9, 0.5, 0.5, 0.5, -1.0], [90, 20, 20, 20, 1], 45)

    np.testing.assert_array_equal(found, [False, True, True, False, False])


def test_bytes_of_whole_files_are_counted_exactly():
    """Beyond the integers that float32 has."""
    costs = [2**25 + 1, 2**25 + 1]

    np.testing.assert_array_equal(
        _fitting([1.0, 0.5], costs, 2**26 + 1), [True, False]
    )
    np.testing.assert_array_equal(
        _fitting([1.0, 0.5], costs, 2**26 + 2), [True, True]
    )


def _plan(**fields):
    costs = np.array([10, 50, 40], np.int64)
    return budget.Plan(
        **{"target": 120, "fixed": 90, "costs": costs, "begins": 4, "ends": 10}
        | fields
    )


def test_bytes_shrink_from_all_to_the_target():
    plan = _plan()
    steps = np.arange(15)
    found = [int(plan.capacity_at(step)) for step in steps]
    left = np.clip((10 - steps) / 6, 0, 1) ** 3

    assert found[:5] == [100] * 5
    np.testing.assert_allclose(found, 30 + 70 * left, atol=1)
    assert found[10:] == [30] * 5
    assert sorted(found, reverse=True) == found


def test_a_target_with_room_for_all_is_one_from_the_start():
    plan = _plan(target=500)

    assert int(plan.capacity_at(0)) == int(plan.capacity_at(99)) == 410


def _gated(count):
    layers = []
    for _ in range(count):
        layer = BinaryMaskKernel(lambda_sps=1.0)
        layer.build((1, 1, 2, 2))
        layer.residual_scale.assign(0.5)
        # All of one sign, so that no sum over weights cancels.
        layer.latent_mask.assign(np.ones((1, 1, 2, 2)))
        layers.append(layer)
    return layers


def _budget(latents, **fields):
    layers = _gated(len(latents))
    found = budget.FileBudget(budget.Target(120), layers)
    found.plan = _plan(**fields)
    for layer, latent in zip(layers, latents, strict=True):
        layer.latent_gate.assign(latent)
    return found, layers


@pytest.mark.parametrize("traced", [False, True])
def test_gates_that_do_not_fit_change_nothing_and_still_learn(traced):
    found, layers = _budget([0.1, 0.9, 0.5])
    follow = tf.function(found.follow) if traced else found.follow
    kernel = np.zeros((1, 1, 2, 2), np.float32)
    all_open = [np.abs(layer(kernel)).max() for layer in layers]
    follow(tf.constant(10, tf.int64))

    assert all_open == [0.5] * 3
    # 30 bytes: neither of 50 nor of 40.
    np.testing.assert_array_equal(found.allowed, [True, False, False])
    assert [layer.gate_is_open() for layer in layers] == [True, False, False]
    assert float(found.open_bytes()) == 90 + 10
    with tf.GradientTape() as tape:
        changed = [layer(kernel) for layer in layers]
        loss = tf.add_n([tf.reduce_sum(values) for values in changed])
        loss += layers[0].summed_penalties(layers)["sparsity"]
    by_latent = tape.gradient(loss, [layer.latent_gate for layer in layers])
    assert [np.abs(values).max() for values in changed] == [0.5, 0, 0]
    assert all(abs(float(value)) > 0 for value in by_latent)
    assert (
        float(layers[0].summed_penalties(layers)["sparsity"])
        == sum(float(layer.penalties()["sparsity"]) for layer in layers)
        == 1.0
    )


def test_a_gate_comes_back_when_its_latent_has_risen():
    found, layers = _budget([0.9, 0.5, 0.1], target=140)
    found.follow(10)
    assert [layer.gate_is_open() for layer in layers] == [True, False, True]
    layers[1].latent_gate.assign(2.0)
    found.follow(11)
    assert [layer.gate_is_open() for layer in layers] == [False, True, False]


def test_without_a_plan_no_step_is_taken():
    found, _ = _budget([0.1])
    found.plan = None
    with pytest.raises(ValueError, match="must plan its file before"):
        found.follow(1)


# Options.


@pytest.mark.parametrize(
    ("step", "begin_step", "message"),
    [(7, 7, "7 here. Received: 7 "), (0, 800, "750 here. Received: 800 ")],
)
def test_a_target_that_begins_when_it_should_be_kept(step, begin_step, message):
    with pytest.raises(ValueError, match=f"below `target_step`.*{message}"):
        budget.Target(60000, step, begin_step).steps_of(1000)


def _config(preset="COMPACT", **fields):
    config = presets.patch_config(preset)
    for name, value in fields.items():
        setattr(config, name, value)
    return config


def test_a_target_of_a_config():
    found = budget.of_config(
        _config(target_file_bytes=60000, target_step=7, target_begin_step=5)
    )

    assert found == budget.Target(60000, 7, 5)
    assert found.steps_of(1000) == (5, 7)
    assert budget.Target(60000).steps_of(1000) == (500, 750)
    assert budget.Target(60000, 90).steps_of(1000) == (60, 90)
    assert budget.Target(60000, begin_step=9).steps_of(1000) == (9, 750)
    assert [budget.Target(60000).steps_of(n) for n in (0, 1, 2, 4)] == [
        (0, 1), (0, 1), (0, 1), (2, 3),
    ]  # fmt: skip
    assert budget.of_config(_config()) is None


def test_the_weight_of_open_gates_stays_beside_a_target():
    for config in (_config(), _config(target_file_bytes=60000)):
        masks, _ = presets.resolve_parts(config)
        assert masks.binary_mask.lambda_sps == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target_file_bytes": 0}, "must be above 0.*Received: 0 "),
        ({"target_step": 5}, "needed beside `target_step`.*Received: 0 "),
        ({"target_begin_step": 5}, "`target_begin_step`. Received: 0 "),
        (
            {"target_file_bytes": layout.MAX_FILE_BYTES + 1},
            "at most what a patch file can have, 276,824,064",
        ),
        (
            {"target_file_bytes": 60000, "preset": "BN_PATCH"},
            "needs `binary_mask`.*Received: batch_norm ",
        ),
        (
            {"target_file_bytes": 60000, "preset": "ROUTED_SPOTPATCH"},
            "beside neither of .*Received: instance_routing ",
        ),
    ],
)
def test_refused_before_anything_is_built(fields, message):
    with pytest.raises(ValueError, match=message):
        methods.check(_config(**fields))


def test_refused_beside_mobile_tl():
    config = _config(target_file_bytes=60000)
    config.part.add().mobile_tl.SetInParent()
    with pytest.raises(ValueError, match=r"Received: mobile_tl \(pipeline"):
        methods.check(config)


def test_refused_for_tasks_that_share_a_base():
    config = _config("SPOTPATCH", target_file_bytes=60000)
    with pytest.raises(ValueError, match="Received: `target_file_bytes`"):
        methods.check_shared(config)


def test_refused_without_the_loop_that_keeps_it(make_model):
    with pytest.raises(ValueError, match="it in `patch_model`"):
        patch_model(make_model(), _config(target_file_bytes=60000))


def test_a_checkpoint_of_another_target_is_refused(small_world):
    def model(name, options):
        return small_world.patched_model(
            small_world.config(
                "stripes", "COMPACT", name=name, patch_options=options
            )
        )

    bounded = model("_60k", "target_file_bytes: 60000")
    free = model("_free", "")
    with pytest.raises(
        methods.OtherPatchError,
        match="`target of 60,000 bytes` in 'there', but `binary_mask`",
    ):
        free.patch.refuse_other_parts(
            "there", bounded.patch.part_numbers.numpy()
        )

"""Each image goes through the blocks that were chosen for it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.block_layers import main_path_block
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import (
    Patch,
    PatchFileError,
    apply_edits,
    from_bytes,
    to_bytes,
)
from object_detection_patch.protos import patch_pb2

_BLOCKS = 17
_ROUTING_BASE = "tuned/.*export-base --routing.*global_blocks"


def _model():
    keras.utils.set_random_seed(1)
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35
    )
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    model = keras.Model(backbone.input, keras.layers.Dense(3)(pooled))
    random = np.random.default_rng(2)
    for weight in model.weights:
        if "moving_variance" in weight.name:
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
    return model


def _routed(options="", parts="preset: SPOTTUNE"):
    model = _model()
    text = f"{parts} part {{ instance_routing {{ {options} }} }}"
    patch = patch_model(model, text_format.Parse(text, patch_pb2.Patch()))
    return model, patch


def _layers(model):
    """Without the patch, which is a layer too."""
    return [layer for layer in model.layers if layer.name != "patch"]


def _move(model):
    """Changes what a task may change."""
    random = np.random.default_rng(5)
    for weight in model.trainable_weights:
        weight.assign_add(0.05 * random.standard_normal(weight.shape))


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("f")


@pytest.mark.parametrize(
    "parts", ["preset: SPOTTUNE", "preset: ROUTED_SPOTPATCH"]
)
def test_at_first_both_blocks_are_the_bases(images, parts):
    before = _model()(images).numpy()
    model, _ = _routed(parts=parts)

    np.testing.assert_allclose(model(images), before, rtol=1e-4, atol=1e-5)


def _set_choices(router, taken):
    """Makes the policy give these choices, [batch, L]."""
    logits = np.stack([1.0 - taken, taken], axis=-1).astype(np.float32)
    object.__setattr__(
        router, "policy", lambda images, training=False: tf.constant(logits)
    )


def test_each_image_takes_its_own_way(images):
    model, patch = _routed()
    base = _model()
    _move(model)
    taken = np.random.default_rng(7).integers(0, 2, (4, _BLOCKS))
    (router,) = patch.model_patches
    _set_choices(router, taken)
    found = model(images).numpy()

    # One image at a time, through a plain model that was put together.
    for number, row in enumerate(taken):
        mixed = _model()
        tuned = {
            name for name, use in zip(router.blocks, row, strict=True) if use
        }
        for ours, plain, target in zip(
            _layers(model), base.layers, mixed.layers, strict=True
        ):
            block = main_path_block(target)
            source = plain if block and block not in tuned else ours
            target.set_weights(source.get_weights())
        expected = mixed(images[number : number + 1]).numpy()[0]
        np.testing.assert_allclose(
            found[number], expected, rtol=1e-4, atol=1e-5
        )


def test_always_tuned_is_the_patched_model(images):
    model, _ = _routed("choice: ALWAYS_TUNED")
    _move(model)
    plain = _model()
    for ours, target in zip(_layers(model), plain.layers, strict=True):
        target.set_weights(ours.get_weights())

    np.testing.assert_allclose(
        model(images), plain(images), rtol=1e-4, atol=1e-5
    )


def test_training_moves_the_policy_and_never_the_base(images):
    model, patch = _routed()
    (router,) = patch.model_patches
    frozen = {
        name: [value.copy() for value in layer.get_weights()]
        for name, layer in router.frozen.items()
    }
    policy = [value.copy() for value in router.policy.get_weights()]
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    for _ in range(3):
        model.train_on_batch(images, np.array([0, 1, 2, 0]))

    for name, layer in router.frozen.items():
        for value, before in zip(
            layer.get_weights(), frozen[name], strict=True
        ):
            np.testing.assert_array_equal(value, before)
    moved = [
        (value != before).any()
        for value, before in zip(
            router.policy.get_weights(), policy, strict=True
        )
    ]
    assert all(moved)


def test_a_global_policy_ships_the_blocks_that_were_used_most(images):
    model, patch = _routed("global_blocks: 3")
    (router,) = patch.model_patches
    usage = np.linspace(0.1, 0.5, _BLOCKS)
    usage[[2, 9, 4]] = [0.9, 0.8, 0.7]
    router.usage.assign(usage)
    _move(model)
    chosen = {"block_2", "block_4", "block_9"}

    assert set(router.shipped_blocks()) == chosen
    names = {edit.target for edit in patch.edits()}
    hosts = {host.name: main_path_block(host.layer) for host in patch.hosts}
    shipped = {hosts[name] for name in names if hosts.get(name)}
    assert shipped == chosen
    assert not [name for name in names if name.startswith("policy")]
    # What is evaluated is what ships.
    plain, base = _model(), _model()
    for ours, theirs, target in zip(
        _layers(model), base.layers, plain.layers, strict=True
    ):
        block = main_path_block(target)
        source = theirs if block and block not in chosen else ours
        target.set_weights(source.get_weights())
    np.testing.assert_allclose(
        model(images), plain(images), rtol=1e-4, atol=1e-5
    )


def test_blocks_that_few_images_took_do_not_ship(images):
    model, patch = _routed("global_blocks: 3")
    (router,) = patch.model_patches
    usage = np.full(_BLOCKS, 0.03)
    usage[[2, 9]] = [0.9, 0.8]
    router.usage.assign(usage)

    assert router.shipped_blocks() == ["block_2", "block_9"]
    chosen = router._global_choices().numpy()
    assert list(np.flatnonzero(chosen)) == [2, 9]


def test_the_penalties_of_a_global_policy(images):
    _, patch = _routed("global_blocks: 3 lambda_k: 0.5 lambda_entropy: 2")
    (router,) = patch.model_patches
    shares = np.linspace(0.05, 1.0, _BLOCKS)
    router._shares = tf.constant(shares, tf.float32)
    found = router.penalties()

    assert float(found["k"]) == pytest.approx(0.5 * (shares.sum() - 3) ** 2)
    entropy = -(shares * np.log(shares)).sum()
    assert float(found["entropy"]) == pytest.approx(2 * entropy, rel=1e-4)


def test_the_penalties_of_a_global_policy_move_the_policy(images):
    model, patch = _routed("global_blocks: 3")
    (router,) = patch.model_patches
    bias = router.policy.logits.bias
    with tf.GradientTape() as tape:
        model(images, training=True)
        found = router.penalties()
        total = found["k"] + found["entropy"]

    gradient = tape.gradient(total, bias).numpy()
    assert np.isfinite(gradient).all()
    # As many blocks more than three are used on average: fewer is better.
    assert gradient[1::2].sum() > 0 > gradient[::2].sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("policy { blocks: 40 }", "1024 channels. Received: .*of 40 blocks"),
        ("policy { blocks: 3 channels: 512 }", "Received: 2048, 512 doubled"),
        ("policy { channels: 5000 }", "policy.channels.*<= 1024"),
        ("choice: RANDOM policy { blocks: 3 }", "LEARNED. Received: RANDOM"),
    ],
)
def test_policies_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _routed(options)


def _shipped(patch):
    """After the way through a file."""
    contents = Patch(patch.method, patch.base_fingerprint, tuple(patch.edits()))
    return {edit.target: edit for edit in from_bytes(to_bytes(contents)).edits}


def test_a_policy_travels_in_the_patch():
    """Under names that no other model of the process changes."""
    _routed()
    _, patch = _routed()
    shipped = _shipped(patch)

    policy = patch.model_patches[0].policy
    names = {name for name in shipped if name.startswith("policy/")}
    places = ["stem"] + [
        f"block_{number}/{layer}"
        for number in (1, 2, 3)
        for layer in ("first", "second", "shortcut")
    ]
    assert names == {"policy/logits/kernel", "policy/logits/bias"} | {
        f"policy/{place}/{tensor}"
        for place in places
        for tensor in ("kernel", "norm")
    }
    np.testing.assert_array_equal(
        shipped["policy/stem/kernel"].values,
        policy.stem.convolution.kernel.numpy(),
    )


def test_the_tasks_blocks_travel_apart_from_the_bases():
    """And what no block holds under its own name."""
    for parts in ("preset: SPOTTUNE", "preset: ROUTED_SPOTPATCH"):
        _, patch = _routed(parts=parts)
        blocks = {
            host.name: main_path_block(host.layer) for host in patch.hosts
        }
        found = {
            edit.target
            for edit in patch.edits(gates="open")
            if not edit.target.startswith("policy/")
        }
        wanted = {
            f"tuned/{name}" if block else name
            for name, block in blocks.items()
            if not block or f"tuned/{name}" in found
        }
        assert wanted <= found
        assert not {name for name, block in blocks.items() if block} & found
        assert len([name for name in found if name.startswith("tuned/")]) > 90
        gates = {gate.target for gate in patch.gates()}
        assert gates <= found


@pytest.mark.parametrize("traced", [False, True])
def test_one_image_runs_the_chosen_branches_alone(images, traced):
    """What did not run cannot spoil the result, not even by 0 * NaN."""
    model, patch = _routed()
    (router,) = patch.model_patches
    taken = np.zeros([1, _BLOCKS])
    taken[0, [2, 9, 16]] = 1
    _set_choices(router, taken)
    call = tf.function(model) if traced else model
    before = call(images[:1]).numpy()
    for number, block in enumerate(router.blocks):
        if taken[0, number]:
            _spoil(router.frozen.values(), block)
        else:
            _spoil(_layers(model), block)

    np.testing.assert_array_equal(call(images[:1]), before)


def test_images_of_two_minds_run_both_branches(images):
    model, patch = _routed()
    (router,) = patch.model_patches
    taken = np.zeros([2, _BLOCKS])
    taken[0] = 1
    _set_choices(router, taken)
    _spoil(_layers(model), "block_3")

    assert np.isnan(model(images[:2])).any(axis=1).all()


def _spoil(layers, block):
    for layer in layers:
        if main_path_block(layer) == block:
            for weight in layer.weights:
                weight.assign(np.full(weight.shape, np.nan))


def test_no_base_takes_a_patch_whose_images_choose():
    """It would run every tuned block: another model than was evaluated."""
    for options in ("", "choice: RANDOM"):
        model, patch = _routed(options)
        tensors = {k: v.numpy() for k, v in patch.hosts.base_tensors().items()}
        del model
        with pytest.raises(PatchFileError, match=_ROUTING_BASE):
            apply_edits(tensors, patch.edits())


def test_the_random_policy_ships_its_shares():
    _, patch = _routed("choice: RANDOM")

    np.testing.assert_array_equal(
        _shipped(patch)["policy/shares"].values, [0.5] * 14 + [1.0] * 3
    )


def test_always_tuned_ships_no_policy():
    _, patch = _routed("choice: ALWAYS_TUNED")

    assert not [name for name in _shipped(patch) if name.startswith("policy")]


def test_only_what_trains_has_optimizer_slots():
    model, patch = _routed(parts="preset: ROUTED_SPOTPATCH")
    trained = {id(variable) for variable in model.trainable_variables}
    own = [*patch.host_patches.values(), patch.model_patches[0].policy]

    assert trained >= {id(v) for layer in own for v in layer.trainable_weights}
    for layer in patch.model_patches[0].frozen.values():
        assert not trained & {id(variable) for variable in layer.weights}


def test_the_random_policy_always_tunes_the_last_three(images):
    _, patch = _routed("choice: RANDOM")
    taken = patch.model_patches[0]._choices(tf.zeros([200, 8, 8, 3])).numpy()

    assert (taken[:, -3:] == 1).all()
    assert set(np.unique(taken)) == {0, 1}
    assert (abs(taken[:, :-3].mean(axis=0) - 0.5) < 0.2).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("temperature: 0", "`instance_routing.temperature` must be > 0"),
        ("temperature: -1", "`instance_routing.temperature` must be > 0"),
        ("blocks: 16", "must be the number of blocks .* 17. Received: 16"),
        ("global_blocks: 18", "at most the number of blocks .* Received: 18"),
        ("policy { blocks: 0 }", "`instance_routing.policy.blocks` must be"),
        ("policy { channels: 0 }", "`instance_routing.policy.channels`"),
        ("lambda_k: -1", "`instance_routing.lambda_k` must be >= 0"),
        (
            "choice: RANDOM global_blocks: 3",
            "LEARNED. Received: RANDOM",
        ),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _routed(options)


def test_a_model_without_blocks_is_refused():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))

    with pytest.raises(ValueError, match="MobileNetV2 or a ResNet"):
        patch_model(model, "SPOTTUNE")


def test_detached_the_model_is_itself_again(images):
    model, patch = _routed()
    _move(model)
    routed = model(images).numpy()
    patch.detach()
    plain = _model()
    for ours, target in zip(_layers(model), plain.layers, strict=True):
        target.set_weights(ours.get_weights())

    np.testing.assert_allclose(model(images), plain(images), rtol=1e-5)
    assert not np.allclose(routed, plain(images))

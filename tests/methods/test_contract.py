"""What every part keeps to; the parts and presets are found, not listed."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pathlib
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import methods
from object_detection_patch.footprint import nominal_footprint
from object_detection_patch.hosts import (
    HostBatchNorm,
    HostKernel,
    Hosts,
    fingerprint,
)
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, presets
from object_detection_patch.patch_file import (
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    PatchFileError,
    apply_edits,
    from_bytes,
    to_bytes,
)
from object_detection_patch.protos import patch_pb2

_FOLDER = pathlib.Path(methods.__file__).parent
_STEPS = 3
# Which blocks an image takes is no matter of hosts: test_instance_routing.py.
_ROUTING = "instance_routing"
_SUMS = (AddProductAtCentre, MixOutputs, MixOutputsByProduct)
_HEADS_FROZEN = ("SCALE_BIAS_ONLY",)
_MAY_BE_ZERO = ("residual_adapter", "block_tuning")
# Options of no layer of a host. Dropout is tested in test_residual_adapter.py:
# the small model has no residual blocks.
_OF_NO_LAYER = (
    ("residual_adapter", "dropout"),
    ("block_tuning", "share"),
    ("fine_tuning", "lambda_sp"),
    (_ROUTING, "temperature"),
    (_ROUTING, "lambda_k"),
    (_ROUTING, "lambda_entropy"),
)


def _one_part(arm: str, **options: float) -> patch_pb2.Patch:
    config = patch_pb2.Patch()
    message = getattr(config.part.add(), arm)
    message.SetInParent()
    for name, value in options.items():
        setattr(message, name, value)
    return config


def _configs() -> dict[str, patch_pb2.Patch]:
    found = {arm: _one_part(arm) for arm in methods.part_names()}
    found |= {
        name: presets.patch_config(name) for name in presets.preset_names()
    }
    return {
        name: config
        for name, config in found.items()
        if not any(
            part.HasField(_ROUTING) for part in presets.resolve_parts(config)
        )
    }


@dataclasses.dataclass
class _Trained:
    model: Any
    hosts: Hosts
    patch: methods.PatchMethod
    before: dict[str, np.ndarray]
    own_before: list[np.ndarray]
    contents: Patch
    data: bytes


def _values(tensors: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in tensors.items()}


@pytest.fixture(scope="module", params=_configs().items(), ids=lambda p: p[0])
def trained(request, make_patched, images, labels) -> _Trained:
    """The small model after real training steps under one config."""
    found = make_patched(request.param[1])
    before = _values(found.hosts.base_tensors())
    own_before = [v.numpy() for v in found.model.trainable_variables]
    found.model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    penalties = found.patch.penalties
    if penalties():
        found.model.add_loss(lambda: tf.add_n(list(penalties().values())))
    for _ in range(_STEPS):
        found.model.train_on_batch(images, labels)
    contents = Patch(
        found.patch.method,
        found.patch.base_fingerprint,
        tuple(found.patch.edits()),
    )
    return _Trained(
        **vars(found),
        before=before,
        own_before=own_before,
        contents=contents,
        data=to_bytes(contents),
    )


def _in_place(trained: _Trained) -> set[str]:
    """Base tensors that training may move."""
    moving = set()
    for host in trained.hosts:
        patch = trained.patch.host_patches.get(host.name)
        if patch is None or isinstance(patch, base.KernelPatch):
            continue
        if isinstance(patch, base.TrainedBatchNorm):
            own = {id(v) for v in patch.trained_in_place(host)}
            moving.update(
                name
                for name, variable in host.tensors().items()
                if "moving_" in name or id(variable) in own
            )
        elif isinstance(host, HostBatchNorm):
            moving.add(f"{host.name}/beta")
        else:
            moving.add(host.name)
    return moving


# The registry.


def _derives_from_part(path: pathlib.Path) -> bool:
    classes = (
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    return any(
        ast.unparse(parent) in ("base.Part", "Part")
        for node in classes
        for parent in node.bases
    )


def test_every_arm_has_a_module_and_every_module_of_a_part_an_arm():
    modules = {p.stem for p in _FOLDER.glob("*.py") if _derives_from_part(p)}
    assert modules == set(methods.part_names())
    assert len(modules) == 11


@pytest.mark.parametrize("arm", methods.part_names())
def test_a_part_is_one_class_named_like_its_arm(arm):
    found = methods.part_class(arm)
    assert issubclass(found, base.Part)
    assert found.__name__.lower() == arm.replace("_", "")
    assert inspect.getdoc(found) != inspect.getdoc(base.Part)


def test_every_part_and_every_preset_is_trained_here(trained):
    assert len(_configs()) == 10 + 22
    assert trained.contents.edits
    variables = trained.model.trainable_variables
    moving = len(variables) > 2 or _in_place(trained)
    assert moving or not trained.patch.host_patches


# What ships.


def test_the_bytes_give_the_edits_back(trained):
    assert from_bytes(trained.data) == trained.contents
    assert trained.contents.base_fingerprint == trained.patch.base_fingerprint


def test_edits_of_the_base_are_the_effective_tensors(trained):
    """Bit for bit, kernels and biases; BatchNorm in the tests below.

    Kernels whose edits are sums are as near as rounding allows: files state
    the order of a sum, training leaves it to the device.
    """
    edits = from_bytes(trained.data).edits
    edited = apply_edits(
        trained.before
        | {h.name: h.variable.numpy() for h in trained.hosts.heads},
        edits,
    )
    sums = {edit.target for edit in edits if isinstance(edit, _SUMS)}
    for host in trained.hosts.kernels:
        effective = tf.convert_to_tensor(getattr(host.layer, host.attribute))
        shipped = edited.get(host.name, trained.before[host.name])
        tolerance = 1e-6 if host.name in sums else 0
        np.testing.assert_allclose(
            shipped, effective.numpy(), 0, tolerance, err_msg=host.name
        )
    for host in trained.hosts.biases:
        shipped = edited.get(host.name, trained.before[host.name])
        np.testing.assert_array_equal(shipped, host.variable.numpy())
    for head in trained.hosts.heads:
        np.testing.assert_array_equal(
            edited[head.name], head.variable.numpy(), head.name
        )


def test_edits_of_a_batch_norm_are_its_function(trained):
    """gamma (x - m) / sqrt(v + e) + beta, each side with its own numbers."""
    edited = trained.before | apply_edits(
        trained.before, from_bytes(trained.data).edits
    )
    channel = np.linspace(-3, 3, 11)[:, None]
    for host in trained.hosts.batch_norms:
        layer = host.layer
        own_gamma, own_beta = layer.gamma.numpy(), layer.beta.numpy()
        patch = trained.patch.host_patches.get(host.name)
        if getattr(patch, "grid_bits", 0):
            own_gamma, own_beta = patch.gamma_and_beta(layer)
        slope = own_gamma / np.sqrt(
            layer.moving_variance.numpy() + layer.epsilon
        )
        own = slope * (channel - layer.moving_mean.numpy())
        own += own_beta
        gamma, beta, mean, variance = (
            edited[f"{host.name}/{key}"]
            for key in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        shipped = gamma / np.sqrt(variance + layer.epsilon) * (channel - mean)
        shipped += beta
        np.testing.assert_allclose(shipped, own, rtol=1e-5, atol=1e-5)


def _assign(hosts: Hosts, tensors: dict[str, np.ndarray]) -> None:
    variables = hosts.base_tensors() | hosts.head_tensors()
    assert set(tensors) <= set(variables)
    for name, value in tensors.items():
        variables[name].assign(value)


def test_an_unpatched_clone_with_the_edits_gives_the_same_outputs(
    trained, make_model, find_hosts_of, images
):
    blocks = any(h.name.startswith("backbone/block_") for h in trained.hosts)
    clone = make_model(seed=7, blocks=blocks)
    hosts = find_hosts_of(clone)
    heads = _values(trained.hosts.head_tensors())
    _assign(hosts, trained.before)
    base_outputs = clone(images, training=False).numpy()
    _assign(hosts, apply_edits(trained.before | heads, trained.contents.edits))
    merged = clone(images, training=False).numpy()

    patched = trained.model(images, training=False).numpy()
    np.testing.assert_allclose(merged, patched, rtol=0, atol=1e-5)
    assert np.abs(merged - base_outputs).max() > 1e-3


def test_every_truncation_of_the_file_is_refused(trained):
    for length in range(len(trained.data)):
        with pytest.raises(PatchFileError):
            from_bytes(trained.data[:length])


def test_the_file_is_as_small_as_its_footprint_says(trained):
    """Nominal bits plus the head, plus 4 KiB."""
    heads = [head.name for head in trained.hosts.heads]
    counted = nominal_footprint(trained.contents.edits, uncounted=heads)
    assert counted.class_head_values == sum(h.size for h in trained.hosts.heads)
    bound = counted.nominal_bits() / 8 + 4 * counted.class_head_values + 4096
    assert len(trained.data) <= bound


def test_a_patch_edits_each_host_at_most_once_and_only_claimed_ones(trained):
    targets = [edit.target for edit in trained.contents.edits]
    assert len(set(targets)) == len(targets)
    heads = {head.name for head in trained.hosts.heads}
    assert set(targets) - heads <= set(trained.patch.host_patches)
    assert heads <= set(targets)


# Training.


def test_what_is_frozen_stays_bit_equal(trained):
    moving = _in_place(trained)
    after = _values(trained.hosts.base_tensors())
    frozen = set(after) - moving
    for name in frozen:
        assert after[name].tobytes() == trained.before[name].tobytes(), name
    for name in moving:
        assert after[name].tobytes() != trained.before[name].tobytes(), name
    assert moving or frozen


def test_everything_trainable_moves(trained):
    after = [v.numpy() for v in trained.model.trainable_variables]
    assert len(after) == len(trained.own_before)
    for variable, before, now in zip(
        trained.model.trainable_variables,
        trained.own_before,
        after,
        strict=True,
    ):
        assert not np.array_equal(before, now), variable.name


def test_only_what_trains_has_optimizer_slots(trained):
    """Adam keeps two numbers a weight, and its step."""
    allowed = set()
    if trained.patch.method not in _HEADS_FROZEN:
        allowed = {id(v) for v in trained.hosts.head_tensors().values()}
    for patch in trained.patch.host_patches.values():
        allowed |= {id(v) for v in patch.trainable_weights}
    moving = _in_place(trained)
    allowed |= {
        id(variable)
        for name, variable in trained.hosts.base_tensors().items()
        if name in moving and "moving_" not in name
    }
    trainable = trained.model.trainable_variables
    assert {id(v) for v in trainable} == allowed
    numbers = sum(int(np.prod(v.shape)) for v in trainable)
    slots = trained.model.optimizer.variables
    assert sum(int(np.prod(v.shape)) for v in slots) == 2 * numbers + 1


def test_the_fingerprint_stays_that_of_the_base(trained):
    """Though hosts trained in place have moved by now."""
    start = fingerprint(trained.before)
    assert trained.patch.base_fingerprint == start
    now = trained.patch.compute_base_fingerprint()
    assert (now != start) == bool(_in_place(trained))


# Bases that train along.


def test_private_tensors_are_those_that_training_moves(trained):
    private = trained.patch.private_tensors()
    assert set(private) == _in_place(trained)
    tensors = trained.hosts.base_tensors()
    assert all(variable is tensors[name] for name, variable in private.items())


def _shares_base(config: patch_pb2.Patch) -> bool:
    return all(
        methods.part_class(arm)(getattr(part, arm)).shares_base
        for part in presets.resolve_parts(config)
        for arm in [part.WhichOneof("part")]
    )


def _elsewhere(tensors: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Other values of the same shapes, that a base may have."""
    random = np.random.default_rng(seed)
    return {
        name: random.uniform(0.05, 2.0, variable.shape).astype(np.float32)
        for name, variable in tensors.items()
    }


@pytest.mark.parametrize(
    "config",
    [pytest.param(c, id=n) for n, c in _configs().items() if _shares_base(c)],
)
def test_a_rebased_patch_is_relative_to_the_new_base(
    config, make_patched, make_model, find_hosts_of, images
):
    """Base and patch have both moved, and the new base's rest is another."""
    found = make_patched(config)
    hosts = found.hosts
    _assign(hosts, _elsewhere(hosts.base_tensors(), seed=5))
    base_now = _values(hosts.base_tensors())
    base_now |= _elsewhere(found.patch.private_tensors(), seed=6)
    found.patch.rebase(base_now)

    assert found.patch.base_fingerprint == fingerprint(base_now)
    blocks = any(h.name.startswith("backbone/block_") for h in hosts)
    clone = make_model(seed=7, blocks=blocks)
    edits = found.patch.edits()
    heads = _values(hosts.head_tensors())
    clone_hosts = find_hosts_of(clone)
    _assign(clone_hosts, base_now)
    _assign(clone_hosts, apply_edits(base_now | heads, edits))
    np.testing.assert_allclose(
        clone(images, training=False).numpy(),
        found.model(images, training=False).numpy(),
        rtol=1e-4,
        atol=1e-5,
    )


def test_who_counts_on_a_frozen_base_is_refused_beside_a_training_one():
    methods.check_shared(presets.patch_config("BN_DW_PATCH"))
    with pytest.raises(
        ValueError,
        match=r"may keep these to themselves: `batch_norm`, .*\. Received: "
        r"`binary_mask`, which as written needs a base that stays as it is",
    ):
        methods.check_shared(presets.patch_config("SPOTPATCH"))


# Keras layers.


def _host_of(trained: _Trained, name: str) -> base.Host:
    (host,) = (host for host in trained.hosts if host.name == name)
    return host


def _rebuilt(layer: base.HostPatch, host: base.Host) -> base.HostPatch:
    """Through Keras' own serialisation, variables copied."""
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    if isinstance(host, HostKernel):
        again.build(host.variable.shape)
    elif isinstance(host, HostBatchNorm):
        again.build(host.channels)
    again.set_weights(layer.get_weights())
    return again


def _own_arguments(layer_type: type) -> set[str]:
    if "__init__" not in vars(layer_type):
        return set()
    parameters = inspect.signature(layer_type.__init__).parameters.values()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}


def test_layers_survive_get_config(trained):
    for name, layer in trained.patch.host_patches.items():
        config = layer.get_config()
        again = type(layer).from_config(config)
        assert again.get_config() == config
        assert _own_arguments(type(layer)) <= set(config), name


def test_layers_survive_keras_serialisation(trained):
    for name, layer in trained.patch.host_patches.items():
        host = _host_of(trained, name)
        again = _rebuilt(layer, host)
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()
        assert again.edits(host) == layer.edits(host)
        if isinstance(layer, base.KernelPatch):
            np.testing.assert_array_equal(
                again(host.variable), layer(host.variable)
            )


# Options.


def _options() -> list[tuple[str, str]]:
    """(arm, option) of every option that is a real number."""
    oneof = patch_pb2.Part.DESCRIPTOR.oneofs_by_name["part"]
    return [
        (arm.name, option.name)
        for arm in oneof.fields
        for option in arm.message_type.fields
        if option.type == option.TYPE_FLOAT
    ]


def test_the_options_are_found():
    assert len(_options()) == 16
    assert ("binary_mask", "lambda_sps") in _options()


@pytest.mark.parametrize(("arm", "option"), _options())
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.25])
def test_an_option_outside_its_range_is_refused(arm, option, value):
    with pytest.raises(
        ValueError,
        match=rf"^`{arm}\.{option}` must be >=? 0\b.* finite\. "
        rf"Received: {re.escape(f'{value:g}')} \(pipeline\.config, "
        r"\[object_detection_patch\.patch\]\)\.$",
    ):
        methods.check(_one_part(arm, **{option: value}))


@pytest.mark.parametrize(("arm", "option"), _options())
def test_zero_is_for_penalties_and_dropout_alone(arm, option):
    config = _one_part(arm, **{option: 0.0})
    if option.startswith("lambda_") or arm in _MAY_BE_ZERO:
        methods.check(config)
        return
    with pytest.raises(
        ValueError, match=rf"`{arm}\.{option}` must be > 0.*Received: 0 "
    ):
        methods.check(config)


@pytest.mark.parametrize(
    ("arm", "option"), [o for o in _options() if o not in _OF_NO_LAYER]
)
def test_an_option_reaches_every_layer_of_its_part(arm, option, small_hosts):
    value = 0.625  # exact in float32
    patch = methods.build(_one_part(arm, **{option: value}), small_hosts)
    layers = list(patch.host_patches.values())
    assert layers
    for layer in layers:
        assert layer.get_config()[option] == value


@pytest.mark.parametrize(
    ("arm", "option"), [o for o in _options() if o not in _OF_NO_LAYER]
)
def test_defaults_of_proto_and_layer_agree(arm, option, small_hosts):
    patch = methods.build(_one_part(arm), small_hosts)
    for layer in patch.host_patches.values():
        default = type(layer)(name="x").get_config()[option]
        assert layer.get_config()[option] == pytest.approx(default, rel=1e-7)

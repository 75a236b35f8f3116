"""Blocks of a TFLite graph become branches, and their weights slots.

On a tiny network, without Keras and converter; test_routing_base.py has a
detector. The oracle is the ordinary base with the chosen blocks patched.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tiny_mobile
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export import routing as routing_lib
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.hosts import Hosts
from object_detection_patch.patch_file import Replace, ScaleOffset
from object_detection_patch.patch_file.edits import is_slot
from object_detection_patch.tflite import patcher
from object_detection_patch.tflite.errors import UnfitEditError

_PRECISIONS = ("float32", "float16")


@pytest.fixture
def publish(monkeypatch):
    def make(precision="float32", policy=tiny_mobile.POLICY):
        return tiny_mobile.publish(monkeypatch, precision, policy)

    return make


def _run(model, image):
    runner = litert.Interpreter(model_content=model, num_threads=1)
    runner.allocate_tensors()
    runner.set_tensor(runner.get_input_details()[0]["index"], image)
    runner.invoke()
    return runner.get_tensor(runner.get_output_details()[0]["index"])


@pytest.fixture
def image():
    shape = (1, tiny_mobile.SIDE, tiny_mobile.SIDE, 3)
    return np.random.default_rng(3).normal(0, 1, shape).astype(np.float32)


def _apply(published, patch):
    return patcher.apply_bytes(published.model, published.sidecar_bytes, patch)


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize(
    "tuned",
    [
        blocks
        for number in range(4)
        for blocks in itertools.combinations(tiny_mobile.BLOCKS, number)
    ],
)
def test_a_policy_puts_blocks_together(publish, image, precision, tuned):
    routing, ordinary = publish(precision), publish(precision, None)
    routed = _apply(
        routing,
        tiny_mobile.patch_bytes(tiny_mobile.routed_edits(tuned), routing),
    )
    mixed = [
        edit
        for edit in tiny_mobile.edits()
        if tiny_mobile.block_of(edit.target) is None
        or tiny_mobile.block_of(edit.target) in tuned
    ]
    plain = _apply(ordinary, tiny_mobile.patch_bytes(mixed, ordinary))

    np.testing.assert_array_equal(_run(routed, image), _run(plain, image))
    assert not np.allclose(_run(plain, image), _run(ordinary.model, image))


@pytest.mark.parametrize("precision", _PRECISIONS)
def test_idle_it_is_the_base(publish, image, precision):
    routing, ordinary = publish(precision), publish(precision, None)

    np.testing.assert_array_equal(
        _run(routing.model, image), _run(ordinary.model, image)
    )
    mine, its = routing.sidecar, ordinary.sidecar
    assert mine.base_fingerprint == its.base_fingerprint
    names = [kernel.name for kernel in mine.kernels]
    slots = {name for name in names if is_slot(name)}
    assert set(names) - slots == {kernel.name for kernel in its.kernels}
    assert {name for name in slots if name.startswith("tuned/")} == {
        f"tuned/{kernel.name}"
        for kernel in its.kernels
        if tiny_mobile.block_of(kernel.name) is not None
    }


def _convolved(x, kernel, strides):
    """SAME padding as TensorFlow has it; x [height, width, in]."""
    side = kernel.shape[0]
    size = -(-x.shape[0] // strides)
    total = max(0, (size - 1) * strides + side - x.shape[0])
    pad = (total // 2, total - total // 2)
    padded = np.pad(x, (pad, pad, (0, 0)))
    found = np.zeros((size, size, kernel.shape[3]))
    for row, column in np.ndindex(size, size):
        top, left = row * strides, column * strides
        patch = padded[top : top + side, left : left + side]
        found[row, column] = np.tensordot(patch, kernel, 3)
    return found


def _choices(image, tensors):
    """Which blocks a policy of POLICY's size takes tuned, in numpy."""

    def layer(name, x, strides):
        y = _convolved(x, tensors[f"policy/{name}/kernel"], strides)
        scale, offset = tensors[f"policy/{name}/norm"]
        return y * scale + offset

    x = np.maximum(layer("stem", image, 2), 0)
    for number in range(1, tiny_mobile.POLICY.blocks + 1):
        y = np.maximum(layer(f"block_{number}/first", x, 2), 0)
        y = layer(f"block_{number}/second", y, 1)
        x = np.maximum(y + layer(f"block_{number}/shortcut", x, 2), 0)
    logits = x.mean(axis=(0, 1)) @ tensors["policy/logits/kernel"][0, 0]
    logits = logits + tensors["policy/logits/bias"]
    frozen, tuned = logits.reshape(-1, 2).T
    return [
        block
        for block, taken in zip(tiny_mobile.BLOCKS, tuned > frozen, strict=True)
        if taken
    ]


def _policy(published, seed):
    """Random numbers for every slot of the policy."""
    random = np.random.default_rng(seed)
    tensors = {
        kernel.name: random.normal(0, 0.5, kernel.shape).astype(np.float32)
        for kernel in published.sidecar.kernels
        if kernel.name.startswith("policy/")
    }
    for norm in published.sidecar.norms:
        if norm.name.startswith("policy/"):
            tensors[norm.name] = random.normal(1, 0.3, (2, norm.channels))
    tensors["policy/logits/bias"] = random.normal(0, 0.1, 6)
    return tensors


def test_the_policy_looks_at_the_image(publish):
    routing, ordinary = publish(), publish(policy=None)
    policy = _policy(routing, 1)
    task = [
        edit
        for edit in tiny_mobile.routed_edits([])
        if not edit.target.startswith("policy/")
    ]
    slots = [
        ScaleOffset(name, *value)
        if name.endswith("/norm")
        else Replace(name, value)
        for name, value in policy.items()
    ]
    routed = _apply(routing, tiny_mobile.patch_bytes(task + slots, routing))
    random = np.random.default_rng(5)
    ways = set()
    for brightness in np.linspace(-2, 2, 8):
        image = random.normal(brightness, 1, (1, 32, 32, 3))
        image = image.astype(np.float32)
        taken = _choices(image[0], policy)
        mixed = [
            edit
            for edit in tiny_mobile.edits()
            if tiny_mobile.block_of(edit.target) in (None, *taken)
        ]
        plain = _apply(ordinary, tiny_mobile.patch_bytes(mixed, ordinary))
        np.testing.assert_array_equal(_run(routed, image), _run(plain, image))
        ways.add(tuple(taken))
    assert len(ways) > 1


def test_one_operator_chooses_between_two_alike(publish):
    graph = Graph(publish().model)
    main, *branches = graph.model.subgraphs
    conditions = [
        (operator.builtinOptions.thenSubgraphIndex, operator)
        for operator in main.operators
        if graph.code(operator) == schema.BuiltinOperator.IF
    ]

    assert [then for then, _ in conditions] == [1, 3, 5]
    for then, operator in conditions:
        assert operator.builtinOptions.elseSubgraphIndex == then + 1
        tuned, frozen = branches[then - 1 : then + 1]
        codes = [
            [graph.code(one) for one in branch.operators]
            for branch in (tuned, frozen)
        ]
        assert codes[0] == codes[1]
        assert codes[0].count(schema.BuiltinOperator.CONV_2D) == 2
        assert len(operator.inputs) == 2
    names = [branch.name for branch in branches[:2]]
    assert names == [b"tuned block_1", b"frozen block_1"]


def test_the_policys_slots_are_those_of_its_size(publish):
    shapes = {
        kernel.name: kernel.shape
        for kernel in publish(policy=PolicySize(1, 6)).sidecar.kernels
        if kernel.name.startswith("policy/")
    }
    assert shapes == {
        "policy/stem/kernel": (3, 3, 3, 6),
        "policy/block_1/first/kernel": (3, 3, 6, 6),
        "policy/block_1/second/kernel": (3, 3, 6, 6),
        "policy/block_1/shortcut/kernel": (1, 1, 6, 6),
        "policy/logits/kernel": (1, 1, 6, 6),
    }


def test_another_base_refuses_the_slots(publish):
    ordinary = publish(policy=None)
    patch = tiny_mobile.patch_bytes(
        tiny_mobile.routed_edits(["block_1"]), ordinary
    )
    with pytest.raises(UnfitEditError, match="tuned/.*export-base --routing"):
        _apply(ordinary, patch)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("policy/stem/kernel", (3, 3, 3, 5)),
        ("policy/block_3/first/kernel", (3, 3, 8, 16)),
    ],
)
def test_a_policy_of_another_size_is_refused(publish, name, shape):
    routing = publish()
    edits = [*tiny_mobile.routed_edits([]), Replace(name, np.zeros(shape))]
    with pytest.raises(UnfitEditError, match=f"{name}.*--policy_blocks"):
        _apply(routing, tiny_mobile.patch_bytes(edits, routing))


def test_a_model_without_a_backbone_is_refused():
    hosts = Hosts((), (), (), ())
    with pytest.raises(ExportError, match="functional Keras model"):
        routing_lib.blocks_of(hosts)


def test_a_patch_of_chance_is_refused(publish):
    routing = publish()
    edits = [
        *tiny_mobile.routed_edits([]),
        Replace("policy/shares", np.ones(3)),
    ]
    with pytest.raises(UnfitEditError, match="Chance chooses"):
        _apply(routing, tiny_mobile.patch_bytes(edits, routing))

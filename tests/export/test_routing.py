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
from object_detection_patch.patch_file import Replace
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

"""Operators are taken apart and put together."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_model import Maker

from object_detection_patch.export.subgraphs import between, cut, in_order

_CODES = schema.BuiltinOperator


@pytest.fixture
def made():
    """a -> b -> c -> d, a -> e, (d, e) -> f; ADD has a constant in c -> d."""
    maker = Maker()
    for name in "abcdef":
        maker.tensor(name, (1,))
    maker.constant("one", np.ones(1, np.float32))
    tensors = maker.tensors
    for read, written in (("a", "b"), ("b", "c"), ("a", "e")):
        maker.operator(_CODES.RELU, [tensors[read]], [tensors[written]])
    for read, written in (("c one", "d"), ("d e", "f")):
        inputs = [tensors[name] for name in read.split()]
        maker.operator(_CODES.ADD, inputs, [tensors[written]])
    return maker


def test_operators_on_a_path_between_others(made):
    to_b, to_c, to_e, to_d, to_f = made.subgraph.operators
    operators = made.subgraph.operators

    assert between(operators, [to_b, to_d]) == [to_b, to_c, to_d]
    assert between(operators, [to_c]) == [to_c]
    assert between(operators, [to_b, to_f]) == [to_b, to_c, to_d, to_f]
    assert to_e not in between(operators, [to_b, to_f])


def test_a_cut_has_the_tensors_that_it_names(made):
    to_b, to_c, _, to_d, _ = made.subgraph.operators
    tensors = made.tensors
    found, numbers = cut(
        made.subgraph,
        [to_c, to_d],
        [tensors["b"]],
        [tensors["d"]],
        "middle",
    )

    names = [tensor.name for tensor in found.tensors]
    assert names == ["b", "c", "one", "d"]
    assert found.name == b"middle"
    assert [list(one.inputs) for one in found.operators] == [[0], [1, 2]]
    assert [list(one.outputs) for one in found.operators] == [[1], [3]]
    assert (found.inputs, found.outputs) == ([0], [3])
    assert numbers == {tensors[name]: names.index(name) for name in names}
    # The source is as it was.
    assert list(to_c.inputs) == [tensors["b"]]
    found.tensors[0].name = "changed"
    assert made.subgraph.tensors[tensors["b"]].name == "b"
    assert to_b not in found.operators


def test_an_optional_input_stays_left_out(made):
    operator = made.subgraph.operators[0]
    operator.inputs = [made.tensors["a"], -1]
    found, _ = cut(made.subgraph, [operator], [0], [1], "")

    assert list(found.operators[0].inputs) == [0, -1]


def test_operators_come_after_what_they_read(made):
    operators = made.subgraph.operators
    known = [made.tensors["a"], made.tensors["one"]]

    assert list(in_order(operators, known)) == operators
    for shuffled in (operators[::-1], operators[2:] + operators[:2]):
        there = set(known)
        for one in in_order(shuffled, known):
            assert set(one.inputs) <= there
            there |= set(one.outputs)
        assert there == set(made.tensors.values())

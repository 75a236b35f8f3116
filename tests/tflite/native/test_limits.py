"""Limits over a whole sidecar: Python and C++ draw them at the same place."""

from __future__ import annotations

import dataclasses

import outcomes
import pytest
import worlds

_PRECISIONS = {"float32": worlds.FLOAT32, "int8": worlds.INT8}


@pytest.fixture
def same(library):
    """The outcome of a world and its patch in both, if it is one."""
    in_cpp = outcomes.InCpp(library)

    def same(world: worlds.World) -> outcomes.Outcome:
        patch = worlds.make_patch(world, 1).to_bytes()
        files = world.base(), world.sidecar(), patch
        expected, found = outcomes.in_python(*files), in_cpp(*files)
        assert (found.status, found.model) == (expected.status, expected.model)
        return found

    return same


@pytest.mark.parametrize("total, status", [(65536, "ok"), (65537, "sidecar")])
def test_operations_of_all_copies(same, total, status):
    world = worlds.make_world(1, worlds.FLOAT32)
    copies = [copy for kernel in world.kernels for copy in kernel.copies]
    more = total - sum(len(copy.ops) for copy in copies)
    copies[0].ops += more * [copies[0].ops[0]]
    found = same(world)
    assert found.status == status
    if status != "ok":
        assert "together may have 65536 operations" in found.message


def test_copies_of_all_kernels(same):
    world = worlds.make_world(1, worlds.FLOAT32)
    world.kernels[-1].copies *= 65536
    assert "together may have 65536 copies" in same(world).message


@pytest.mark.parametrize("precision", _PRECISIONS)
def test_sharing(same, precision):
    world = worlds.make_world(1, _PRECISIONS[precision])
    index, leader = max(
        enumerate(world.vectors),
        key=lambda entry: (entry[1].leader is None, entry[1].items),
    )
    shared = dataclasses.replace(leader, leader=index, shared=True)
    most = 8 * len(world.base())
    while _unshared(world) <= most:
        world.vectors.append(shared)
    found = same(world)
    assert found.status == "sidecar"
    assert "8 times the bytes of base.tflite" in found.message
    world.vectors.pop()
    # In int8 the release comes next, which is of no model in particular.
    assert same(world).status in ("ok", "result_mismatch")


def _unshared(world: worlds.World) -> int:
    """Bytes of skeleton and vectors, each at a place of its own."""
    at = len(world.skeleton)
    for vector in world.vectors:
        at = -(-(at + 4) // 16) * 16 + len(vector.data)
    return at

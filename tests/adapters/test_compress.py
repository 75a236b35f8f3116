"""Patches to products of low rank, alone and together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from object_detection_patch.adapters import compress, expand, loss
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.footprint import nominal_footprint
from object_detection_patch.patch_file import (
    HALF,
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    MixOutputs,
    MixOutputsByProduct,
    Patch,
    Release,
    apply_edits,
)

TOPOLOGIES = pytest.mark.parametrize("topology", ["PARALLEL", "SERIES"])
PRODUCTS = {"PARALLEL": AddProductAtCentre, "SERIES": MixOutputsByProduct}
RULE = RankRule(rank=2)
STEM, SQUARE, WIDE, NARROW = (
    "backbone/stem/kernel",
    "backbone/square/kernel",
    "fpn/wide/kernel",
    "fpn/narrow/kernel",
)
INPUTS = {STEM: (1, 12), SQUARE: (10, 10), WIDE: (8, 20), NARROW: (20, 8)}


def base_tensors():
    random = np.random.default_rng(5)
    kernels = {
        name: random.standard_normal((3, 3, *shape)).astype(np.float32)
        for name, shape in INPUTS.items()
    }
    norms = {f"backbone/bn/{key}": np.ones(3) for key in ("gamma", "beta")}
    return kernels | norms


def family_of(make_patch, topology="PARALLEL", noise=0.01, **options):
    patches = {
        name: make_patch(seed, topology, noise)
        for seed, name in enumerate(("one", "two", "three"))
    }
    return patches, compress.joint(patches, RULE, **options)


@TOPOLOGIES
def test_alone(make_patch, topology):
    patch = make_patch(1, topology)
    found = compress.per_task(patch, RULE, name="one")
    changed = {e.target: e for e in found.edits if e not in patch.edits}
    smaller = {
        "PARALLEL": {SQUARE, WIDE, NARROW},
        "SERIES": {STEM, SQUARE, WIDE, NARROW},
    }[topology]
    assert set(changed) == smaller
    assert {type(edit) for edit in changed.values()} == {PRODUCTS[topology]}
    assert all(len(edit.values) == 2 for edit in changed.values())
    assert [e.target for e in found.edits] == [e.target for e in patch.edits]
    losses = loss.measured(patch, found, loss.new_products(patch, found))
    assert 0 < loss.relative_error(losses) < 0.05
    whole, low = (apply_edits(base_tensors(), p.edits) for p in (patch, found))
    for name, tensor in whole.items():
        np.testing.assert_allclose(low[name], tensor, atol=0.3)


@TOPOLOGIES
def test_together(make_patch, topology):
    patches, family = family_of(make_patch, topology)
    assert family.shared.topology == topology
    for patch, task in zip(patches.values(), family.tasks, strict=True):
        found = expand.expand(family.shared, task)
        losses = loss.measured(patch, found, compress.outputs_of(family.shared))
        assert len(losses) >= 3
        assert loss.relative_error(losses) < 0.05
        for edit in found.edits:
            right = family.shared.factors.get(edit.target)
            if right is not None:
                assert type(edit) is PRODUCTS[topology]
                shared = edit.values[:, -right.shape[1] :]
                assert np.array_equal(shared, right)


def test_what_tasks_have_in_common_is_found_exactly(make_patch):
    """Without noise, one R of rank 2 made them all."""
    patches, family = family_of(make_patch, noise=0.0)
    for patch, task in zip(patches.values(), family.tasks, strict=True):
        found = expand.expand(family.shared, task)
        losses = loss.measured(patch, found, compress.outputs_of(family.shared))
        assert loss.relative_error(losses) < 1e-6
        assert loss.energy_kept(losses) == pytest.approx(1.0)


def test_metadata_are_true_of_the_new_edits(make_patch):
    patch = make_patch(1)
    found = compress.per_task(patch, RULE, name="one")
    counted = nominal_footprint(
        found.edits, uncounted=patch.metadata["uncounted"]
    )
    assert found.metadata["nominal_bits"] == counted.nominal_bits()
    assert found.metadata["compression"] == {
        "kind": "per_task",
        "rule": "rank 2",
    }
    _, family = family_of(make_patch)
    expanded = expand.expand(family.shared, family.tasks[0])
    counted = nominal_footprint(
        expanded.edits, uncounted=patch.metadata["uncounted"]
    )
    assert expanded.metadata["nominal_bits"] == counted.nominal_bits()
    assert expanded.metadata["compression"]["tasks"] == 3


def test_metadata_without_a_size_get_none(make_patch):
    patch = dataclasses.replace(make_patch(1), metadata={})
    found = compress.per_task(patch, RULE, name="one")
    assert set(found.metadata) == {"compression"}


def test_releases_are_of_what_a_patch_was(make_patch):
    patch = dataclasses.replace(
        make_patch(1), releases=(Release("00" * 32, "11" * 32),)
    )
    assert compress.per_task(patch, RULE, name="one").releases == ()
    tasks = compress.joint({"a": patch, "b": patch}, RULE).tasks
    assert tasks[0].patch.releases == ()


@TOPOLOGIES
def test_an_expanded_patch_goes_back_without_loss(make_patch, topology):
    _, family = family_of(make_patch, topology)
    expanded = expand.expand(family.shared, family.tasks[1])
    joined = compress.join(expanded, family.shared, name="two")
    assert joined.patch.edits == family.tasks[1].patch.edits
    assert joined.shared_sha256 == family.shared.sha256


@TOPOLOGIES
def test_a_new_task_joins(make_patch, topology):
    _, family = family_of(make_patch, topology)
    patch = make_patch(77, topology)
    joined = compress.join(patch, family.shared, name="new")
    found = expand.expand(family.shared, joined)
    losses = loss.measured(patch, found, compress.outputs_of(family.shared))
    assert 0 < loss.relative_error(losses) < 0.05


def test_products_of_another_family_are_fitted(make_patch):
    _, family = family_of(make_patch)
    alone = compress.per_task(make_patch(77), RULE, name="new")
    joined = compress.join(alone, family.shared, name="new")
    found = expand.expand(family.shared, joined)
    losses = loss.measured(alone, found, compress.outputs_of(family.shared))
    assert 0 < loss.relative_error(losses) < 0.05


def test_a_shared_file_may_be_rounded(make_patch):
    patches, family = family_of(make_patch, encoding=HALF)
    exact = compress.joint(patches, RULE)
    assert len(family.shared_bytes) < len(exact.shared_bytes)
    assert family.shared.sha256 != exact.shared.sha256
    right = family.shared.factors[SQUARE]
    assert np.array_equal(right, right.astype(np.float16))


def _refused(message, function, *arguments, **options):
    with pytest.raises(ValueError, match=message):
        function(*arguments, **options)


def test_patches_that_cannot_share(make_patch):
    one = make_patch(1)
    other_base = dataclasses.replace(one, base_fingerprint="cd" * 32)
    other_host = dataclasses.replace(one, edits=one.edits[1:])
    other_shape = dataclasses.replace(
        one, edits=(AddAtCentre(STEM, np.ones((3, 3))), *one.edits[1:])
    )
    for other, message in (
        (other_base, "a of base abab.*, and b of base cdcd"),
        (make_patch(1, "SERIES"), "here PARALLEL. Received: b with SERIES"),
        (other_host, r"a with one of shape \(1, 12\) at .*, and b with none"),
        (other_shape, r"and b with one of shape \(3, 3\)"),
    ):
        _refused(message, compress.joint, {"a": one, "b": other}, RULE)


def test_patches_that_cannot_be_compressed(make_patch):
    one = make_patch(1)
    none = Patch("SPOTPATCH", "ab" * 32, (AddSigned("k", [True], 1.0),))
    both = dataclasses.replace(
        one, edits=(*one.edits, MixOutputs("x", np.ones((2, 2))))
    )
    low = compress.per_task(one, RULE, name="one")
    low = dataclasses.replace(low, edits=low.edits[1:])
    for patch, message in (
        (none, "must hold residual adapters. Received: p, of 'SPOTPATCH'"),
        (both, "Received: p with parallel and series ones"),
        (low, "Received: p, whose adapters are all products"),
    ):
        _refused(message, compress.per_task, patch, RULE, name="p")
    _refused("and the widest", compress.per_task, one, RankRule(11), name="p")


def test_patches_that_cannot_join(make_patch):
    one = make_patch(1)
    shared = compress.joint({"a": one, "b": make_patch(2)}, RULE).shared
    square = AddAtCentre(SQUARE, np.ones((10, 9)))
    edits = {edit.target: edit for edit in one.edits}
    for patch, message in (
        (
            dataclasses.replace(one, base_fingerprint="cd" * 32),
            "must be of its base. Received: p of base cdcd",
        ),
        (make_patch(1, "SERIES"), "here PARALLEL. Received: p with SERIES"),
        (
            dataclasses.replace(one, edits=one.edits[:1]),
            "p without one at 'backbone/square/kernel'",
        ),
        (
            dataclasses.replace(
                one, edits=tuple((edits | {SQUARE: square}).values())
            ),
            r"p with \(10, 9\) at .*, where the family has 10 outputs",
        ),
    ):
        _refused(message, compress.join, patch, shared, name="p")

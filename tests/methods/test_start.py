"""Trainings that start with the numbers of a patch file."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from google.protobuf import text_format

from object_detection_patch import methods
from object_detection_patch.adapters import compress, expand
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.keras_version import keras
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    FingerprintError,
    Patch,
    Replace,
    write_patch,
)
from object_detection_patch.protos import patch_pb2

KERNEL = "backbone/pw/kernel"
RULE = RankRule(rank=1)


def config(start=None, options="", preset="PARALLEL_ADAPTERS"):
    found = text_format.Parse(f"preset: {preset}", patch_pb2.Patch())
    if options:
        text = f"part {{ residual_adapter {{ {options} }} }}"
        text_format.Merge(text, found)
    if start is not None:
        found.init_from_patch = str(start)
    return found


def randomised(patched, seed=3):
    """The patch of a model whose trained numbers are anything."""
    random = np.random.default_rng(seed)
    for variable in patched.patch.trainable_weights:
        variable.assign(random.standard_normal(variable.shape))
    for head in patched.hosts.heads:
        head.variable.assign(random.standard_normal(head.variable.shape))
    return Patch(
        "X", patched.patch.base_fingerprint, tuple(patched.patch.edits())
    )


@pytest.fixture
def trained(make_patched):
    def make(preset="PARALLEL_ADAPTERS", seed=3):
        return randomised(make_patched(config(preset=preset)), seed)

    return make


@pytest.fixture
def file_of(tmp_path):
    def write(patch, name="start.patch"):
        write_patch(tmp_path / name, patch)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    "preset", ["PARALLEL_ADAPTERS", "SERIES_ADAPTERS", "BN_DW_PATCH"]
)
def test_what_is_extracted_is_what_it_started_with(
    preset, trained, make_patched, file_of, images
):
    patch = trained(preset)
    started = make_patched(config(file_of(patch), preset=preset))
    assert tuple(started.patch.edits()) == patch.edits


def test_fine_tuning_computes_as_before(make_patched, file_of, images):
    """Statistics that moved are folded, and the folded ones computed with."""
    found = make_patched(config(preset="FINE_TUNING"))
    for host in found.hosts.batch_norms:
        host.layer.moving_mean.assign_add([0.5] * host.channels)
    patch = randomised(found)
    expected = found.model(images, training=False)
    started = make_patched(config(file_of(patch), preset="FINE_TUNING"))
    outputs = started.model(images, training=False)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("topology", ["PARALLEL", "SERIES"])
def test_adapters_of_low_rank_train_on(
    topology, trained, make_patched, file_of, images, labels
):
    preset = f"{topology}_ADAPTERS"
    patch = compress.per_task(trained(preset), RULE, name="x")
    started = make_patched(config(file_of(patch), preset=preset))
    assert tuple(started.patch.edits()) == patch.edits
    ranks = {
        p.rank
        for p in started.patch.host_patches.values()
        if hasattr(p, "rank")
    }
    assert 1 in ranks
    train(started, images, labels)
    changed = set(edit.target for edit in started.patch.edits()) - set(
        edit.target for edit in started.patch.edits() if edit in patch.edits
    )
    assert {edit.target for edit in patch.edits} == changed


def train(patched, images, labels):
    patched.model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    patched.model.fit(images, labels, epochs=1, verbose=0)


def test_left_factors_train_alone(
    trained, make_patched, file_of, images, labels
):
    """Beside frozen right ones, and so the task stays in its family."""
    patches = {name: trained(seed=seed) for seed, name in enumerate("ab")}
    family = compress.joint(patches, RULE)
    patch = expand.expand(family.shared, family.tasks[0])
    started = make_patched(config(file_of(patch), "left_only: true"))
    train(started, images, labels)
    tuned = dataclasses.replace(patch, edits=tuple(started.patch.edits()))
    assert tuned.edits != patch.edits
    joined = compress.join(tuned, family.shared, name="a")
    assert expand.expand(family.shared, joined).edits == tuned.edits
    for target, right in family.shared.factors.items():
        before, after = (
            {e.target: e for e in p.edits}[target].values
            for p in (patch, tuned)
        )
        at = -right.shape[1]
        assert np.array_equal(after[:, at:], right)
        assert not np.array_equal(after[:, :at], before[:, :at])


def _replaced(patch, target, edit):
    edits = tuple(edit if e.target == target else e for e in patch.edits)
    return dataclasses.replace(
        patch, edits=tuple(e for e in edits if e is not None)
    )


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            lambda p: dataclasses.replace(p, base_fingerprint="cd" * 32),
            "",
            "patch for base cdcd",
        ),
        (
            lambda p: _replaced(p, KERNEL, None),
            "",
            "at every kernel of the placement. Received: none at",
        ),
        (
            lambda p: _replaced(p, KERNEL, AddAtCentre(KERNEL, [[1.0]])),
            "",
            r"AddAtCentre of shape \(1, 1\) at backbone/pw/kernel",
        ),
        (lambda p: p, "topology: SERIES", "whose adapter is SERIES"),
        (
            lambda p: _replaced(
                p,
                KERNEL,
                AddProductAtCentre(KERNEL, np.ones((2, 5 + 6))),
            ),
            "rank: 1",
            "presets that set it. Received: 1, and one of 2",
        ),
        (
            lambda p: p,
            "rank: 1",
            "Received: 1, and a whole one at backbone/pw/kernel",
        ),
        (lambda p: p, "left_only: true", "as products. Received: whole ones"),
        (
            lambda p: dataclasses.replace(
                p, edits=(*p.edits, Replace("fpn/x", [1.0]))
            ),
            "",
            "Received: 1 edits that none takes, fpn/x among them",
        ),
        (
            lambda p: _replaced(p, "backbone/pw_bn", None),
            "",
            "Received: none for backbone/pw_bn",
        ),
        (
            lambda p: _replaced(
                p, "backbone/pw_bn", Replace("backbone/pw_bn", [1.0])
            ),
            "",
            "cannot start a BatchNorm with this edit. Received: Replace",
        ),
        (
            lambda p: _replaced(
                p, "class_head/head/bias", Replace("class_head/head/bias", [1])
            ),
            "",
            r"Received: \(1,\) for class_head/head/bias, which is \(3,\)",
        ),
    ],
)
def test_patches_that_are_no_start(
    change, options, message, trained, make_patched, file_of
):
    start = file_of(change(trained()))
    with pytest.raises(ValueError, match=message) as caught:
        make_patched(config(start, options))
    fingerprint = "base cdcd" in message
    assert isinstance(caught.value, FingerprintError) == fingerprint
    assert "pipeline.config" in str(caught.value)


def test_masks_cannot_start_from_a_file(trained, make_patched, file_of):
    patched = make_patched(config(preset="SPOTPATCH"))
    patch = randomised(patched)
    with pytest.raises(
        ValueError,
        match=r"Received: \w+ at backbone/stem/kernel \(pipeline.config",
    ):
        make_patched(config(file_of(patch), preset="SPOTPATCH"))


def test_left_only_needs_a_start(make_patched):
    with pytest.raises(ValueError, match="as products. Received: none"):
        make_patched(config(options="left_only: true"))


def test_a_missing_file_is_told_before_anything_is_built(tmp_path):
    with pytest.raises(ValueError, match="none.patch': No such file"):
        methods.check(config(tmp_path / "none.patch"))
    (tmp_path / "bad.patch").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"bad\.patch"):
        methods.check(config(tmp_path / "bad.patch"))

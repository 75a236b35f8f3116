"""Bytes of a file, planned before its training, against files of any kind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from object_detection_patch.od_api import pipeline_config
from object_detection_patch.patch_file import (
    COMPACT,
    AddSigned,
    Replace,
    ScaleOffset,
    to_bytes,
)
from object_detection_patch.training import file_plan, shipped

_GRIDS = {
    "COMPACT": "",
    "SPOTPATCH": "",
    "_3_5": "  grid { batch_norm_bits: 3 head_bits: 5 }\n",
}


def _model(small_world, target, *, preset="COMPACT", options="", name=""):
    config = small_world.config(
        "stripes",
        preset,
        name=f"_target{target}{name}",
        patch_options=f"  target_file_bytes: {target}\n{options}",
    )
    return small_world.patched_model(config), pipeline_config.read_pipeline(
        config
    )


def _random_numbers(model, random, spread):
    """Whatever a training may come to: `spread` of 0 leaves equal values."""
    for host in model.patch.hosts.batch_norms:
        for variable in (host.layer.gamma, host.layer.beta):
            noise = random.standard_normal(variable.shape)
            variable.assign(0.5 + spread * noise)
    for head in model.patch.hosts.heads:
        noise = random.standard_t(3, head.variable.shape)
        head.variable.assign(spread * noise)
    for _, patch in model.patch._patched.values():
        if hasattr(patch, "latent_mask"):
            patch.latent_mask.assign(
                random.standard_normal(patch.latent_mask.shape)
            )
            patch.residual_scale.assign(random.standard_normal())


@pytest.mark.parametrize("case", list(_GRIDS))
def test_no_choice_of_gates_and_numbers_makes_a_larger_file(small_world, case):
    preset = case if case.isupper() else "COMPACT"
    model, pipeline = _model(
        small_world, 200_000, preset=preset, options=_GRIDS[case], name=case
    )
    file_plan.plan(model, pipeline)
    plan = model.patch.budget.plan
    random = np.random.default_rng(4)
    patch_of = {gate.host: gate for gate in model.patch.gates()}
    costs = dict(zip(patch_of, plan.costs, strict=True))
    shortfalls = []
    for spread in (1.0, 0.1, 1e-3):
        _random_numbers(model, random, spread)
        whole = shipped.shipped_patch(model, pipeline, step=4)
        assert sum(isinstance(e, AddSigned) for e in whole.edits) == 71
        for count in (0, 1, 5, 20, 50, 70, 71):
            chosen = set(random.choice(list(costs), count, replace=False))
            edits = tuple(
                edit
                for edit in whole.edits
                if not isinstance(edit, AddSigned) or edit.target in chosen
            )
            patch = dataclasses.replace(whole, edits=edits)
            planned = plan.fixed + sum(costs[name] for name in chosen)
            size = len(to_bytes(patch, encoding=COMPACT))
            shortfalls.append(planned - size)
            assert size <= planned, (spread, count)
    # Close enough to be of use, where numbers are as noise is.
    assert min(shortfalls) < 0.06 * plan.fixed


def test_a_gate_costs_its_packed_mask_and_its_scale(small_world):
    model, pipeline = _model(small_world, 200_000)
    file_plan.plan(model, pipeline)
    weights = [host.size for host in model.patch.hosts.kernels]

    assert model.patch.budget.plan.costs.tolist() == [
        -(-count // 8) + 4 for count in weights
    ]


def _steps(model):
    return model.patch.budget.plan.begins, model.patch.budget.plan.ends


def test_the_third_quarter_of_the_steps_unless_others_are_written(small_world):
    model, pipeline = _model(small_world, 200_000)
    pipeline.train_config.num_steps = 100
    file_plan.plan(model, pipeline)
    assert _steps(model) == (50, 75)
    model, pipeline = _model(
        small_world, 200_000, options="  target_step: 3\n", name="_step"
    )
    file_plan.plan(model, pipeline)
    assert _steps(model) == (2, 3)


def test_numbers_of_the_plan_are_on_the_grids_of_training(small_world):
    model, pipeline = _model(
        small_world, 200_000, options=_GRIDS["_3_5"], name="_3_5"
    )
    largest = file_plan.largest_patch(model, pipeline)
    kernels = [
        edit
        for edit in largest.edits
        if isinstance(edit, Replace) and edit.values.ndim > 1
    ]
    norms = [e for e in largest.edits if isinstance(e, ScaleOffset)]

    # Narrow ones have fewer channels than a grid has values.
    assert max(len(np.unique(edit.scale)) for edit in norms) == 8
    assert kernels
    for edit in kernels:
        wide = edit.values.reshape(-1, edit.values.shape[-1])
        if edit.target.endswith("depthwise_kernel"):
            wide = edit.values.reshape(9, -1)
        most = max(len(np.unique(column)) for column in wide.T)
        assert most <= 32


def test_a_target_below_what_always_ships_is_refused(small_world):
    model, pipeline = _model(small_world, 200_000)
    file_plan.plan(model, pipeline)
    fixed = model.patch.budget.plan.fixed
    below, pipeline = _model(small_world, fixed - 1)

    with pytest.raises(
        ValueError,
        match=rf"up to {fixed:,} bytes here \([\d,]+ for heads, [\d,]+ for "
        r"BatchNorms .*, [\d,]+ for header and labels\)\. Received: "
        rf"{fixed - 1:,};",
    ):
        file_plan.plan(below, pipeline)
    exact, pipeline = _model(small_world, fixed)
    file_plan.plan(exact, pipeline)
    assert exact.patch.budget.plan.capacity == 0


def test_without_a_target_there_is_nothing_to_plan(small_world):
    config = small_world.config("stripes", "COMPACT")
    model = small_world.patched_model(config)
    file_plan.plan(model, pipeline_config.read_pipeline(config))

    assert model.patch.budget is None

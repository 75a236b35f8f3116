"""What is kept of a model whose images choose blocks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from object_detection_patch.decathlon.running import accuracy, routes
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.od_api import evaluation
from object_detection_patch.patch_file import Patch, Replace
from object_detection_patch.training import block_use
from tests.decathlon.suite.suites_to_test import suite, task


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path)


@pytest.fixture
def run(small_world):
    files = small_world.files["stripes"]
    stripes = task(
        "stripes",
        eval_records=str(files.eval),
        label_map=str(files.label_map),
    )
    return dataclasses.replace(runs.select(suite())[0], task=stripes)


def _model(small_world, preset):
    config = small_world.config("stripes", preset, name="_routes")
    model = small_world.patched_model(config)
    random = np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign_add(0.05 * random.standard_normal(weight.shape))
    return model


def test_both_ways_are_measured_and_choices_are_kept(
    small_world, folder, run, monkeypatch
):
    model = _model(small_world, "SPOTTUNE")
    router = block_use.require_router(model.patch)
    found, scores = accuracy.in_keras, []

    def in_keras(*arguments):
        # The router is attached the first time alone.
        scores.append(small_world.raw_outputs(model))
        return found(*arguments)

    monkeypatch.setattr(accuracy, "in_keras", in_keras)
    picture = folder.root / "drawn.npz"
    _, routing = routes.measure(folder, run, model, picture)

    files = small_world.files["stripes"]
    images = len(
        list(
            evaluation.detect(
                model, [str(files.eval)], label_map_path=str(files.label_map)
            )
        )
    )
    assert picture.exists()
    assert [block.name for block in routing.blocks] == router.blocks
    assert len(routing.histogram) == len(routing.blocks) + 1
    # One more for the call of raw_outputs above, of two images of noise.
    assert sum(routing.histogram) == images + 2
    tuned = sum(n * count for n, count in enumerate(routing.histogram))
    mean = sum(block.share for block in routing.blocks)
    assert tuned / sum(routing.histogram) == pytest.approx(mean)
    assert 0 <= routing.always_tuned.coco <= 1
    chosen, always = (one["box_encodings"] for one in scores)
    assert np.abs(chosen - always).max() > 1e-3


@pytest.mark.slow
def test_coins_fall_alike_each_time(small_world, folder, run):
    model = _model(small_world, "RANDOM_POLICY")
    picture = folder.root / "drawn.npz"
    router = block_use.require_router(model.patch)
    first, routing = routes.measure(folder, run, model, picture)
    router.attach()
    again, same = routes.measure(folder, run, model, picture)

    assert (again, same) == (first, routing)
    assert [block.share for block in routing.blocks[-3:]] == [1.0] * 3
    assert any(0 < block.share < 1 for block in routing.blocks)


def test_a_policy_makes_a_patch_routed():
    edits = [Replace("backbone/a", np.zeros(1)), Replace("policy/b", [0.0])]
    patch = Patch(
        method="SPOTTUNE", base_fingerprint="ab" * 32, edits=(), label_map=()
    )

    assert not routes.is_routed(dataclasses.replace(patch, edits=edits[:1]))
    assert routes.is_routed(dataclasses.replace(patch, edits=edits))


def test_one_choice_for_all_images_is_kept_without_a_second_map(small_world):
    method = _model(small_world, "ALWAYS_TUNED").patch
    routing = routes.decided(method, 7)

    assert {block.share for block in routing.blocks} == {1.0}
    assert routing.histogram[-1] == sum(routing.histogram) == 7
    assert routing.always_tuned is None
    assert routes.decided(_model(small_world, "BN_PATCH").patch, 7) is None

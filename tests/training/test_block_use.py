"""What images choose, counted by hand and watched in evaluations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import evaluation
from object_detection_patch.training import block_use


@pytest.fixture(scope="module")
def model(small_world):
    """SPOTTUNE whose policy chooses by the image."""
    config = small_world.config("stripes", "SPOTTUNE", name="_used")
    model = small_world.patched_model(config)
    router = block_use.require_router(model.patch)
    noise = np.random.default_rng(3).normal(
        0, 0.5, (32, 2 * len(router.blocks))
    )
    router.policy.logits.kernel.assign(noise.astype("f"))
    return model


def _detect(small_world, model, batch_size=3):
    files = small_world.files["stripes"]
    return list(
        evaluation.detect(
            model,
            [str(files.eval)],
            label_map_path=str(files.label_map),
            batch_size=batch_size,
        )
    )


def _chosen(small_world, model):
    """What the policy says of each image alone."""
    router = block_use.require_router(model.patch)
    rows = []
    for image in _detect(small_world, model):
        resized, _ = model.preprocess(tf.cast(image.image[None], tf.float32))
        logits = router.policy(resized).numpy()[0]
        rows.append(logits[:, 1] > logits[:, 0])
    return np.array(rows)


@pytest.mark.slow
def test_evaluated_images_are_watched(small_world, model):
    with block_use.watched(model.patch) as seen:
        images = _detect(small_world, model)
    use = block_use.block_use(model.patch, seen)

    assert [len(batch) for batch in seen] == [3, len(images) - 3]
    expected = _chosen(small_world, model)
    assert 0 < expected.mean() < 1, "a policy that chooses"
    np.testing.assert_array_equal(use.taken, expected)
    assert len(use.blocks) == expected.shape[1]


def test_nothing_is_watched_afterwards(small_world, model):
    with block_use.watched(model.patch) as seen:
        pass
    _detect(small_world, model)
    assert seen == []
    assert block_use.block_use(model.patch, seen) is None


def test_shares_and_histogram_are_counts():
    taken = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0], [0, 0, 0]], bool)
    use = block_use.BlockUse(("a", "b", "c"), taken)

    assert use.shares == (0.75, 0.0, 0.25)
    assert use.histogram == (1, 2, 1, 0)


def test_decided_blocks_are_those_that_ship(small_world):
    config = small_world.config("stripes", "SPOTTUNE_GLOBAL", name="_used")
    model = small_world.patched_model(config)
    router = block_use.require_router(model.patch)
    usage = np.linspace(0.1, 0.9, len(router.blocks))
    router.usage.assign(usage)
    use = block_use.decided_use(model.patch, 5)

    assert use.shares == (0.0,) * (len(usage) - 3) + (1.0,) * 3
    assert use.histogram[3] == 5
    assert sum(use.histogram) == 5


def test_without_routing_there_is_nothing_to_use(small_world):
    config = small_world.config("stripes", "BN_PATCH", name="_used")
    method = small_world.patched_model(config).patch

    with block_use.watched(method) as seen:
        assert seen == []
    assert block_use.block_use(method, []) is None
    assert block_use.decided_use(method, 3) is None
    with pytest.raises(ValueError, match="Received: BN_PATCH, which is with"):
        block_use.require_router(method)

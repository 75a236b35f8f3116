"""What moves is what the optimiser and the BatchNorms may change."""

import pytest

from object_detection_patch.training import trainable


@pytest.mark.parametrize(
    ("preset", "suffixes"),
    [
        (
            "BN_PATCH",
            {"gamma", "beta", "moving_mean", "moving_variance"},
        ),
        ("PIGGYBACK", set()),
        ("DW_PATCH", {"depthwise_kernel"}),
    ],
)
def test_names_of_the_base_that_move(small_world, preset, suffixes):
    model = small_world.patched_model(
        small_world.config("shapes", preset), is_training=True
    )
    hosts = model.patch.hosts
    moving = trainable.moving_names(model, hosts)
    assert len(set(moving)) == len(moving)
    assert set(hosts.head_tensors()) <= set(moving)
    of_base = set(moving) - set(hosts.head_tensors())
    assert of_base == {
        name
        for name in hosts.base_tensors()
        if name.rsplit("/", 1)[-1] in suffixes
    }

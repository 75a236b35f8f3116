"""Two tasks on the small world's base, and a joint training of them."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from object_detection_patch.od_api import compat, extractors

STEPS = 3


@dataclasses.dataclass
class Trained:
    """A joint training that has ended, and what it left."""

    joint: Any
    report: dict[str, Any]
    model_dir: pathlib.Path


@pytest.fixture(scope="session", autouse=True)
def od_api() -> None:
    compat.enable()
    extractors.register()


@pytest.fixture(scope="session")
def two_configs(small_world) -> list[str]:
    return [
        small_world.config(world, "BN_PATCH", name="_joint", num_steps=steps)
        for world, steps in (("shapes", 4), ("stripes", 8))
    ]


@pytest.fixture(scope="session")
def train_jointly() -> Callable[..., Any]:
    """(configs, model_dir) -> the joint training, in a few eager steps."""
    import tensorflow as tf

    from object_detection_patch.multi_task import loop, tasks
    from object_detection_patch.od_api import repeatable

    def train(
        configs: list[str], model_dir: pathlib.Path, **options: Any
    ) -> Any:
        private = options.pop("private", None)
        given = {
            "steps": STEPS,
            "checkpoint_every_n": 2,
            "log_every_n": 1,
            # So few steps leave the schedules little to agree on.
            "max_rate_ratio": 3.0,
        }
        tf.config.run_functions_eagerly(True)
        try:
            with repeatable.repeatable(3):
                return loop.train(
                    tasks.read_tasks(configs, private),
                    str(model_dir),
                    private=private,
                    **(given | options),
                )
        finally:
            tf.config.run_functions_eagerly(False)

    return train


@pytest.fixture(scope="session")
def trained(two_configs, train_jointly, tmp_path_factory) -> Trained:
    """Both tasks, their BatchNorms and heads private, after STEPS steps."""
    from object_detection_patch.multi_task import result

    model_dir = tmp_path_factory.mktemp("joint") / "run"
    joint = train_jointly(two_configs, model_dir)
    return Trained(joint, result.write(joint, str(model_dir)), model_dir)

"""Training checkpoints of every preset, made without training."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf


def _disturb(model: Any) -> None:
    """Moves everything that training may move, and far; half the gates."""
    generator = np.random.default_rng(9)
    statistics = {
        id(variable)
        for host in model.patch.hosts.batch_norms
        if host.layer.trainable
        for name, variable in host.tensors().items()
        if "/moving_" in name
    }
    trainable = {id(variable) for variable in model.trainable_variables}
    for variable in model.variables:
        if id(variable) in statistics:
            factor = generator.uniform(0.8, 1.25, variable.shape.as_list())
            variable.assign(variable * factor.astype("float32"))
        elif "latent_gate" in variable.name:
            variable.assign(generator.choice([-1.0, 1.0]))
        elif id(variable) in trainable:
            noise = generator.normal(0, 0.02, variable.shape.as_list())
            variable.assign_add(noise.astype("float32"))


@pytest.fixture(scope="session")
def checkpoint_of(small_world) -> Any:
    """preset, options -> (config, model directory), each made once."""
    made: dict[tuple[str, str], tuple[str, str]] = {}

    def make(preset: str, options: str = "") -> tuple[str, str]:
        key = preset, options
        if key not in made:
            number = len(made)
            config = small_world.config(
                "stripes",
                preset,
                name=f"_disturbed_{number}",
                patch_options=options,
            )
            model = small_world.patched_model(config, is_training=True)
            _disturb(model)
            folder = str(small_world.folder / f"disturbed_{number}")
            tf.train.CheckpointManager(
                tf.train.Checkpoint(
                    model=model, step=tf.Variable(4, dtype=tf.int64)
                ),
                folder,
                max_to_keep=1,
            ).save()
            made[key] = config, folder
        return made[key]

    return make


@pytest.fixture(scope="session")
def base_dir(small_world) -> str:
    return str(pathlib.Path(small_world.base_checkpoint).parent)


@pytest.fixture(scope="session")
def tuned_of(small_world) -> Any:
    """(name, change) -> directory of a checkpoint tuned for `stripes`.

    `change(hosts)` writes to the hosts of a model that holds the base and a
    fresh class head. The directory holds its pipeline.config as well.
    """
    from object_detection_patch.od_api import base_model, host_layers

    def make(name: str, change: Any) -> str:
        config = small_world.config("stripes", None)
        model = small_world.unpatched_model(config)
        hosts = host_layers.find_ssd_hosts(model)
        base_model.restore_base(
            model,
            hosts,
            small_world.base_checkpoint,
            checkpoint_type="detection",
        )
        change(hosts)
        folder = small_world.folder / f"tuned_{name}"
        tf.train.CheckpointManager(
            tf.train.Checkpoint(
                model=model, step=tf.Variable(5, dtype=tf.int64)
            ),
            str(folder),
            max_to_keep=1,
        ).save()
        text = pathlib.Path(config).read_text(encoding="utf-8")
        (folder / "pipeline.config").write_text(text, encoding="utf-8")
        return str(folder)

    return make

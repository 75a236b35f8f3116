"""Settings and the small world that all tests share."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import numpy as np
import pytest

from object_detection_patch import recipes

# As make and the binary do: a test module may import TensorFlow before us.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

# A deadline measures the machine, which other work may slow down; a test
# that hangs is stopped by pytest-timeout. The same examples each time, so that
# a change is judged by what it changes; `make test-all` looks for new ones.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize=True
)
hypothesis.settings.register_profile("exploring", deadline=None)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
)


def pytest_configure(config: pytest.Config) -> None:
    """Warnings about what the OD API calls, which we cannot change."""
    for line in (
        "ignore:`tf.keras.backend.set_learning_phase`:UserWarning",
        "ignore:Even though the `tf.config.experimental_run_func:UserWarning",
    ):
        config.addinivalue_line("filterwarnings", line)


class SmallWorld:
    """Two drawn data sets and a base at 96 pixels, on disk.

    The base's values are random but lively: a freshly initialised network
    shrinks every signal to nothing, and any two of those agree.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        from tfrecords_tools.synthetic import dataset

        self.folder = folder
        self.files = dataset.write_demo_datasets(
            folder / "data", images=8, eval_images=4, size=96, seed=1
        )
        self.base_config = self.config("shapes", None)
        self.base_checkpoint = ""

    def config(
        self, world: str, preset: str | None, *, name: str = "", **fields: Any
    ) -> str:
        """Writes a pipeline.config and returns its path."""
        files = self.files[world]
        task = recipes.TaskData(
            num_classes=files.num_classes,
            train_records=str(files.train),
            eval_records=str(files.eval),
            label_map=str(files.label_map),
            flip=False,
        )
        fields = {"num_steps": 4, "batch_size": 2} | fields
        if preset:
            fields.setdefault("fine_tune_checkpoint", self.base_checkpoint)
        else:
            fields.setdefault("fine_tune_checkpoint", None)
        text = recipes.pipeline_text(
            recipes.MINI_96, task, preset=preset, **fields
        )
        path = self.folder / f"{world}_{preset}{name}.config"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def unpatched_model(self, config: str | None = None, **fields: Any) -> Any:
        """The stock model of a config; fields of `model.ssd` may differ."""
        from object_detection_patch.od_api import base_model, pipeline_config

        pipeline = pipeline_config.read_pipeline(config or self.base_config)
        for path, value in fields.items():
            *parents, last = path.split("__")
            message = pipeline.model.ssd
            for parent in parents:
                message = getattr(message, parent)
            setattr(message, last, value)
        return base_model.build_model(pipeline.model, is_training=False)

    def patched_model(self, config: str, *, is_training: bool = False) -> Any:
        """A patched model on the restored base, as training starts it."""
        from object_detection_patch.od_api import base_model, pipeline_config
        from object_detection_patch.training import patched_model

        pipeline = pipeline_config.read_pipeline(config)
        model = patched_model.build_patched(
            pipeline.model,
            pipeline_config.require_patch(pipeline, config),
            is_training=is_training,
        )
        base_model.restore_base(
            model,
            model.patch.hosts,
            self.base_checkpoint,
            checkpoint_type="detection",
        )
        model.patch.initialise()
        return model

    def images(self, count: int = 2) -> Any:
        """Noise as pictures, float32 [count, 96, 96, 3] in 0 to 255."""
        generator = np.random.default_rng(5)
        return generator.uniform(0, 255, (count, 96, 96, 3)).astype("float32")

    def raw_outputs(self, model: Any) -> dict[str, np.ndarray]:
        """Box encodings and class scores in inference mode."""
        import tensorflow as tf

        from object_detection_patch.od_api import base_model

        base_model.set_training(model, False)
        images, shapes = model.preprocess(tf.constant(self.images()))
        found = model.predict(images, shapes)
        keys = ("box_encodings", "class_predictions_with_background")
        return {key: found[key].numpy() for key in keys}


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    import tensorflow as tf

    from tests.enliven import enliven

    world = SmallWorld(tmp_path_factory.mktemp("small_world"))
    model = world.unpatched_model()
    enliven(model, seed=3)
    world.base_checkpoint = tf.train.Checkpoint(
        model=model, step=tf.Variable(7, dtype=tf.int64)
    ).save(str(world.folder / "base" / "ckpt"))
    return world


@pytest.fixture(scope="session")
def tiny_detector() -> Callable[..., bytes]:
    """Builds a detector of 8 x 8 pixels that finds colours, for LiteRT."""
    from tests import colour_detector

    return colour_detector.build


@pytest.fixture
def eager_functions() -> Iterator[None]:
    """The OD API's loop without its minute of tracing; slow tests trace."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def train(config: str, model_dir: str, *, steps: int, **options: Any) -> None:
    """The OD API's own loop, under our patch if the config has one."""
    import contextlib

    from object_detection import model_lib_v2

    from object_detection_patch.od_api import pipeline_config, repeatable
    from object_detection_patch.training import loop

    patch = pipeline_config.patch_of(pipeline_config.read_pipeline(config))
    options = {"checkpoint_every_n": 2, "record_summaries": False} | options
    with contextlib.ExitStack() as stack:
        stack.enter_context(repeatable.repeatable(3))
        if patch is not None:
            stack.enter_context(loop.patched(patch, model_dir=model_dir))
        model_lib_v2.train_loop(
            pipeline_config_path=config,
            model_dir=model_dir,
            train_steps=steps,
            **options,
        )


@pytest.fixture(scope="session")
def train_steps() -> Any:
    """The function `train`, for test modules."""
    return train


@pytest.fixture(scope="session")
def trained(small_world: SmallWorld) -> tuple[str, str]:
    """(config, model directory) of SPOTPATCH after 4 steps of the loop."""
    import tensorflow as tf

    config = small_world.config("stripes", "SPOTPATCH", name="_trained")
    model_dir = str(small_world.folder / "trained")
    tf.config.run_functions_eagerly(True)
    try:
        train(config, model_dir, steps=4, record_summaries=True)
    finally:
        tf.config.run_functions_eagerly(False)
    return config, model_dir

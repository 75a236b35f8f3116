"""What the OD API's training loop looks up, replaced for a while."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import compat, loop_pieces


@contextlib.contextmanager
def restoring_with(restore: Callable[[Any, str, str], None]) -> Iterator[None]:
    """Within it the loop restores a base by `restore(model, path, type)`.

    The loop's own restore leaves the tower out, and traces the whole model
    once more to create variables that a patched model already has.
    """

    def restore_model(
        model: Any,
        checkpoint_path: str,
        checkpoint_type: str,
        *unused: Any,
        **also_unused: Any,
    ) -> None:
        del unused, also_unused
        restore(model, checkpoint_path, checkpoint_type)

    with _replaced("load_fine_tune_checkpoint", lambda _: restore_model):
        yield


@contextlib.contextmanager
def making_slots() -> Iterator[Callable[[Any], None]]:
    """Within it the loop's optimizer can be given its slots early.

    Yields the function that does so, for a model whose variables are there.
    By itself an optimizer makes them in the first step, which TensorFlow then
    traces a second time.
    """
    from object_detection.builders import optimizer_builder

    original = optimizer_builder.build
    built: list[Any] = []

    def build(*args: Any, **kwargs: Any) -> Any:
        optimizer, rates = original(*args, **kwargs)
        built.append(optimizer)
        return optimizer, rates

    def make_slots(model: Any) -> None:
        while built:
            loop_pieces.make_slots(built.pop(), model.trainable_variables)

    optimizer_builder.build = build
    try:
        yield make_slots
    finally:
        optimizer_builder.build = original


class PendingConfig:
    """The config that a loop trains with, to be saved when this is called.

    Args:
      save: saves a config in a directory.
    """

    def __init__(self, save: Callable[[Any, str], None]) -> None:
        self._save = save
        self._pending: list[tuple[Any, str]] = []

    def take(self, config: Any, directory: str) -> None:
        self._pending.append((config, directory))

    @property
    def pipeline(self) -> Any:
        """TrainEvalPipelineConfig, with the steps that flags ask for."""
        return self._pending[-1][0]

    def __call__(self) -> None:
        while self._pending:
            self._save(*self._pending.pop())


@contextlib.contextmanager
def saving_config() -> Iterator[PendingConfig]:
    """Within it the loop saves pipeline.config when it is asked to.

    Yields what asks. By itself the loop saves first and looks at its
    checkpoints later, so a refused run would replace the config of the
    training in that directory.
    """
    from object_detection.utils import config_util

    original = config_util.save_pipeline_config
    pending = PendingConfig(original)
    config_util.save_pipeline_config = pending.take
    try:
        with _replaced(
            "train_loop",
            lambda loop: functools.partial(loop, save_final_config=True),
        ):
            yield pending
    finally:
        config_util.save_pipeline_config = original


@contextlib.contextmanager
def on_existing_devices() -> Iterator[None]:
    """Within it the loop refuses a MirroredStrategy on missing devices.

    Such a strategy would train for ever without a step.
    """

    def checked(loop: Callable[..., Any]) -> Callable[..., Any]:
        def train_loop(*args: Any, **kwargs: Any) -> Any:
            strategy = tf.distribute.get_strategy()
            if isinstance(strategy, tf.distribute.MirroredStrategy):
                compat.refuse_missing_devices(strategy.extended.worker_devices)
            return loop(*args, **kwargs)

        return train_loop

    with _replaced("train_loop", checked):
        yield


@contextlib.contextmanager
def _replaced(
    name: str, replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    from object_detection import model_lib_v2

    original = getattr(model_lib_v2, name)
    setattr(model_lib_v2, name, replacement(original))
    try:
        yield
    finally:
        setattr(model_lib_v2, name, original)

"""Drop-in for the Object Detection API's model_main_tf2: patches understood.

    python -m object_detection_patch.model_main_tf2 \\
        --pipeline_config_path=task.config --model_dir=DIR

It takes every flag of the stock binary, which runs inside. A config with
`[object_detection_patch.patch] { ... }` trains or evaluates that patch; a
config without it trains as the stock binary does, and is evaluated with every
BatchNorm in inference mode.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from absl import app, flags, logging

from object_detection_patch.od_api import compat, extractors

compat.enable()
extractors.register()

import tensorflow as tf  # noqa: E402
from object_detection import model_main_tf2 as stock  # noqa: E402

from object_detection_patch import methods  # noqa: E402
from object_detection_patch.od_api import (  # noqa: E402
    base_model,
    checks,
    eval_loop,
    pipeline_config,
    repeatable,
)
from object_detection_patch.protos import patch_pb2  # noqa: E402
from object_detection_patch.training import loop, start_labels  # noqa: E402

flags.DEFINE_integer(
    "seed",
    None,
    "Seed of every random number, with an input pipeline in order: a run on a "
    "CPU is then repeatable. Ours, not the stock binary's.",
)
flags.adopt_module_key_flags(stock)
_INTERRUPTED = 130
FLAGS = flags.FLAGS


def main(arguments: Sequence[str]) -> None:
    """Checks the config, then runs the stock binary around the patch."""
    try:
        patch = _checked_patch()
        with contextlib.ExitStack() as stack:
            stack.enter_context(repeatable.repeatable(FLAGS.seed))
            if FLAGS.checkpoint_dir:
                stack.enter_context(eval_loop.in_inference_mode())
            if patch is not None:
                stack.enter_context(
                    loop.patched(patch, model_dir=FLAGS.model_dir)
                )
            stock.main(arguments)
    except ValueError as error:
        if not _is_ours(error):
            raise
        _stop(error)
    except KeyboardInterrupt:
        # How an evaluation that waits for checkpoints is meant to end.
        _leave(_INTERRUPTED)


def _is_ours(error: BaseException) -> bool:
    """Whether this package raised it, with a message meant for users."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith(
        "object_detection_patch."
    )


def _checked_patch() -> patch_pb2.Patch | None:
    pipeline = pipeline_config.read_pipeline(FLAGS.pipeline_config_path)
    patch = pipeline_config.patch_of(pipeline)
    if patch is not None:
        methods.check(patch)
        checks.check_pipeline(pipeline, training=not FLAGS.checkpoint_dir)
        start_labels.check(pipeline)
        if not FLAGS.checkpoint_dir:
            checks.check_checkpointing(
                FLAGS.num_train_steps or pipeline.train_config.num_steps,
                FLAGS.checkpoint_every_n,
            )
    latest = tf.train.latest_checkpoint(FLAGS.checkpoint_dir or FLAGS.model_dir)
    if latest:
        base_model.check_patch_held(
            latest, FLAGS.pipeline_config_path, patched=patch is not None
        )
    return patch


def _stop(error: Exception) -> NoReturn:
    logging.error("%s", error)
    _leave(2)


def _leave(status: int) -> NoReturn:
    # At exit TensorFlow would warn of every tensor of a checkpoint that was
    # not restored, and bury what was said last.
    tf.get_logger().setLevel("CRITICAL")
    sys.exit(status)


if __name__ == "__main__":
    flags.mark_flags_as_required(["pipeline_config_path", "model_dir"])
    app.run(main)

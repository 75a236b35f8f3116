"""The Object Detection API's training loop, taught about patches.

The loop itself is not ours: these context managers replace what it looks up
(how an SSD is built, how a base is restored, what a step checks) and put the
originals back.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch import methods
from object_detection_patch.od_api import (
    base_model,
    eval_loop,
    pipeline_config,
    step_guard,
    train_loop,
)
from object_detection_patch.patch_file import FingerprintError
from object_detection_patch.protos import patch_pb2
from object_detection_patch.training import (
    block_use,
    cost,
    eval_report,
    file_plan,
    patched_model,
    summaries,
    trainable,
)


@contextlib.contextmanager
def patched(
    config: patch_pb2.Patch, *, model_dir: str
) -> Iterator[step_guard.StepGuard]:
    """Within it `train_loop` and `eval_continuously` handle the patch.

    Yields the guard, whose `step` follows the training.

    Raises:
      ValueError: for options out of range, before anything is built.
      NonFiniteError: when a loss or a gradient is not finite.
      FingerprintError: when the training resumes on another base.
      OtherPatchError: when a checkpoint to resume or evaluate holds another
        patch, or none.
    """
    methods.check(config)
    eval_report.check(config)
    writer = summaries.PatchStateWriter()

    def attach(model: Any) -> Any:
        patched_ssd = patched_model.patch_ssd(model, config)
        writer.prepare(patched_ssd.patch)
        return patched_ssd

    def after_step(model: Any, global_step: Any) -> None:
        model.patch.follow(global_step)
        writer(model, global_step)

    with (
        base_model.intercept_ssd(attach),
        pipeline_config.keep_patch(),
        train_loop.saving_config() as save_config,
        train_loop.making_slots() as make_slots,
        train_loop.restoring_with(
            functools.partial(
                _restore_strictly, model_dir, save_config, make_slots
            )
        ),
        train_loop.on_existing_devices(),
        eval_loop.around_evaluation(
            _refuse_unrestored,
            functools.partial(eval_report.write_patch_report, config),
            lambda model: block_use.watched(model.patch),
        ),
        step_guard.guarded_steps(after_step) as guard,
    ):
        yield guard


def _restore_strictly(
    model_dir: str,
    save_config: train_loop.PendingConfig,
    make_slots: Callable[[Any], None],
    model: Any,
    checkpoint_path: str,
    checkpoint_type: str,
) -> None:
    base_model.restore_base(
        model,
        model.patch.hosts,
        checkpoint_path,
        checkpoint_type=checkpoint_type,
    )
    model.patch.initialise()
    _refuse_other_patch(model, model_dir)
    file_plan.plan(model, save_config.pipeline)
    make_slots(model)
    save_config()
    _log_plan(model)


def _refuse_other_patch(model: Any, model_dir: str) -> None:
    method: methods.PatchMethod = model.patch
    latest = tf.train.latest_checkpoint(model_dir)
    if latest is None:
        return
    reader = tf.train.load_checkpoint(latest)
    base_model.check_patch_held(latest, "pipeline.config", patched=True)
    stored = bytes(
        reader.get_tensor(base_model.FINGERPRINT_KEY).astype("uint8")
    ).hex()
    if stored != method.base_fingerprint:
        raise FingerprintError(
            "A patch resumes on the base model that it began with. Received: "
            f"base {method.base_fingerprint} "
            f"(train_config.fine_tune_checkpoint), but {latest!r} was trained "
            f"on base {stored}."
        )
    method.refuse_other_parts(latest, reader.get_tensor(base_model.PARTS_KEY))
    try:
        tf.train.Checkpoint(model=model).restore(latest).expect_partial()
    except ValueError as error:
        raise methods.OtherPatchError(
            "A training resumes with the classes that it began with. "
            f"Received: {latest!r}, which does not fit pipeline.config "
            f"({str(error).splitlines()[0]}); use another --model_dir."
        ) from error


def _refuse_unrestored(model: Any) -> None:
    """The evaluation's own restore passes over what it does not find."""
    if model.patch.base_fingerprint:
        model.patch.refuse_other_parts("the evaluated checkpoint")


def _log_plan(model: Any) -> None:
    method = model.patch
    moving = trainable.moving_names(model, method.hosts)
    base = cost.base_size(method.hosts)
    largest = cost.patch_footprint(method, gates="open")
    logging.getLogger(__name__).info(
        "%s on base %s: %d host kernels, %d tensors of the base and heads "
        "train in place, at most %.2f %% of %d parameters ship.",
        method.method,
        method.base_fingerprint[:12],
        len(method.hosts.kernels),
        len(moving),
        100 * largest.fraction(base, bits=32),
        base.total,
    )

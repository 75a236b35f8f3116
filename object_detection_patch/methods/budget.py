"""Most bytes of a patch's file, held by gates: `target_file_bytes`.

docs/file_budget.md says why it is a bound and not a weight in the loss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, presets
from object_detection_patch.patch_file import layout
from object_detection_patch.protos import patch_pb2

_WHERE = "(pipeline.config, [object_detection_patch.patch])."
_NEEDED = "binary_mask"
# Of the one it is open how many blocks ship, the other leaves kernels of its
# own in a file that phones do not fetch.
_UNFIT = ("instance_routing", "mobile_tl")
# Zhu and Gupta, To prune, or not to prune, Eq. 1: fast at first, when much can
# go, then ever slower.
_POWER = 3


@dataclasses.dataclass(frozen=True)
class Target:
    """What a config asks of its file.

    Args:
      file_bytes: at most, of the whole file.
      step: training steps after which it is kept; 0 for three quarters of
        all.
      begin_step: training steps before which it closes no gate; 0 for two
        thirds of `step`.
    """

    file_bytes: int
    step: int = 0
    begin_step: int = 0

    @property
    def number(self) -> int:
        """What a checkpoint remembers of it, below the numbers of all else."""
        return -self.file_bytes

    def steps_of(self, num_steps: int) -> tuple[int, int]:
        """`begin_step` and `step` in a training of so many.

        Raises:
          ValueError: unless the first is below the second.
        """
        # A training of one step keeps it as well.
        ends = self.step or max(1, 3 * num_steps // 4)
        begins = self.begin_step or 2 * ends // 3
        if begins >= ends:
            raise ValueError(
                "`target_begin_step` must be below `target_step`, by default "
                f"three quarters of `num_steps`: {ends} here. Received: "
                f"{begins} {_WHERE}"
            )
        return begins, ends


def name_of(number: int) -> str | None:
    """The target of a `Target.number`, for people; None for others."""
    return f"target of {-number:,} bytes" if number < 0 else None


def of_config(config: patch_pb2.Patch) -> Target | None:
    """The target that a config has, or None.

    Raises:
      ValueError: for one out of range, without gates, or beside parts whose
        file no gate bounds.
    """
    size = config.target_file_bytes
    step, begin_step = config.target_step, config.target_begin_step
    if not size:
        if step or begin_step or config.HasField("target_file_bytes"):
            raise ValueError(
                "`target_file_bytes` must be above 0, and is needed beside "
                "`target_step` and `target_begin_step`. Received: "
                f"{size} {_WHERE}"
            )
        return None
    if size > layout.MAX_FILE_BYTES:
        raise ValueError(
            "`target_file_bytes` must be at most what a patch file can have, "
            f"{layout.MAX_FILE_BYTES:,}. Received: {size:,} {_WHERE}"
        )
    _check_parts(config)
    return Target(size, step, begin_step)


def _check_parts(config: patch_pb2.Patch) -> None:
    parts = {part.WhichOneof("part") for part in presets.resolve_parts(config)}
    if _NEEDED not in parts:
        raise ValueError(
            "`target_file_bytes` is kept by closing gates, so the patch needs "
            f"`{_NEEDED}`, as the presets COMPACT and SPOTPATCH have it. "
            f"Received: {', '.join(sorted(parts))} {_WHERE}"
        )
    unfit = sorted(parts.intersection(_UNFIT))
    if unfit:
        raise ValueError(
            "`target_file_bytes` bounds patches of one form for all images, "
            f"beside neither of {', '.join(_UNFIT)}. Received: "
            f"{', '.join(unfit)} {_WHERE}"
        )


@dataclasses.dataclass(frozen=True)
class Plan:
    """Bytes of a file, known before its training.

    Args:
      target: most bytes of the file.
      fixed: of all that ships whatever gates say, at most the target.
      costs: of each gated kernel, int64 [kernels].
      begins, ends: steps after which gates begin to be closed for the target
        and after which it is kept, the first below the second.
    """

    target: int
    fixed: int
    costs: np.ndarray
    begins: int
    ends: int

    @property
    def capacity(self) -> int:
        """Bytes for masks once the target is kept."""
        return self.target - self.fixed

    def capacity_at(self, done: Any) -> tf.Tensor:
        """Bytes for masks after so many steps, int64: of all at first."""
        total = int(self.costs.sum())
        extra = max(0, total - self.capacity)
        left = float(self.ends) - tf.cast(done, tf.float32)
        share = left / float(self.ends - self.begins)
        share = tf.clip_by_value(share, 0.0, 1.0) ** _POWER
        return self.capacity + tf.cast(extra * share, tf.int64)


class FileBudget(keras.layers.Layer):
    """Which gates may be open: those that fit the bytes left for masks.

    Every step all gates are put in the order of their latents and taken one
    after the other, as long as their latent is above 0 and their bytes fit
    what is left. So no step trains what could not ship.

    `allowed`, bool [kernels], is kept in checkpoints: evaluation and
    extraction see the gates that training had.

    Args:
      target: what the config asks for.
      patches: the gated kernels, in network order.
    """

    def __init__(
        self, target: Target, patches: Sequence[base.GatedKernelPatch]
    ) -> None:
        super().__init__(name="budget")
        self.target = target
        self.plan: Plan | None = None
        # Keras would track what the whole patch owns a second time.
        object.__setattr__(self, "_patches", tuple(patches))
        self.allowed = self.add_weight(
            name="allowed",
            shape=(len(patches),),
            dtype=tf.bool,
            initializer="ones",
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        for index, patch in enumerate(patches):
            patch.limit(self.allowed, index)
        self.built = True

    def follow(self, done: Any) -> None:
        """Chooses the gates anew after `done` steps, a scalar.

        Raises:
          ValueError: if nobody has made the plan.
        """
        if self.plan is None:
            raise ValueError(
                "A training with `target_file_bytes` must plan its file "
                "before its first step. Received: none "
                f"{_WHERE}"
            )
        latents = tf.stack([patch.latent() for patch in self._patches])
        self.allowed.assign(
            fitting(latents, self.plan.costs, self.plan.capacity_at(done))
        )

    def open_bytes(self) -> tf.Tensor:
        """The most bytes of the file with the gates of now, float32."""
        if self.plan is None:
            raise ValueError("Bytes are known once a file is planned.")
        gates = tf.stack([patch.gate() for patch in self._patches])
        costs = self.plan.costs.astype(np.float32)
        return self.plan.fixed + tf.reduce_sum(gates * costs)


def fitting(
    latents: tf.Tensor, costs: np.ndarray, capacity: tf.Tensor
) -> tf.Tensor:
    """Those to take of gates with bytes to pay, the highest latents first.

    A gate whose bytes are more than what is left is passed over, and the
    next is tried. Equal latents go in their order.

    Args:
      latents: float32 [gates]; one of 0 or below is not taken.
      costs: int64 [gates], above 0.
      capacity: int64, of all that are taken.

    Returns:
      bool [gates].
    """
    order = tf.argsort(latents, direction="DESCENDING", stable=True)
    wanted = tf.gather(latents, order) > 0
    # More than there is: not taken.
    asked = tf.where(wanted, tf.gather(costs, order), capacity + 1)
    left = tf.scan(
        lambda left, cost: left - tf.where(cost <= left, cost, 0),
        asked,
        initializer=capacity,
    )
    before = tf.concat([[capacity], left[:-1]], axis=0)
    return tf.gather(left < before, tf.math.invert_permutation(order))

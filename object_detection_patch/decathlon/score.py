"""One number for many tasks: the decathlon score and its price."""

from __future__ import annotations

import math
from collections.abc import Mapping

MAXIMUM_SCORE = 10_000.0


def decathlon_score(
    method_map: Mapping[str, float], fine_tuning_map: Mapping[str, float]
) -> float:
    """How much of the room left by a strong baseline a method fills.

    Score = 10000/D * sum_d (max(s_d - b_d, 0) / (1 - b_d))^2
    b_d = 2 * fine_tuning_map[d] - 1

    `s_d` is the method's mAP on task d, D the number of tasks. Fine-tuning
    itself scores 2500 by construction of b_d, a perfect detector 10000. The
    baseline b_d is negative where fine-tuning stays below 0.5; the paper's
    figures need it that way, so it is not clipped.

    Args:
      method_map: task -> mAP in [0, 1], not percent.
      fine_tuning_map: the same tasks -> mAP of fine-tuning, in [0, 1).
    Returns:
      The score, in [0, 10000].
    Raises:
      ValueError: no task; different tasks; a mAP outside its interval or
        NaN.
    Reference: SpotPatch, Eq. 7 and the line below it.
    """
    _check_same_tasks(method_map, fine_tuning_map)
    for name, values in (
        ("method_map", method_map),
        ("fine_tuning_map", fine_tuning_map),
    ):
        for task, value in values.items():
            _check_map(name, task, value)
    terms = [
        _task_term(task, achieved, fine_tuning_map[task])
        for task, achieved in method_map.items()
    ]
    # fsum rounds once, so the order of the tasks does not matter.
    return MAXIMUM_SCORE / len(terms) * math.fsum(terms)


def score_per_footprint(score: float, footprint: float) -> float:
    """Score bought per unit of footprint.

    Args:
      score: a decathlon score, >= 0.
      footprint: bits of all patches together over bits of one base model,
        a ratio (0.35, not 35 %).
    Raises:
      ValueError: a negative or non-finite score; a footprint that is not a
        positive finite number.
    Reference: SpotPatch, last column of Table 2.
    """
    if not (math.isfinite(score) and score >= 0):
        raise ValueError(
            f"`score` must be finite and not negative. Received: {score}"
        )
    if not (math.isfinite(footprint) and footprint > 0):
        raise ValueError(
            "`footprint` must be a positive finite ratio of bits. "
            f"Received: {footprint}"
        )
    return score / footprint


def _task_term(task: str, achieved: float, fine_tuning: float) -> float:
    room = 2.0 - 2.0 * fine_tuning  # 1 - b_d
    if room == 0.0:
        raise ValueError(
            "`fine_tuning_map` must stay below 1: a perfect baseline leaves "
            "no room to score, and the score divides by that room. "
            f"Received: {fine_tuning} for task {task!r}"
        )
    baseline = 2.0 * fine_tuning - 1.0
    return (max(achieved - baseline, 0.0) / room) ** 2


def _check_same_tasks(
    method_map: Mapping[str, float], fine_tuning_map: Mapping[str, float]
) -> None:
    only_method = sorted(set(method_map) - set(fine_tuning_map))
    only_fine_tuning = sorted(set(fine_tuning_map) - set(method_map))
    if only_method or only_fine_tuning:
        raise ValueError(
            "`method_map` and `fine_tuning_map` must hold the same tasks. "
            f"Only in `method_map`: {only_method}; "
            f"only in `fine_tuning_map`: {only_fine_tuning}"
        )
    if not method_map:
        raise ValueError(
            "The decathlon score needs at least one task. Received: none"
        )


def _check_map(name: str, task: str, value: float) -> None:
    # Written so that NaN, which compares false, is refused too.
    if not 0.0 <= value <= 1.0:
        raise ValueError(
            f"`{name}` must hold mAPs in [0, 1] (divide percent by 100). "
            f"Received: {value} for task {task!r}"
        )

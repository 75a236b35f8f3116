"""Schedules of different length run side by side."""

import math

import numpy as np
import pytest
from google.protobuf import text_format

from object_detection_patch.multi_task import rates


def _optimizer(text):
    from object_detection.protos import optimizer_pb2

    return text_format.Parse(
        f"adam_optimizer {{ learning_rate {{ {text} }} }} "
        "use_moving_average: false",
        optimizer_pb2.Optimizer(),
    )


def _cosine(steps, rate=0.1):
    return _optimizer(
        f"cosine_decay_learning_rate {{ learning_rate_base: {rate} "
        f"total_steps: {steps} warmup_learning_rate: 0.0 "
        f"warmup_steps: {steps // 10} }}"
    )


def _schedule(planned, steps, rate=0.1):
    return rates.Schedule(_cosine(planned, rate), planned=planned, steps=steps)


def test_a_schedule_is_stretched_over_the_joint_steps():
    """The OD API's own formula, at the same share of the way."""
    schedule = _schedule(planned=50, steps=200)
    for step in (0, 3, 20, 100, 150, 199):
        before, share = divmod(step * 50, 200)
        expected = np.interp(
            before + share / 200,
            [before, before + 1],
            [_planned(before), _planned(before + 1)],
        )
        assert schedule.move_to(step) == pytest.approx(expected, abs=1e-7)
        assert float(schedule.rate()) == pytest.approx(expected, abs=1e-7)


def _planned(at):
    """Warm-up to 0.1 in 5 steps, then half a cosine until 50."""
    if at < 5:
        return 0.1 * at / 5
    return 0.05 * (1 + math.cos(math.pi * (at - 5) / 45))


def test_schedules_of_any_lengths_coincide_at_equal_heights():
    rates.refuse_dominant(
        {"a": _schedule(300, 300), "b": _schedule(20, 300)},
        steps=300,
        most=2.0,
    )


def test_a_constant_rate_stays():
    schedule = rates.Schedule(
        _optimizer("constant_learning_rate { learning_rate: 0.25 }"),
        planned=3,
        steps=30,
    )
    assert {schedule.move_to(step) for step in range(30)} == {0.25}


def test_steps_that_differ_are_comparable_and_heights_are_not():
    good = {"a": _schedule(100, 400), "b": _schedule(400, 400, rate=0.15)}
    rates.refuse_dominant(good, steps=400, most=2.0)
    bad = good | {"c": _schedule(200, 400, rate=0.4)}
    with pytest.raises(
        ValueError,
        match=r"at most 2 times .*Received: at step \d+ of 400 \S+ for c and "
        r"\S+ for a",
    ):
        rates.refuse_dominant(bad, steps=400, most=2.0)
    rates.refuse_dominant(bad, steps=400, most=4.1)


def test_a_decay_at_another_time_is_refused():
    early, late = (
        rates.Schedule(
            _optimizer(
                "manual_step_learning_rate { initial_learning_rate: 0.1 "
                f"schedule {{ step: {step} learning_rate: 0.01 }} }}"
            ),
            planned=100,
            steps=100,
        )
        for step in (20, 80)
    )
    with pytest.raises(ValueError, match="for late and .* for early"):
        rates.refuse_dominant(
            {"early": early, "late": late}, steps=100, most=2.0
        )


def test_shares_make_the_mean_of_the_steps_that_each_takes():
    given = [0.1, 0.2, 0.3]
    gradients = np.array([1.0, -2.0, 5.0])
    step = np.mean(given) * np.dot(rates.shares(given), gradients)
    assert step == pytest.approx(np.mean(np.multiply(given, gradients)))
    assert rates.shares([0.0, 0.0]) == [0.5, 0.5]

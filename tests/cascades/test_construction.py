"""The greedy construction, against one written out with loops."""

import itertools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from object_detection_patch.cascades.construction import (
    Cascade,
    Stage,
    construct,
)


def _share_right(right):
    """Quality of an assignment: the share of images answered rightly."""
    return lambda assigned: float(
        right[assigned, np.arange(right.shape[1])].mean()
    )


def _just_below(value):
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def _by_loops(confidences, costs, right, reference, floor):
    """[(model, threshold)] by the rule, image by image."""
    images = range(len(confidences[0]))

    def quality(answers):
        return sum(right[answers[i]][i] for i in images) / len(images)

    answers, left, stages = [reference] * len(images), set(images), []
    models = [m for m in range(len(costs)) if m != reference]
    while True:
        best, most = None, len(left) / costs[reference]
        for model in models:
            for threshold in sorted({confidences[model][i] for i in left}):
                taken = {i for i in left if confidences[model][i] >= threshold}
                tried = [model if i in taken else answers[i] for i in images]
                if quality(tried) >= floor:
                    if len(taken) / costs[model] > most:
                        most = len(taken) / costs[model]
                        best = model, threshold, taken
                    break
        if best is None:
            return [*stages, (reference, -math.inf)]
        model, threshold, taken = best
        stages.append((model, _just_below(threshold)))
        models.remove(model)
        left -= taken
        for image in taken:
            answers[image] = model


@st.composite
def _worlds(draw):
    models, images = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    # In eighths, which floats hold exactly, and which are often alike.
    confidences = draw(
        st.lists(
            st.lists(st.integers(0, 8), min_size=images, max_size=images),
            min_size=models,
            max_size=models,
        )
    )
    right = draw(
        st.lists(
            st.lists(st.booleans(), min_size=images, max_size=images),
            min_size=models,
            max_size=models,
        )
    )
    costs = draw(st.lists(st.integers(1, 9), min_size=models, max_size=models))
    return np.array(confidences) / 8, np.array(right), costs


@hypothesis.given(_worlds())
def test_it_is_the_rule_and_keeps_what_it_promises(world):
    confidences, right, costs = world
    quality = _share_right(right)
    reference = int(np.argmax(right.mean(axis=1)))
    floor = float(right[reference].mean())
    found = construct(
        confidences, costs, quality, reference=reference, floor=floor
    )
    stages = [(stage.model, stage.threshold) for stage in found.stages]
    assert stages == _by_loops(
        confidences.tolist(), costs, right.tolist(), reference, floor
    )
    assert quality(found.models(confidences)) >= floor
    average = found.costs(confidences, np.array(costs)).mean()
    assert average <= costs[reference] + 1e-9


def test_answers_and_costs_of_a_cascade_by_hand():
    cascade = Cascade((Stage(1, 0.5), Stage(0, 0.8), Stage(2, -math.inf)))
    confidences = np.array(
        [[0.9, 0.9, 0.1, 0.8], [0.5, 0.4, 0.4, 0.2], [0.0, 0.0, 0.0, 0.0]]
    )
    assert cascade.answering(confidences).tolist() == [0, 1, 2, 1]
    assert cascade.models(confidences).tolist() == [1, 0, 2, 0]
    costs = cascade.costs(confidences, np.array([10.0, 1.0, 100.0]))
    assert costs.tolist() == [1, 11, 111, 11]


def test_a_cheap_model_answers_what_it_is_sure_of():
    """Sure where right: of ten images the cheap model keeps seven."""
    cheap = np.array([0.9] * 7 + [0.2] * 3)
    right = np.array([[True] * 7 + [False] * 3, [True] * 10])
    found = construct(
        np.stack([cheap, np.zeros(10)]),
        [1, 10],
        _share_right(right),
        reference=1,
        floor=1.0,
    )
    assert found.stages == (Stage(0, _just_below(0.9)), Stage(1, -math.inf))
    costs = found.costs(np.stack([cheap, np.zeros(10)]), np.array([1.0, 10.0]))
    assert costs.mean() == pytest.approx((7 * 1 + 3 * 11) / 10)


def test_a_model_that_is_sure_and_wrong_is_no_stage():
    right = np.array([[False, True, True], [True, True, True]])
    found = construct(
        np.array([[0.9, 0.5, 0.4], [0.0, 0.0, 0.0]]),
        [1, 10],
        _share_right(right),
        reference=1,
        floor=1.0,
    )
    assert found.stages == (Stage(1, -math.inf),)


def test_a_lower_floor_lets_it_answer():
    right = np.array([[False, True, True], [True, True, True]])
    found = construct(
        np.array([[0.9, 0.5, 0.4], [0.0, 0.0, 0.0]]),
        [1, 10],
        _share_right(right),
        reference=1,
        floor=0.6,
    )
    assert found.stages == (Stage(0, _just_below(0.4)), Stage(1, -math.inf))


def test_it_is_within_four_times_the_best_order():
    """Streeter's bound, by trying every order and threshold."""
    generator = np.random.default_rng(3)
    for _ in range(5):
        right = generator.random((3, 8)) < np.array([[0.5], [0.7], [1.1]])
        confidences = generator.random((3, 8)) + 0.5 * right
        costs = np.array([1.0, 3.0, 9.0])
        quality = _share_right(right)
        found = construct(confidences, costs, quality, reference=2, floor=1.0)
        best = min(
            cascade.costs(confidences, costs).mean()
            for cascade in _all_cascades(confidences)
            if quality(cascade.models(confidences)) >= 1.0
        )
        assert best <= found.costs(confidences, costs).mean() <= 4 * best


def _all_cascades(confidences):
    last = Stage(2, -math.inf)
    for order in itertools.chain(
        *(itertools.permutations((0, 1), n) for n in range(3))
    ):
        for thresholds in itertools.product(*(confidences[m] for m in order)):
            stages = map(Stage, order, thresholds)
            yield Cascade((*stages, last))


def test_few_places_try_few_thresholds():
    calls = []

    def quality(assigned):
        calls.append(1)
        return 1.0 if (assigned == 1).all() else 0.0

    generator = np.random.default_rng(0)
    found = construct(
        generator.random((2, 300)),
        [1, 2],
        quality,
        reference=1,
        floor=1.0,
        places=7,
    )
    assert found.stages == (Stage(1, -math.inf),)
    assert len(calls) == 8


@pytest.mark.parametrize(
    ("confidences", "costs", "options", "message"),
    [
        (np.zeros((2, 3)), [1], {}, r"confidences \(2, 3\), costs \(1,\)"),
        (np.zeros((2, 0)), [1, 1], {}, "a confidence for each image"),
        (np.full((2, 3), np.nan), [1, 1], {}, "none of them NaN"),
        (np.zeros((2, 3)), [0, 1], {}, r"above 0. Received: \[0.0, 1.0\]"),
        (np.zeros((2, 3)), [1, 1], {"reference": 2}, "must be one of 2"),
        (np.zeros((2, 3)), [1, 1], {"floor": 2.0}, "alone, 1. Received: 2."),
    ],
)
def test_what_is_refused(confidences, costs, options, message):
    given = {"reference": 0, "floor": 1.0} | options
    with pytest.raises(ValueError, match=message):
        construct(confidences, costs, lambda assigned: 1.0, **given)

"""Confidence: one number for the scores of an image."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from object_detection_patch.cascades.confidence import confidence


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ([], 0.0),
        ([0.0, 0.0], 0.0),
        ([1.0], 1.0),
        ([0.4], 0.4),
        ([0.9, 0.9, 0.9], 0.9),
        # (1 + 1 / 8) / (1 + 1 / 4)
        ([1.0, 0.5], 0.9),
    ],
)
def test_by_hand(scores, wanted):
    assert confidence(np.array(scores, np.float32)) == pytest.approx(wanted)


@hypothesis.given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_it_lies_between_none_and_the_highest_score(scores):
    assert -1e-12 <= confidence(np.array(scores)) <= max(scores) + 1e-12


def test_a_faint_tail_hardly_counts():
    sure = [0.95] + [0.01] * 99
    assert confidence(np.array(sure)) > 0.93
    assert confidence(np.array([0.4] + [0.01] * 99)) < 0.4


def test_a_doubtful_find_lowers_it():
    assert confidence(np.array([0.9, 0.5])) < confidence(np.array([0.9]))

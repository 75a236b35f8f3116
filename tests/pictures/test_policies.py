"""Charts of taken blocks: inked areas are shares and counts."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch import pictures
from object_detection_patch.pictures.colours import PALETTE


def _inked(shares, histogram):
    chart = pictures.policy_chart(shares, histogram, title="t")
    assert chart.dtype == np.uint8
    assert chart.ndim == 3
    return int(np.all(chart == np.array(PALETTE[-2]), axis=-1).sum())


def test_ink_follows_the_shares():
    # The lower chart is the same: all images take one block.
    none, half, all_ = (
        _inked([share] * 4, [0, 8, 0, 0, 0]) for share in (0.0, 0.5, 1.0)
    )
    assert half - none == pytest.approx((all_ - none) / 2, rel=0.05)
    assert all_ - none > 5000


def test_ink_follows_the_counts():
    # The greatest count fills the axis; an equal one beside it doubles it.
    one = _inked([0.0, 0.0], [0, 8, 0])
    two = _inked([0.0, 0.0], [0, 8, 8])
    assert two == pytest.approx(2 * one, rel=0.02)


@pytest.mark.parametrize(
    ("shares", "histogram", "message"),
    [
        ([0.5, 1.1], [1, 1, 1], r"must lie in \[0, 1\]\. Received: .*1\.1"),
        ([float("nan")], [1, 1], r"must lie in \[0, 1\]"),
        ([0.5], [1, -1], "must be 0 or more. Received: .*-1"),
        ([0.5, 0.5], [1, 1], "all of 2 blocks. Received: 2 counts for 'name'"),
    ],
)
def test_numbers_of_no_policy_are_refused(shares, histogram, message):
    with pytest.raises(ValueError, match=message):
        pictures.policy_chart(shares, histogram, title="name")

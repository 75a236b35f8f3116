"""A cascade of two drawn-up detectors, counted by hand."""

import json

import numpy as np
import pytest

from object_detection_patch.cascades import measured, report
from object_detection_patch.cascades.members import Member
from object_detection_patch.od_api.evaluation import EvaluatedImage

_BOX = np.array([[0.1, 0.1, 0.5, 0.5]], np.float32)
_AWAY = np.array([[0.6, 0.6, 0.9, 0.9]], np.float32)


def _image(number, score, *, right=True):
    return EvaluatedImage(
        source_id=str(number),
        image=np.zeros((0, 1, 3), np.uint8),
        true_boxes=_BOX,
        true_classes=np.array([1]),
        difficult=np.array([False]),
        is_crowd=np.array([False]),
        group_of=np.array([False]),
        boxes=_BOX if right else _AWAY,
        scores=np.array([score], np.float32),
        classes=np.array([1]),
    )


def _members():
    """Of 8 images, the small one is sure and right in the first 6."""
    small = [_image(n, 0.9) for n in range(6)]
    small += [_image(n, 0.3, right=False) for n in (6, 7)]
    large = [_image(n, 0.8) for n in range(8)]
    return [
        Member("small.patch", (64, 64), 100, small),
        Member("large.patch", (96, 96), 1000, large),
    ]


@pytest.fixture
def found():
    return measured.cascade(*measured.halves(_members()))


def test_halves_take_turns():
    choosing, measuring = measured.halves(_members())
    for part, first in ((choosing, 0), (measuring, 1)):
        for member in part:
            numbers = [int(image.source_id) for image in member.images]
            assert numbers == [first, first + 2, first + 4, first + 6]


def test_costs_and_accuracy_by_hand(found):
    assert found.reference == "large.patch"
    assert [s.patch for s in found.stages] == ["small.patch", "large.patch"]
    assert found.stages[0].threshold == pytest.approx(0.9)
    assert found.stages[1].threshold is None
    assert [s.seen for s in found.stages] == [1.0, 0.25]
    assert [s.answered for s in found.stages] == [0.75, 0.25]
    assert found.flops == (3 * 100 + 1 * 1100) / 4
    assert found.saved == pytest.approx(1 - 350 / 1000)
    assert found.accuracy == pytest.approx(1.0)
    small, large = (single.accuracy for single in found.singles)
    assert large == pytest.approx(1.0)
    # Recalls 0, 0.01, ... 0.75 have precision 1, the 25 above them 0.
    assert small == pytest.approx(76 / 101)
    assert (found.chosen_on, found.measured_on) == (4, 4)


def test_an_allowed_loss_lets_the_small_one_answer_more():
    choosing, measuring = measured.halves(_members())
    found = measured.cascade(choosing, measuring, allowed_loss=0.3)
    assert found.stages[0].answered == 1.0
    assert found.accuracy == pytest.approx(76 / 101)
    assert found.flops == 100


def test_reports(found):
    assert json.loads(json.dumps(report.as_json(found)))["saved"] == found.saved
    stages = report.as_json(found)["stages"]
    assert stages[0]["image_size"] == (64, 64)
    text = report.as_text(found)
    assert "Chosen on 4 images, measured on 4 others." in text
    assert "64x64 sees 100.0%, answers  75.0%: answers from confidence" in text
    assert "96x96 sees  25.0%, answers  25.0%: answers the rest" in text
    assert "takes 65.0% less than the reference" in text

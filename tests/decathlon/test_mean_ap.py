"""mAP against examples worked by hand, in each definition."""

import math

import numpy as np
import pytest

from object_detection_patch.decathlon.mean_ap import (
    Detections,
    GroundTruth,
    mean_average_precision,
)

DEFINITIONS = ["coco", "pascal", "pascal07"]


def box(left, width=10.0):
    """A box of height 10 on one line: overlaps are lengths."""
    return [0.0, left, 10.0, left + width]


def one_class(found, truth, **flags):
    """One image, one class. `found` holds (left, score) of 10-wide boxes."""
    return (
        [
            Detections(
                [box(left) for left, _ in found],
                [score for _, score in found],
                [1] * len(found),
            )
        ],
        [GroundTruth([box(left) for left in truth], [1] * len(truth), **flags)],
    )


# --- worked by hand ---------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        # Hits and misses in order of score: hit, miss, hit; three objects.
        # Recalls 1/3, 1/3, 2/3; envelope of precisions 1, 2/3, 2/3.
        ("pascal", 1 / 3 * 1 + 1 / 3 * 2 / 3),
        # Recalls 0, 0.1, 0.2, 0.3 read 1; 0.4, 0.5, 0.6 read 2/3.
        ("pascal07", (4 * 1 + 3 * 2 / 3) / 11),
        # 0.00 to 0.33 are 34 points, 0.34 to 0.66 are 33 points.
        ("coco", (34 * 1 + 33 * 2 / 3) / 101),
    ],
)
def test_three_definitions_of_one_curve(definition, expected):
    found, truth = one_class([(0, 0.9), (500, 0.8), (101, 0.7)], [0, 100, 200])
    result = mean_average_precision(found, truth, definition=definition)
    assert result.value == pytest.approx(expected, abs=1e-9)
    assert result.per_class == {1: result.value}
    assert result.objects == {1: 3}
    assert result.detections == {1: 3}
    assert (result.images, result.definition, result.iou) == (
        1,
        definition,
        0.5,
    )


def test_a_taken_box_is_where_the_definitions_part():
    # The second detection, [3, 13], overlaps the taken box [0, 10] by 7/13
    # and the free one, [6.5, 16.5], by 6.5/13.5. Both exceed 0.4: `coco` takes
    # the free box, `pascal` calls the detection a duplicate.
    found, truth = one_class([(0, 0.9), (3, 0.8)], [0, 6.5])
    coco = mean_average_precision(found, truth, iou=0.4, definition="coco")
    pascal = mean_average_precision(found, truth, iou=0.4, definition="pascal")
    assert coco.value == pytest.approx(1.0)
    assert pascal.value == pytest.approx(0.5)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_mean_leaves_out_classes_without_an_object(definition):
    found = [Detections([box(0), box(50), box(90)], [0.9, 0.8, 0.7], [1, 7, 3])]
    truth = [GroundTruth([box(0), box(90)], [1, 4])]
    result = mean_average_precision(found, truth, definition=definition)
    assert result.per_class == {1: pytest.approx(1.0), 4: 0.0}
    assert result.value == pytest.approx(0.5)
    assert result.detections == {1: 1, 3: 1, 7: 1}


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_iou_at_the_threshold_matches(definition):
    # [0, 10] and [0, 20] share 10 of 20: exactly 0.5.
    found = [Detections([box(0, 10)], [0.5], [1])]
    truth = [GroundTruth([box(0, 20)], [1])]
    at = mean_average_precision(found, truth, definition=definition)
    above = mean_average_precision(
        found, truth, definition=definition, iou=0.51
    )
    assert (at.value, above.value) == (pytest.approx(1.0), 0.0)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_no_detection_is_zero_not_an_error(definition):
    found, truth = one_class([], [0, 100])
    result = mean_average_precision(found, truth, definition=definition)
    assert result.per_class == {1: 0.0}


# --- flags, by hand ---------------------------------------------------------


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_difficult_is_neither_found_nor_missed(definition):
    # Two detections on the difficult box, both above the true one.
    found, truth = one_class(
        [(0, 0.9), (1, 0.8), (100, 0.7)], [0, 100], difficult=[1, 0]
    )
    result = mean_average_precision(found, truth, definition=definition)
    assert result.value == pytest.approx(1.0)
    assert result.objects == {1: 1}
    assert result.detections == {1: 3}


@pytest.mark.parametrize("definition", ["coco", "pascal"])
def test_difficult_counts_when_not_honoured(definition):
    found, truth = one_class([(100, 0.7)], [0, 100], difficult=[1, 0])
    result = mean_average_precision(
        found, truth, definition=definition, honour=()
    )
    # Half of the recalls; 51 of COCO's 101 points lie in [0, 0.5].
    half = {"coco": 51 / 101, "pascal": 0.5}[definition]
    assert result.value == pytest.approx(half)
    assert result.objects == {1: 2}


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_difficult_matches_by_iou_not_by_cover(definition):
    # A small detection inside a large difficult box is a false positive
    # (IoU 0.1), and inside a crowd it is not.
    found = [Detections([box(20), box(500)], [0.9, 0.8], [1, 1])]

    def value(**flags):
        truth = [GroundTruth([box(0, 100), box(500)], [1, 1], **flags)]
        return mean_average_precision(found, truth, definition=definition).value

    assert value(difficult=[1, 0]) == pytest.approx(0.5)
    assert value(is_crowd=[1, 0]) == pytest.approx(1.0)
    assert value(group_of=[1, 0]) == pytest.approx(1.0)
    assert value(difficult=[1, 0], is_crowd=[1, 0]) == pytest.approx(1.0)


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("flag", ["is_crowd", "group_of"])
def test_region_covers_half_of_the_detection_or_does_not_help(definition, flag):
    truth = [GroundTruth([box(0, 100), box(500)], [1, 1], **{flag: [1, 0]})]

    def value(left):
        found = [Detections([box(left), box(500)], [0.9, 0.8], [1, 1])]
        return mean_average_precision(found, truth, definition=definition).value

    assert value(95) == pytest.approx(1.0)  # [95, 105]: half inside
    assert value(96) == pytest.approx(0.5)  # 0.4 inside


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_object_inside_a_region_is_still_found(definition):
    found, truth = one_class([(3, 0.9)], [3, 0], group_of=[0, 1])
    result = mean_average_precision(found, truth, definition=definition)
    assert result.value == pytest.approx(1.0)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_region_of_another_class_does_not_help(definition):
    found = [Detections([box(20), box(500)], [0.9, 0.8], [1, 1])]
    truth = [GroundTruth([box(0, 100), box(500)], [2, 1], is_crowd=[1, 0])]
    result = mean_average_precision(found, truth, definition=definition)
    assert result.per_class == {1: pytest.approx(0.5)}


def test_max_detections_is_per_image_and_class_and_coco_only():
    found, truth = one_class([(50, 0.9), (0, 0.8)], [0])
    cut = mean_average_precision(found, truth, max_detections=1)
    assert cut.value == 0.0
    assert mean_average_precision(found, truth).value == pytest.approx(0.5)
    pascal = mean_average_precision(
        found, truth, definition="pascal", max_detections=1
    )
    assert pascal.value == pytest.approx(0.5)


# --- input ------------------------------------------------------------------


def test_inputs_are_left_as_they_were():
    boxes = np.array([box(0), [0.0, 0.0, 0.0, 0.0]])
    scores, classes = np.array([0.9, 0.0]), np.array([1, 1])
    copies = boxes.copy(), scores.copy(), classes.copy()
    found = Detections(boxes, scores, classes)
    truth = GroundTruth(boxes[:1], classes[:1])
    for definition in DEFINITIONS:
        mean_average_precision([found], [truth], definition=definition)
    np.testing.assert_array_equal(boxes, copies[0])
    np.testing.assert_array_equal(scores, copies[1])
    np.testing.assert_array_equal(classes, copies[2])


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_detections_without_area_are_left_out(definition):
    found, truth = one_class([(0, 0.5)], [0])
    padded = Detections(
        [[0, 0, 0, 0], [5, 5, 5, 9], box(0)], [0.9, 0.8, 0.5], [1, 1, 1]
    )
    result = mean_average_precision([padded], truth, definition=definition)
    assert result.value == pytest.approx(1.0)
    assert result.detections == {1: 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"iou": 0.0}, r"`iou` must lie in \(0, 1\].*0.0"),
        ({"iou": math.nan}, r"`iou` must lie in \(0, 1\].*nan"),
        ({"definition": "voc"}, "one of coco, pascal, pascal07.*'voc'"),
        ({"honour": ("dificult",)}, r"`honour` must name.*\['dificult'\]"),
        ({"max_detections": 0}, "at least 1. Received: 0"),
    ],
)
def test_bad_arguments(arguments, message):
    found, truth = one_class([(0, 0.9)], [0])
    with pytest.raises(ValueError, match=message):
        mean_average_precision(found, truth, **arguments)


def test_another_number_of_images():
    found, truth = one_class([(0, 0.9)], [0])
    with pytest.raises(ValueError, match="same images. Received: 1 and 2"):
        mean_average_precision(found, truth * 2)


@pytest.mark.parametrize("flags", [{}, {"difficult": [1]}])
def test_nothing_to_be_found(flags):
    found, truth = one_class([(0, 0.9)], [0] * len(flags), **flags)
    with pytest.raises(ValueError, match=f"{len(flags)} boxes in 1 images"):
        mean_average_precision(found, truth)

"""mAP against hand-computed examples, plain loops and the OD API."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

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


def test_eleven_points_at_a_recall_that_rounds_badly():
    # Three of ten objects found: 3 / 10 < 0.1 * 3 in floating point, yet
    # recall 0.3 is reached: 4 points of 11.
    found, truth = one_class(
        [(0, 0.9), (100, 0.8), (200, 0.7)], [100 * i for i in range(10)]
    )
    result = mean_average_precision(found, truth, definition="pascal07")
    assert result.value == pytest.approx(4 / 11, abs=1e-9)


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


# --- plain loops ------------------------------------------------------------


def loop_iou(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    common = max(height, 0) * max(width, 0)
    return common, (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])


def loop_outcome(detection, truth, taken, threshold, definition):
    """'hit', 'miss' or None (does not count), updating `taken`."""
    candidates = []
    for i, (t, role) in enumerate(truth):
        common, area, other = loop_iou(detection, t)
        if role != "region":
            candidates.append((common / (area + other - common), i, role))
    candidates = sorted(candidates, key=lambda c: -c[0])
    if definition == "coco":
        # Free objects first, whatever overlaps more among the ignored.
        candidates = [
            c for c in candidates if c[2] == "object" and c[1] not in taken
        ][:1] + [c for c in candidates if c[2] == "ignored"]
    else:
        candidates = candidates[:1]
    for overlap, i, role in candidates:
        if overlap >= threshold:
            if role == "ignored":
                return None
            if i not in taken:
                taken.add(i)
                return "hit"
    for t, role in truth:
        common, area, _ = loop_iou(detection, t)
        if role == "region" and common / area >= threshold:
            return None
    return "miss"


def loop_map(scene, threshold, definition):
    """The same number as the library's, from sentences turned into loops."""
    values = []
    classes = {c for image in scene for c in image["classes"]}
    for c in classes:
        outcomes, objects = [], 0
        for image in scene:
            truth = [
                (b, role)
                for b, k, role in zip(
                    image["boxes"], image["classes"], image["roles"],
                    strict=True,
                )
                if k == c
            ]  # fmt: skip
            objects += sum(role == "object" for _, role in truth)
            taken = set()
            mine = [d for d in image["found"] if d[2] == c]
            for b, score, _ in sorted(mine, key=lambda d: -d[1]):
                outcomes.append(
                    (
                        score,
                        loop_outcome(b, truth, taken, threshold, definition),
                    )
                )
        if objects:
            values.append(loop_ap(outcomes, objects, definition))
    return sum(values) / len(values) if values else None


def loop_ap(outcomes, objects, definition):
    curve, hits, counted = [], 0, 0
    for _, outcome in sorted(outcomes, key=lambda o: -o[0]):
        if outcome is not None:
            counted += 1
            hits += outcome == "hit"
            curve.append((hits, hits / counted))

    def best_at(least_hits):
        return max((p for h, p in curve if h >= least_hits - 1e-9), default=0)

    if definition == "pascal":
        return sum(best_at(h) for h in range(1, objects + 1)) / objects
    steps = {"coco": 100, "pascal07": 10}[definition]
    return sum(
        best_at(objects * s / steps) for s in range(steps + 1)
    ) / (steps + 1)  # fmt: skip


def random_boxes(random, count):
    corner = random.uniform(0, 80, (count, 2))
    return np.concatenate(
        [corner, corner + random.uniform(4, 40, (count, 2))], axis=1
    )


def random_scene(seed, classes=3, images=4):
    """Objects, detections near them, duplicates, and detections anywhere."""
    random = np.random.default_rng(seed)
    scene = []
    for _ in range(images):
        boxes = random_boxes(random, random.integers(0, 8))
        labels = random.integers(1, classes + 1, len(boxes))
        loose = random_boxes(random, random.integers(0, 8))
        near = np.concatenate([boxes, boxes])
        near = near + random.normal(0, 3, near.shape)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 0.5)
        found_boxes = np.concatenate([near, loose])
        found_labels = np.concatenate(
            [labels, labels, random.integers(1, classes + 1, len(loose))]
        )
        scores = random.permutation(len(found_boxes)) + random.random()
        scene.append(
            {
                "boxes": boxes,
                "classes": labels,
                "roles": random.choice(
                    ["object", "object", "ignored", "region"], len(boxes)
                ),
                "found_boxes": found_boxes,
                "found_classes": found_labels,
                "scores": scores,
                "found": list(
                    zip(found_boxes, scores, found_labels, strict=True)
                ),
            }
        )
    return scene


def as_inputs(scene, region_flag="group_of"):
    found = [
        Detections(i["found_boxes"], i["scores"], i["found_classes"])
        for i in scene
    ]
    truth = [
        GroundTruth(
            i["boxes"],
            i["classes"],
            difficult=i["roles"] == "ignored",
            **{region_flag: i["roles"] == "region"},
        )
        for i in scene
    ]
    return found, truth


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("flag", ["is_crowd", "group_of"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), threshold=st.sampled_from([0.5, 0.75]))
def test_equals_plain_loops(definition, flag, seed, threshold):
    scene = random_scene(seed)
    expected = loop_map(scene, threshold, definition)
    found, truth = as_inputs(scene, flag)
    if expected is None:
        with pytest.raises(ValueError, match="at least one object"):
            mean_average_precision(found, truth, definition=definition)
        return
    result = mean_average_precision(
        found, truth, iou=threshold, definition=definition
    )
    assert result.value == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.001, 1000))
def test_units_and_order_of_images_do_not_matter(seed, scale):
    scene = random_scene(seed)
    if loop_map(scene, 0.5, "pascal") is None:
        return
    for image in scene:  # distinct over images too, so that no tie decides
        image["scores"] = image["scores"] + np.random.default_rng(seed).random(
            len(image["scores"])
        )
    found, truth = as_inputs(scene)
    scaled = [Detections(d.boxes * scale, d.scores, d.classes) for d in found]
    scaled_truth = [
        GroundTruth(
            t.boxes * scale, t.classes, t.difficult, t.is_crowd, t.group_of
        )
        for t in truth
    ]
    for definition in DEFINITIONS:
        one = mean_average_precision(found, truth, definition=definition)
        other = mean_average_precision(
            scaled, scaled_truth, definition=definition
        )
        assert one.value == pytest.approx(other.value, abs=1e-6)


# --- the OD API's own evaluators --------------------------------------------


@pytest.fixture(scope="module")
def od_api_evaluators():
    pytest.importorskip("object_detection")
    from object_detection_patch.od_api import compat

    compat.enable()
    from object_detection.metrics import coco_evaluation
    from object_detection.utils import object_detection_evaluation

    categories = [{"id": c, "name": f"class {c}"} for c in (1, 2, 3)]
    return {
        "pascal": lambda: object_detection_evaluation.PascalDetectionEvaluator(
            categories
        ),
        "open_images": lambda: (
            object_detection_evaluation.OpenImagesDetectionEvaluator(categories)
        ),
        "coco": lambda: coco_evaluation.CocoDetectionEvaluator(categories),
    }


# evaluator, our definition, groundtruth field, roles it stands for, metric
OD_API = [
    ("pascal", "pascal", "difficult", "ignored", "PascalBoxes_Precision/mAP"),
    (
        "open_images",
        "pascal",
        "group_of",
        "region",
        "OpenImagesV2_Precision/mAP",
    ),
    ("coco", "coco", "is_crowd", "region", "DetectionBoxes_Precision/mAP"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "definition", "flag", "role", "metric"),
    OD_API,
    ids=[row[0] for row in OD_API],
)
def test_equals_the_od_api(
    od_api_evaluators, name, definition, flag, role, metric
):
    compared = 0
    for seed in range(40):
        scene = random_scene(seed)
        # The evaluator's own sort is not stable: no two scores alike.
        shift = np.random.default_rng(seed).random(len(scene))
        evaluator = od_api_evaluators[name]()
        for key, (image, extra) in enumerate(zip(scene, shift, strict=True)):
            image["scores"] = (image["scores"] + extra) / 100
            add_to(evaluator, str(key), image, flag, role)
        found, truth = as_inputs(
            scene, "is_crowd" if flag == "is_crowd" else "group_of"
        )
        if not any((image["roles"] != role).any() for image in scene):
            continue
        expected = metric_of(evaluator.evaluate(), metric)
        result = mean_average_precision(
            found, truth, definition=definition, honour=(flag,)
        )
        assert result.value == pytest.approx(expected, abs=1e-6)
        compared += 1
    assert compared >= 30


def add_to(evaluator, key, image, flag, role):
    evaluator.add_single_ground_truth_image_info(
        key,
        {
            "groundtruth_boxes": image["boxes"],
            "groundtruth_classes": image["classes"],
            f"groundtruth_{flag}": (image["roles"] == role).astype(int),
        },
    )
    evaluator.add_single_detected_image_info(
        key,
        {
            "detection_boxes": image["found_boxes"],
            "detection_scores": image["scores"],
            "detection_classes": image["found_classes"],
        },
    )


def metric_of(metrics, prefix):
    (value,) = [
        value
        for key, value in metrics.items()
        if key in (f"{prefix}@0.5IOU", f"{prefix}@.50IOU")
    ]
    return value


# --- input ------------------------------------------------------------------


def test_pycocotools_does_not_print(capsys):
    found, truth = one_class([(0, 0.9)], [0])
    mean_average_precision(found, truth, definition="coco")
    assert capsys.readouterr().out == ""


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
        (([[0, 0, 1]], [0.5], [1]), r"shape \[N, 4\].*shape \[1, 3\]"),
        (([0, 0, 1, 1], [0.5], [1]), r"shape \[N, 4\].*shape \[4\]"),
        (([box(0)], [0.5, 0.4], [1]), r"scores.* shape \[1\].*\[2\]"),
        (([box(0)], [0.5], [[1]]), r"classes.* shape \[1\].*\[1, 1\]"),
        (([box(0)], [math.nan], [1]), r"scores` must be finite.*nan at \[0\]"),
        (
            ([[0, 0, math.inf, 1]], [0.5], [1]),
            r"boxes` must be finite.*inf at \[0, 2\]",
        ),
        (
            ([box(0), [0, 9, 10, 8]], [0.5, 0.5], [1, 1]),
            r"xmax >= xmin.*row 1 is \[0.0, 9.0, 10.0, 8.0\]",
        ),
        (([box(0)], [0.5], [0]), "classes` must be >= 1.*Received: 0$"),
        (([box(0)], [0.5], [-1]), "classes` must be >= 1.*Received: -1$"),
        (([box(0)], [0.5], [1.5]), "classes` must be integers.*1.5"),
        (([box(0)], [0.5], [math.nan]), "classes` must be finite"),
    ],
)
def test_bad_detections(arguments, message):
    with pytest.raises(ValueError, match=message):
        Detections(*arguments)


@pytest.mark.parametrize(
    ("boxes", "classes", "flags", "message"),
    [
        ([[0, 0, 0, 0]], [1], {}, r"positive area.*row 0 is \[0.0, 0.0"),
        ([[5, 0, 2, 4]], [1], {}, r"ymax >= ymin.*row 0"),
        ([box(0)], [0], {}, "GroundTruth.classes` must be >= 1"),
        ([box(0)], [1], {"difficult": [0, 1]}, r"difficult.* shape \[1\]"),
        ([box(0)], [1], {"group_of": [-1]}, "group_of` must be 0 or 1.*-1"),
        ([box(0)], [1], {"is_crowd": [2]}, "is_crowd` must be 0 or 1.*2"),
    ],
)
def test_bad_groundtruth(boxes, classes, flags, message):
    with pytest.raises(ValueError, match=message):
        GroundTruth(boxes, classes, **flags)


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


@settings(max_examples=300, deadline=None)
@given(
    boxes=arrays.arrays(
        np.float64,
        arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    ),
    scores=arrays.arrays(np.float64, st.integers(0, 5)),
    classes=arrays.arrays(np.int64, st.integers(0, 5)),
)
def test_any_arrays_are_taken_or_refused_with_a_value_error(
    boxes, scores, classes
):
    try:
        found = Detections(boxes, scores, classes)
    except ValueError as error:
        assert "Received: " in str(error)
    else:
        assert len(found.boxes) <= len(boxes)
        assert found.classes.min(initial=1) >= 1

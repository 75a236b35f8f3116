"""mAP of random scenes against plain loops and the OD API's evaluators."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from object_detection_patch.decathlon.mean_ap import (
    Detections,
    GroundTruth,
    mean_average_precision,
)

DEFINITIONS = ["coco", "pascal", "pascal07"]


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
    if definition == "coco":
        # pycocotools compares rounded recalls with rounded thresholds.
        levels = [
            max((p for h, p in curve if h / objects >= level), default=0)
            for level in np.linspace(0, 1, 101)
        ]
        return sum(levels) / 101
    return sum(best_at(objects * s / 10) for s in range(11)) / 11


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
@example(seed=19956, threshold=0.5)  # A recall that rounds below its level.
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

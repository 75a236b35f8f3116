"""COCO's definition, around pycocotools."""

from object_detection_patch.decathlon.mean_ap import (
    Detections,
    GroundTruth,
    mean_average_precision,
)


def test_pycocotools_does_not_print(capsys):
    box = [[0, 0, 10, 10]]
    mean_average_precision(
        [Detections(box, [0.9], [1])],
        [GroundTruth(box, [1])],
        definition="coco",
    )
    assert capsys.readouterr().out == ""

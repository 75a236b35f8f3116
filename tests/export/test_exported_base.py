"""What people read about a published base."""

from __future__ import annotations

import dataclasses

import pytest

from object_detection_patch.export.comparison import Difference
from object_detection_patch.export.exported_base import (
    ExportedBase,
    ExportedSize,
    report,
)
from object_detection_patch.export.mending import Mended

_EXPORTED = ExportedBase(
    output_dir="out",
    precision="int8",
    fingerprint="5e" * 32,
    model_bytes=1234567,
    sidecar_bytes=4321,
    classes=8,
    capacity=20,
    kernels=75,
    copies=91,
    mended=Mended(0, 0, {}),
    margin=248.4,
    difference=Difference(0.08, 0.994),
    max_detections=10,
    regular_nms=False,
    accuracy={},
)
_ACCURACY = {"before": 0.6, "published checkpoint": 0.59, "base.tflite": 0.5}


def _lines(**fields):
    return report(dataclasses.replace(_EXPORTED, **fields)).splitlines()


def test_it_is_told_line_by_line():
    assert _lines() == [
        "out: base.tflite 1,234,567 bytes (int8), base.odpatch 4,321 bytes, "
        "checkpoint/ to train tasks on.",
        "Base 5e5e5e5e5e5e; 8 classes, tasks of up to 20.",
        "75 kernels found in 91 copies, each at least 248 times nearer than "
        "the next best.",
        "Raw outputs differ from the Keras model's by 8.0e-02 of the largest, "
        "on average 0.99 times as much as those of the converter's own int8 "
        "model.",
    ]


def test_each_input_size_is_told():
    size = ExportedSize(64, 96, 12345, Difference(1e-6, None))
    assert _lines(sizes=(size,))[4] == (
        "Patches for 64 x 96 pixels fit too: 12,345 bytes of base.odpatch. "
        "Raw outputs differ from the Keras model's by 1.0e-06 of the largest."
    )


def test_a_float_base_has_no_other_to_compare_with():
    assert _lines(difference=Difference(6.6e-7, None))[3] == (
        "Raw outputs differ from the Keras model's by 6.6e-07 of the largest."
    )


@pytest.mark.parametrize(
    ("regular", "way"),
    [
        (False, "one class for each anchor unless --regular_nms is given"),
        (True, "suppresses boxes class by class (--regular_nms)"),
    ],
)
def test_one_line_says_why_the_stages_differ(regular, way):
    lines = _lines(accuracy=_ACCURACY, regular_nms=regular, max_detections=7)
    assert lines[4:7] == [
        "mAP@0.5 before: 0.6000",
        "mAP@0.5 published checkpoint: 0.5900",
        "mAP@0.5 base.tflite: 0.5000",
    ]
    (line,) = lines[7:]
    assert line.startswith(
        "All count the best 7 detections of an image. The stages before end "
        "in the config's post-processing, base.tflite in TFLite's, which "
    )
    assert line.endswith(f"{way}.")


def test_what_was_mended_is_told():
    lines = _lines(mended=Mended(3, 71, {}))
    assert lines[3].startswith("3 gammas were too small")
    assert lines[4].startswith("71 kernels were rounded")


def test_what_could_not_be_mended_is_told_loudly():
    lost = {f"norm_{number}": number for number in range(1, 6)}
    (line,) = _lines(mended=Mended(0, 0, lost))[3:4]
    assert line.startswith("CAREFUL: 15 channels are too small")
    assert "norm_1, norm_2, norm_3 and 2 more." in line
    (line,) = _lines(mended=Mended(0, 0, {"norm": 1}))[3:4]
    assert "have no gamma: norm. There" in line

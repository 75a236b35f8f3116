"""The demo's table and pictures from results written by hand."""

import json
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from object_detection_patch import demo
from object_detection_patch.demo import report
from object_detection_patch.demo.plan import METHODS, TARGETS, Plan


def test_the_table_holds_every_job(finished: Plan) -> None:
    text = report.write_report(finished, {"draw": 3.0, "tasks": 117.0})
    keras, _ = text.split("On the phone:")
    rows = [line.split() for line in keras.splitlines()]
    for task in TARGETS:
        for method in METHODS:
            (row,) = (row for row in rows if row[:2] == [task, method])
            accuracy = "0.750" if method == "COMPACT" else "0.800"
            assert row[2:4] == [accuracy, "0.790"]
    (spot,) = (row for row in rows if row[:2] == ["digits", "SPOTPATCH"])
    assert spot[4:] == ["1/2", "5.14%", "50", "4.00%"]
    assert "Base trained on shapes: mAP@0.5 0.500" in text
    assert "100.0% of FINE_TUNING's mAP with a file of 4.0% of the" in text
    assert "fine-tuned weights (5.0% of its file)" in text
    assert (
        "digits: COMPACT's file is 60% of SPOTPATCH's, its mAP -5.0 points."
        in text
    )
    assert "Open gates: 1/2 on the near task (stripes), 1/2 on the far" in text
    assert "raw outputs differ by 2.0e-07" in text
    assert "2.0 minutes in all" in text
    assert (pathlib.Path(finished.output_dir) / "report.txt").read_text() == (
        text + "\n"
    )


def test_the_phone_comes_after_the_claims(finished: Plan) -> None:
    text = report.write_report(finished, {"draw": 3.0})
    assert text.index("raw outputs differ") < text.index("On the phone:")
    assert text.index("On the phone:") < text.index("seconds: draw 3")
    path = pathlib.Path(finished.output_dir) / "results.json"
    phone = json.loads(path.read_text())["phone"]
    assert phone["base"]["model_bytes"] == 5000
    assert phone["tasks"]["digits"]["SPOTPATCH"]["fraction"] == 0.006


def test_the_pictures_show_every_image_and_gate(finished: Plan) -> None:
    report.draw_pictures(finished)
    for name in (
        "detections_stripes",
        "detections_digits",
        "gates",
        "cost",
        "phone",
    ):
        with Image.open(
            os.path.join(finished.output_dir, f"{name}.png")
        ) as image:
            assert np.asarray(image).std() > 5


def test_a_foreign_directory_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="must be new, empty, or hold"):
        demo.run(str(tmp_path), seed=1)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"

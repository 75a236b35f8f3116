"""The demo's table and pictures from results written by hand."""

import json
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from object_detection_patch import demo
from object_detection_patch.demo import report, runner
from object_detection_patch.demo.plan import (
    METHODS,
    TARGETS,
    Plan,
    Scale,
)

_GATES = [
    {
        "name": "backbone/a/kernel",
        "place": "backbone",
        "open": True,
        "weights": 9,
    },
    {"name": "tower/b/kernel", "place": "tower", "open": False, "weights": 90},
]


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> Plan:
    plan = Plan(str(tmp_path), seed=1, scale=Scale())
    arrays = {
        "label_names": np.array(["round"]),
        "image_0": np.full((32, 32, 3), 200, np.uint8),
        "boxes_0": np.array([[0.1, 0.1, 0.9, 0.9]], np.float32),
        "scores_0": np.array([0.9], np.float32),
        "classes_0": np.array([1]),
    }
    base = plan.base_job()
    os.makedirs(base.directory)
    pathlib.Path(base.result).write_text(
        json.dumps({"method": "BASE", "map": {"coco": 0.5, "pascal": 0.51}})
    )
    for task in TARGETS:
        np.savez(runner.drawn_path(base, task), **arrays)
    for job in plan.task_jobs():
        os.makedirs(job.directory)
        np.savez(runner.drawn_path(job), **arrays)
        size = 1000 if job.method == "FINE_TUNING" else 50
        pathlib.Path(job.patch).write_bytes(b"x" * size)
        result = {
            "method": job.method,
            "map": {"coco": 0.8, "pascal": 0.79},
            "file_bytes": size,
            "model_bytes": 1250,
            "nominal_fraction": 0.0514,
            "largest_output_difference": 2e-7,
            "gates": _GATES if job.method == "SPOTPATCH" else [],
        }
        pathlib.Path(job.result).write_text(json.dumps(result))
    return plan


def test_the_table_holds_every_job(plan: Plan) -> None:
    text = report.write_report(plan, {"draw": 3.0, "tasks": 117.0})
    rows = [line.split() for line in text.splitlines()]
    for task in TARGETS:
        for method in METHODS:
            (row,) = (row for row in rows if row[:2] == [task, method])
            assert row[2:4] == ["0.800", "0.790"]
    (spot,) = (row for row in rows if row[:2] == ["digits", "SPOTPATCH"])
    assert spot[4:] == ["1/2", "5.14%", "50", "4.00%"]
    assert "Base trained on shapes: mAP@0.5 0.500" in text
    assert "100.0% of FINE_TUNING's mAP with a file of 4.0% of the" in text
    assert "fine-tuned weights (5.0% of its file)" in text
    assert "Open gates: 1/2 on the near task (stripes), 1/2 on the far" in text
    assert "raw outputs differ by 2.0e-07" in text
    assert "2.0 minutes in all" in text
    assert (pathlib.Path(plan.output_dir) / "report.txt").read_text() == (
        text + "\n"
    )


def test_the_pictures_show_every_image_and_gate(plan: Plan) -> None:
    report.draw_pictures(plan)
    for name in ("detections_stripes", "detections_digits", "gates", "cost"):
        with Image.open(os.path.join(plan.output_dir, f"{name}.png")) as image:
            assert np.asarray(image).std() > 5


def test_a_foreign_directory_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="must be new, empty, or hold"):
        demo.run(str(tmp_path), seed=1)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"

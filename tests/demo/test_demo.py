"""The whole demo at a tiny scale, as `make demo` runs it."""

import json
import os
import pathlib

import pytest

from object_detection_patch import demo
from object_detection_patch.demo.plan import METHODS, TARGETS, Scale

_TINY = Scale(
    images=16,
    eval_images=4,
    batch_size=2,
    base_steps=4,
    task_steps=2,
)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_it_runs_to_its_end_and_again(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = []
    for _ in range(2):
        assert demo.run(str(tmp_path / "demo"), seed=3, scale=_TINY) == 0
        assert "raw outputs differ by" in capfd.readouterr().out
        results = json.loads((tmp_path / "demo" / "results.json").read_text())
        found.append((results["base"], results["tasks"]))
    assert found[0] == found[1]
    _, tasks = found[0]
    for task in TARGETS:
        assert list(tasks[task]) == list(METHODS)
        for method, result in tasks[task].items():
            patch = tmp_path / "demo" / task / method.lower() / "task.patch"
            assert result["file_bytes"] == os.path.getsize(patch)
            assert result["largest_output_difference"] < 1e-5

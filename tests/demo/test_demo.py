"""The whole demo at a tiny scale, as `make demo` runs it."""

import hashlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from object_detection_patch import demo
from object_detection_patch.demo.plan import (
    METHODS,
    PHONE_METHODS,
    TARGETS,
    Scale,
)

_TINY = Scale(
    images=16,
    eval_images=4,
    batch_size=2,
    base_steps=4,
    task_steps=2,
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_it_runs_to_its_end_and_again(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = []
    for _ in range(2):
        assert demo.run(str(tmp_path / "demo"), seed=3, scale=_TINY) == 0
        assert "raw outputs differ by" in capfd.readouterr().out
        results = json.loads((tmp_path / "demo" / "results.json").read_text())
        times = results["phone"].pop("milliseconds")
        assert min(_numbers(times)) > 0
        found.append((results["base"], results["tasks"], results["phone"]))
    assert found[0] == found[1]
    _, tasks, phone = found[0]
    for task in TARGETS:
        assert list(tasks[task]) == list(METHODS)
        for method, result in tasks[task].items():
            patch = tmp_path / "demo" / task / method.lower() / "task.patch"
            assert result["file_bytes"] == os.path.getsize(patch)
            assert result["largest_output_difference"] < 1e-5
    _check_phone(phone, tmp_path / "demo")


def _check_phone(phone: dict[str, Any], folder: pathlib.Path) -> None:
    base = folder / "published" / "base.tflite"
    assert phone["base"]["model_bytes"] == os.path.getsize(base)
    for task in TARGETS:
        assert list(phone["tasks"][task]) == list(PHONE_METHODS)
        for method, shipped in phone["tasks"][task].items():
            assert shipped["verified"] is True
            place = folder / task / method.lower()
            patch = os.path.getsize(place / "released.patch")
            model = (place / "task.tflite").read_bytes()
            assert shipped["patch_bytes"] == patch
            assert shipped["fraction"] == patch / len(model)
            assert shipped["sha256"] == hashlib.sha256(model).hexdigest()
            # The config of the training names the published base.
            config = (place / "pipeline.config").read_text()
            assert f"{folder}/published/checkpoint/ckpt-0" in config


def _numbers(tree: Any) -> Iterator[float]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _numbers(value)
    else:
        yield tree

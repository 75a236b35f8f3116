"""The ready configs are what their script writes, and all of them parse."""

import pathlib
import re
import subprocess
import sys

import pytest

from object_detection_patch import methods
from object_detection_patch.decathlon import tasks
from object_detection_patch.methods import presets
from object_detection_patch.od_api import pipeline_config
from tfrecords_tools.synthetic import miniatures

_FOLDER = pathlib.Path(__file__).parents[2] / "configs"
_CONFIGS = sorted(_FOLDER.glob("*.config"))


def test_the_script_wrote_every_config() -> None:
    finished = subprocess.run(
        [sys.executable, str(_FOLDER / "generate.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_task_has_the_paper_s_presets_and_ours_at_both_sizes() -> None:
    names = {path.stem for path in _CONFIGS}
    for base in (
        "ssd_mobilenet_v2_fpnlite_320x320_narrow",
        "ssd_mobilenet_v2_fpnlite_96x96_mini",
    ):
        for task in tasks.TARGET_TASKS:
            for preset in (*presets.spotpatch_names(), "COMPACT"):
                assert f"{base}__{preset.lower()}__{task.key}" in names
        assert f"{base}__base__oid" in names
    assert len(names) == 2 * (9 * 9 + 1)


@pytest.mark.parametrize("path", _CONFIGS, ids=lambda path: path.stem)
def test_it_parses_and_says_what_its_name_says(path: pathlib.Path) -> None:
    _, method, key = path.stem.split("__")
    pipeline = pipeline_config.read_pipeline(str(path))
    patch = pipeline_config.patch_of(pipeline)
    task = tasks.task(key)
    is_mini = "_mini__" in path.stem
    expected = miniatures.num_classes(key) if is_mini else task.num_classes
    assert pipeline.model.ssd.num_classes == expected
    if method == "base":
        assert patch is None
    else:
        methods.check(patch)
        assert presets.method_name(patch).lower() == method
        assert (
            pipeline.train_config.fine_tune_checkpoint == "PATH_TO_BASE/ckpt-0"
        )
    header = path.read_text(encoding="utf-8").split("model {")[0]
    steps, batch = re.search(r"([\d,]+) steps of (\d+) images", header).groups()
    assert pipeline.train_config.num_steps == int(steps.replace(",", ""))
    assert pipeline.train_config.batch_size == int(batch)
    if method == "compact":
        begins = pipeline.train_config.num_steps // 2
        assert patch.grid.begin_step == begins
    assert f"configs/{path.name}" in header

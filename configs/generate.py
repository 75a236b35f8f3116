"""Writes every ready config of this folder from one template.

    python configs/generate.py            write them
    python configs/generate.py --check    exit 1 if one is not up to date

Names: <base>__<method>__<task>.config. Replace PATH_TO_BASE (a directory with
the base's checkpoint) and PATH_TO_RECORDS before use.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import sys

from object_detection_patch import recipes
from object_detection_patch.decathlon import tasks
from object_detection_patch.methods import presets
from tfrecords_tools.synthetic import miniatures

_FOLDER = pathlib.Path(__file__).parent
_BASE_METHOD = "base"
_METHODS = (*presets.spotpatch_names(), recipes.DEFAULT_PRESET)


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Batch size, and steps as passes over the training images."""

    batch_size: int
    epochs: float
    fewest_steps: int
    most_steps: int

    def steps(self, images: int) -> int:
        """A whole number of thousands (or hundreds) within the bounds."""
        unit = 1000 if self.fewest_steps >= 1000 else 100
        wanted = round(self.epochs * images / self.batch_size / unit) * unit
        return min(max(wanted, self.fewest_steps), self.most_steps)


# The paper gives neither batch nor steps. These passes are the OD API's for
# its public 320 px model, with a floor for the small data sets.
_FULL = Schedule(32, 50, fewest_steps=8000, most_steps=100_000)
_MINI = Schedule(16, 8, fewest_steps=300, most_steps=300)
_SCHEDULES = {recipes.NARROW_320: _FULL, recipes.MINI_96: _MINI}
# A mirrored road scene drives on the other side, all others stay themselves.
_NOT_MIRRORED = frozenset({"kitti"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    texts = dict(_configs())
    stale = [
        name
        for name, text in texts.items()
        if not (_FOLDER / name).exists()
        or (_FOLDER / name).read_text(encoding="utf-8") != text
    ]
    unknown = sorted(
        path.name for path in _FOLDER.glob("*.config") if path.name not in texts
    )
    if check:
        for name in stale + unknown:
            print(f"not what configs/generate.py writes: {name}")
        return int(bool(stale or unknown))
    for name in stale:
        (_FOLDER / name).write_text(texts[name], encoding="utf-8")
    print(f"{len(texts)} configs, {len(stale)} written")
    return 0


def _configs():
    for architecture, schedule in _SCHEDULES.items():
        name = f"{architecture.key}__{_BASE_METHOD}__{tasks.SOURCE_TASK.key}"
        yield (
            f"{name}.config",
            _text(architecture, schedule, tasks.SOURCE_TASK, None),
        )
        for task in tasks.TARGET_TASKS:
            for preset in _METHODS:
                name = f"{architecture.key}__{preset.lower()}__{task.key}"
                yield (
                    f"{name}.config",
                    _text(architecture, schedule, task, preset),
                )


def _text(architecture, schedule, task, preset) -> str:
    steps = schedule.steps(task.train_images)
    name = f"{architecture.key}__{(preset or _BASE_METHOD).lower()}"
    return recipes.pipeline_text(
        architecture,
        recipes.TaskData(
            num_classes=_num_classes(architecture, task),
            train_records=_records(task, "train"),
            eval_records=_records(task, "eval"),
            label_map=f"PATH_TO_RECORDS/{task.key}_label_map.pbtxt",
            flip=task.key not in _NOT_MIRRORED,
        ),
        preset=preset,
        patch_options=recipes.options_for_steps(preset, steps)
        if preset
        else "",
        fine_tune_checkpoint=None if preset is None else "PATH_TO_BASE/ckpt-0",
        num_steps=steps,
        batch_size=schedule.batch_size,
        header=_header(
            architecture, name, task, preset, steps, schedule.batch_size
        ),
    )


def _num_classes(architecture, task) -> int:
    if architecture is recipes.MINI_96:
        return miniatures.num_classes(task.key)
    return task.num_classes


def _records(task, split: str) -> str:
    return f"PATH_TO_RECORDS/{task.key}_{split}.record-?????-of-?????"


def _header(
    architecture, name, task, preset, steps: int, batch_size: int
) -> str:
    what = f"{preset} patch for" if preset else "Base model on"
    if architecture is recipes.MINI_96:
        what += " the miniature of"
    return (
        f"# {what} {task.name}: {steps:,} steps of {batch_size} images.\n"
        "#   python -m object_detection_patch.model_main_tf2 \\\n"
        f"#     --pipeline_config_path=configs/{name}__{task.key}.config \\\n"
        f"#     --model_dir=runs/{name}__{task.key}"
        f" --checkpoint_every_n={min(1000, steps // 2)}\n"
        f"{_data_commands(architecture, task)}"
        "# Written by configs/generate.py.\n"
    )


def _data_commands(architecture, task) -> str:
    if architecture is not recipes.MINI_96:
        return (
            f"# Data: python -m tfrecords_tools convert {task.key} \\\n"
            "#     --data_dir DIR --output_dir PATH_TO_RECORDS\n"
        )
    # The real one's thousand files would be mostly empty.
    shards = " --num_shards 10" if task is tasks.SOURCE_TASK else ""
    return (
        f"# Data: python -m tfrecords_tools synthesize {task.key} "
        "--output_dir DRAWN\n"
        f"#   python -m tfrecords_tools convert {task.key} "
        f"--data_dir DRAWN/{task.key} \\\n"
        "#     --output_dir PATH_TO_RECORDS --allow_count_mismatch"
        f"{shards}\n"
    )


if __name__ == "__main__":
    sys.exit(main())

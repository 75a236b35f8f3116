"""The ten tasks against the paper's Table 1 and the data sets' flags."""

import json
import pathlib
import subprocess
import sys

import pytest

from object_detection_patch.decathlon import mean_ap, tasks

TABLE_1 = json.loads(
    (pathlib.Path(__file__).parent / "paper_tables.json").read_text()
)["table1_datasets"]


@pytest.mark.parametrize("name", TABLE_1)
def test_counts_of_table_1(name):
    task = tasks.task(name.lower())
    assert {
        "trainval": task.train_images,
        "eval": task.eval_images,
        "classes": task.classes,
    } == TABLE_1[name]


def test_coco_leaves_ten_of_its_ninety_ids_out():
    greatest = {key: task.num_classes for key, task in tasks.TASKS.items()}
    assert greatest["coco"] == 90
    assert all(
        greatest[key] == task.classes
        for key, task in tasks.TASKS.items()
        if key != "coco"
    )


def test_ten_tasks_nine_of_them_patched():
    assert list(tasks.TASKS) == [name.lower() for name in TABLE_1]
    assert len(tasks.TARGET_TASKS) == 9
    assert tasks.SOURCE_TASK not in tasks.TARGET_TASKS


def test_flags_that_take_a_box_out_of_the_count():
    honoured = {
        key: set(task.honoured_flags)
        for key, task in tasks.TASKS.items()
        if task.honoured_flags
    }
    assert honoured == {
        "oid": {"group_of"},
        "coco": {"is_crowd"},
        "dogs": {"difficult"},
        "pet": {"difficult"},
        "voc": {"difficult"},
        "face": {"difficult"},
    }


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=lambda t: t.key)
def test_rules_are_accepted_by_the_metric(task):
    box = [[0, 0, 10, 10]]
    result = mean_ap.mean_average_precision(
        [mean_ap.Detections(box, [0.9], [1])],
        [mean_ap.GroundTruth(box, [1])],
        honour=task.honoured_flags,
        definition=task.own_definition or "coco",
    )
    assert result.value == pytest.approx(1.0)


def test_unknown_task_names_the_ten():
    with pytest.raises(ValueError, match="one of oid, birds.*'imagenet'"):
        tasks.task("imagenet")


def test_the_table_cannot_be_written():
    with pytest.raises(TypeError):
        tasks.TASKS["oid"] = tasks.SOURCE_TASK


def test_room_imports_without_tensorflow():
    code = (
        "import sys\n"
        "from object_detection_patch.decathlon import mean_ap, score, tasks\n"
        "heavy = {'tensorflow', 'tf_keras', 'pycocotools'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

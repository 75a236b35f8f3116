"""What a missing data set needs: command, folder, archive."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.hints import how_to_convert
from object_detection_patch.decathlon.tasks import SOURCE_TASK, TARGET_TASKS

_KEYS = [task.key for task in (SOURCE_TASK, *TARGET_TASKS)]


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path / "out", str(tmp_path / "records"))


@pytest.mark.parametrize("key", _KEYS)
def test_command_and_folder_of_every_data_set_are_named(folder, key):
    hint = how_to_convert(folder, key)

    assert (
        f"`python -m tfrecords_tools convert {key} --data_dir "
        f"{folder.data / key} --output_dir {folder.data}`"
    ) in hint
    assert "which is not there yet: " in hint
    # What is looked for lies in that folder.
    assert hint.count(str(folder.data / key)) >= 2


@pytest.mark.parametrize(
    ("key", "archive"),
    [
        ("voc", "VOCtrainval_06-Nov-2007.tar"),
        ("kitti", ".zip"),
        ("birds", ".tgz"),
        ("coco", ".zip"),
    ],
)
def test_the_archive_is_named(folder, key, archive):
    assert archive in how_to_convert(folder, key)


def test_the_archive_of_a_split_that_lacks_is_named(folder):
    for year in (2007, 2012):
        lists = folder.data / "voc" / "VOCdevkit" / f"VOC{year}" / "ImageSets"
        (lists / "Main").mkdir(parents=True)
        (lists / "Main" / "trainval.txt").write_text("000001\n")

    assert "VOCtest_06-Nov-2007.tar" in how_to_convert(folder, "voc")
    test_list = folder.data / "voc/VOCdevkit/VOC2007/ImageSets/Main/test.txt"
    test_list.write_text("000002\n")
    assert how_to_convert(folder, "voc").endswith("which is there.")


def test_data_that_no_converter_makes_are_the_users_own(folder):
    hint = how_to_convert(folder, "products")

    assert hint == "Put them there, or correct the suite's file."

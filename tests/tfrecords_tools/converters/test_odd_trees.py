"""Trees with names that few expect, and trees that may not be read."""

import json
import os
import subprocess
import sys

import pytest

from tfrecords_tools import __main__ as command_line

# Root reads whatever it likes. A process that gives these two rights up
# before it starts the next program is like any other user, and unlike one it
# still may read the interpreter, wherever that is.
_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
prctl = ctypes.CDLL(None).prctl
for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""

# A fixture is a part of a dataset, but its images must be there.
_STRICT = """
import sys
from tfrecords_tools import __main__ as command_line
from tfrecords_tools.converters import converters
key, data_dir, output_dir = sys.argv[1:]
converters()[key].expected_images = {"train": None, "eval": None}
sys.exit(command_line.main([
    "convert", key, "--data_dir", data_dir, "--output_dir", output_dir,
    "--split", "train", "--num_shards", "1", "--jobs", "1",
]))
"""


@pytest.fixture
def closed():
    """Takes all rights away from folders, until the test has ended."""
    folders = []

    def close(folder):
        folders.append(folder)
        folder.chmod(0)

    yield close
    for folder in folders:
        folder.chmod(0o700)


@pytest.fixture
def build(tmp_path, dataset_builder, pictures):
    """Builds the fixture of a dataset; its root."""

    def of(key):
        root = tmp_path / key
        root.mkdir()
        dataset_builder(key).build(root, pictures)
        return root

    return of


def unprivileged(*arguments):
    """Runs Python as a user to whom the rights of files apply."""
    command = [sys.executable, *map(str, arguments)]
    if os.geteuid() == 0:
        command = [sys.executable, "-c", _WITHOUT_PRIVILEGE, *command]
    return subprocess.run(command, capture_output=True, text=True)


def convert_unprivileged(key, data_dir, output_dir, *options):
    return unprivileged(
        *("-m", "tfrecords_tools", "convert", key),
        *("--data_dir", data_dir, "--output_dir", output_dir),
        *("--num_shards", "1", "--jobs", "1", "--allow_count_mismatch"),
        *options,
    )


def finished(output_dir):
    """Files in the folder, but for hidden ones of what is not finished."""
    return [p.name for p in output_dir.glob("*") if p.name[0] != "."]


def skip_where_rights_mean_nothing(folder):
    """On some file systems, and where root cannot give rights up."""
    listing = unprivileged("-c", f"import os; os.listdir({str(folder)!r})")
    if listing.returncode == 0:
        pytest.skip("folders without any rights can be read here")


@pytest.mark.parametrize("name", ["a b", "Größe 図", "two\nlines", "%s {0} *?"])
def test_the_folder_may_have_any_name(
    tmp_path, dataset_builder, pictures, capsys, name
):
    root, output_dir = tmp_path / name / "voc", tmp_path / name / "out"
    root.mkdir(parents=True)
    dataset_builder("voc").build(root, pictures)
    arguments = [
        *("convert", "voc", "--data_dir", str(root)),
        *("--output_dir", str(output_dir)),
        *("--num_shards", "2", "--jobs", "2", "--allow_count_mismatch"),
    ]
    assert command_line.main(arguments) == 0
    for split, images in (("train", 5), ("eval", 2)):
        report = json.loads(
            (output_dir / f"voc_{split}_report.json").read_text("utf-8")
        )
        assert report["counts"]["images"]["written"] == images
        for shard in report["shards"]:
            assert (output_dir / shard).stat().st_size
    assert command_line.main(arguments) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("voc", "."),
        ("voc", "VOCdevkit/VOC2007/Annotations"),
        ("oid", "train_c"),
        ("kitti", "training/image_2"),
        ("pet", "annotations"),
        ("coco", "annotations"),
        ("dogs", "Annotation/n02085620-Chihuahua"),
    ],
)
def test_a_folder_that_may_not_be_read_is_named_in_a_line(
    build, closed, tmp_path, key, folder
):
    root, output_dir = build(key), tmp_path / "out"
    closed(root / folder)
    skip_where_rights_mean_nothing(root / folder)
    run = convert_unprivileged(key, root, output_dir)
    assert run.returncode == 1, run.stderr
    (line,) = run.stderr.splitlines()[-1:]
    assert "Permission denied" in line and str(root / folder) in line
    assert "Traceback" not in run.stderr
    assert not finished(output_dir)


@pytest.mark.parametrize(
    ("key", "folder", "image"),
    [
        ("voc", "VOCdevkit/VOC2007/JPEGImages", "000001.jpg"),
        ("coco", "train2017", "000000000009.jpg"),
        ("pet", "images", "Abyssinian_1.jpg"),
    ],
)
def test_images_that_may_not_be_read_are_named(
    build, closed, tmp_path, key, folder, image
):
    root, output_dir = build(key), tmp_path / "out"
    closed(root / folder)
    skip_where_rights_mean_nothing(root / folder)
    run = unprivileged("-c", _STRICT, key, root, output_dir)
    assert run.returncode == 1, run.stderr
    (line,) = (x for x in run.stderr.splitlines() if "Permission denied" in x)
    assert image in line
    assert "Traceback" not in run.stderr
    assert not finished(output_dir)


def test_a_split_without_any_readable_image_is_refused(build, closed, tmp_path):
    root, output_dir = build("coco"), tmp_path / "out"
    closed(root / "train2017")
    skip_where_rights_mean_nothing(root / "train2017")
    run = convert_unprivileged("coco", root, output_dir)
    assert run.returncode == 1, run.stderr
    assert "must have an image that can be used" in run.stderr.splitlines()[-1]
    assert "Permission denied" in run.stderr.splitlines()[-1]
    assert not finished(output_dir)

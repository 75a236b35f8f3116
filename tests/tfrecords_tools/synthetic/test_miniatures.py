"""Miniatures on disk: equal from any number of processes, never over data."""

import concurrent.futures
import hashlib

import pytest
from PIL import Image

from tfrecords_tools.converters import converters
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.processes import make_pool
from tfrecords_tools.synthetic import miniatures
from tfrecords_tools.synthetic.miniatures import (
    Sizes,
    write_miniature,
)
from tfrecords_tools.synthetic.worlds import worlds

SIZES = Sizes(images=24, eval_images=3, side=64, seed=5)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def threads():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool


def test_every_dataset_has_a_world():
    assert list(worlds()) == list(converters())


@pytest.mark.parametrize("key", ["kitti", "pet"])
def test_processes_draw_the_same_bytes(tmp_path, threads, key):
    write_miniature(key, tmp_path / "one", SIZES, threads)
    with make_pool(2) as pool:
        write_miniature(key, tmp_path / "two", SIZES, pool)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_draws_other_images(tmp_path, threads):
    for seed in (1, 2):
        sizes = Sizes(images=2, eval_images=1, side=64, seed=seed)
        write_miniature("voc", tmp_path / str(seed), sizes, threads)
    one, two = (
        {
            digest
            for name, digest in digests(tmp_path / str(seed)).items()
            if name.endswith(".jpg")
        }
        for seed in (1, 2)
    )
    assert len(one) == len(two) == 3
    assert not one & two


def test_more_images_leave_the_first_as_they_were(tmp_path, threads):
    for images in (2, 3):
        sizes = Sizes(images=images, eval_images=1, side=64, seed=5)
        write_miniature("coco", tmp_path / str(images), sizes, threads)
    few = {
        name: digest
        for name, digest in digests(tmp_path / "2").items()
        if name.startswith("coco/train2017/")
    }
    many = digests(tmp_path / "3")
    assert len(few) == 2
    assert few.items() <= many.items()


def test_it_reports_progress_and_leaves_a_sheet(tmp_path, threads):
    done = []
    sheet = write_miniature(
        "face", tmp_path, SIZES, threads, progress=done.append
    )
    assert sum(done) == 27
    with Image.open(sheet) as picture:
        assert picture.width > 6 * 192
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "face",
        "face_contact_sheet.png",
    ]


def test_what_is_there_is_never_drawn_over(tmp_path, threads):
    photo = tmp_path / "coco" / "train2017" / "photo.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"precious")
    with pytest.raises(DatasetError, match="never drawn over.*coco"):
        write_miniature("coco", tmp_path, SIZES, threads)
    assert photo.read_bytes() == b"precious"


def test_a_failure_leaves_no_folder_that_looks_finished(
    tmp_path, threads, monkeypatch
):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(miniatures, "write_contact_sheet", fail)
    with pytest.raises(OSError, match="disk full"):
        write_miniature("birds", tmp_path, SIZES, threads)
    assert not (tmp_path / "birds").exists()
    monkeypatch.undo()
    write_miniature("birds", tmp_path, SIZES, threads)
    assert (tmp_path / "birds").is_dir()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("images", 0, "`images` must lie in"),
        ("eval_images", 10**6, "`eval_images` must lie in"),
        ("side", 8, "`size` must lie in"),
        ("seed", -1, "`seed` must lie in"),
    ],
)
def test_sizes_out_of_range_are_refused(field, value, message):
    fields = {"images": 1, "eval_images": 1, "side": 64, "seed": 1}
    with pytest.raises(ValueError, match=f"{message}.*Received: {value}"):
        Sizes(**fields | {field: value})

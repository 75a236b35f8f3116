"""KITTI: split by number, two of nine types, regions that take boxes out."""

import argparse

import pytest

from tfrecords_tools.converters.kitti import KittiConverter
from tfrecords_tools.errors import MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

TAIL = "1.5 1.6 3.9 -2 1.65 20 -1.67"


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("kitti").build(tmp_path, pictures)
    return tmp_path


@pytest.fixture
def read(root):
    """First record of the eval split from label lines."""

    def read(*lines, flags=()):
        path = root / "training" / "label_2" / "000000.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return next(converter(root, *flags).annotated_images("eval"))

    return read


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    KittiConverter.add_flags(parser)
    return KittiConverter(root, parser.parse_args(flags))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = list(converter(root).annotated_images(split))
    assert found == records(expected("kitti")[split], root, EdgeRule.PIXELS)
    assert all(image.path.is_file() for image in found)


def test_images_without_a_label_file_are_counted(root):
    (root / "training" / "label_2" / "000499.txt").unlink()
    reader = converter(root)
    assert len(list(reader.annotated_images("eval"))) == 1
    assert reader.left_out_images == {"no label file": 1}
    list(reader.annotated_images("train"))
    assert reader.left_out_images == {}


def test_every_object_has_all_columns(root):
    reader = converter(root)
    for split in reader.splits:
        for image in reader.annotated_images(split):
            for found in image.objects:
                assert found.extra.keys() == reader.object_columns.keys()
                kinds = {type(value) for value in found.extra.values()}
                assert kinds == {float}


def test_label_map(root):
    items = converter(root).label_map()
    assert [(i.id, i.name) for i in items] == [(1, "car"), (2, "pedestrian")]


def test_images_may_lie_in_a_folder_of_their_archive(root):
    archive = root / "data_object_image_2" / "training"
    archive.mkdir(parents=True)
    (root / "training" / "image_2").rename(archive / "image_2")
    image = next(converter(root).annotated_images("train"))
    assert image.path == archive / "image_2" / "000500.png"
    assert image.path.is_file()


def test_number_of_the_boundary_belongs_to_training(root):
    reader = converter(root, "--eval_below", "499")
    evaluated = [i.source_id for i in reader.annotated_images("eval")]
    trained = [i.source_id for i in reader.annotated_images("train")]
    assert (evaluated, trained) == (["000000"], ["000499", "000500", "007480"])


def test_overlaps_with_regions_can_be_kept(root):
    reader = converter(root, "--keep_dont_care_overlaps")
    image = next(reader.annotated_images("eval"))
    assert [o.xmin for o in image.objects] == [10, 0, 50.5, 50]
    assert not any(o.difficult for o in image.objects)
    assert image.dropped == {"other class": 6, "DontCare region": 1}


@pytest.mark.parametrize(
    ("line", "hard"),
    [
        (f"Car 0.5 2 0 10 10 30 35 {TAIL}", False),
        (f"Car 0.5 2 0 10 10 30 34.99 {TAIL}", True),
        (f"Car 0.51 2 0 10 10 30 35 {TAIL}", True),
        (f"Car 0.5 3 0 10 10 30 35 {TAIL}", True),
    ],
)
def test_hard_objects_can_be_marked_as_difficult(read, line, hard):
    image = read(line, flags=["--hard_as_difficult"])
    assert [o.difficult for o in image.objects] == [hard]
    assert not read(line).objects[0].difficult


def test_marking_hard_objects_keeps_overlaps_with_regions(root):
    reader = converter(root, "--hard_as_difficult")
    image = next(reader.annotated_images("eval"))
    assert [o.difficult for o in image.objects] == [False, True, True, True]


def test_types_are_compared_in_lower_case(read):
    image = read(f"PEDESTRIAN 0 0 0 1 2 3 4 {TAIL}")
    assert image.objects[0].name == "pedestrian"


def test_file_without_lines_is_an_image_without_objects(read):
    image = read()
    assert (image.objects, image.dropped) == ((), {})


def test_broken_line_is_named(read):
    with pytest.raises(ParseError, match="15 fields.*000000.txt, line 2"):
        read(f"Car 0 0 0 1 2 3 4 {TAIL}", "Car 0 0 0 1 2 3 4")


@pytest.mark.parametrize(
    ("folder", "archive"),
    [
        ("image_2", "data_object_image_2.zip"),
        ("label_2", "data_object_label_2.zip"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, folder, archive):
    (root / "training" / folder).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=archive):
        converter(root)

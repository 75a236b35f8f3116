"""Oxford-IIIT Pet: breeds by name, heads or bodies, a split by hash."""

import argparse

import pytest

from tfrecords_tools.converters.pet import PetConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

TWO = ("--eval_images", "2")
BODY = (4, 3, 38, 31)
"""Of the fixture's images of 40x32."""


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("pet").build(tmp_path, pictures)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    PetConverter.add_flags(parser)
    return PetConverter(root, parser.parse_args(flags))


def stems(root, split, *flags):
    images = converter(root, *flags).annotated_images(split)
    return [image.source_id for image in images]


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = list(converter(root, *TWO).annotated_images(split))
    assert found == records(expected("pet")[split], root, EdgeRule.PIXELS)
    assert all(image.path.is_file() for image in found)


def test_labels_are_those_of_the_class_list(root):
    items = converter(root).label_map()
    assert [(item.id, item.name) for item in items] == [
        (1, "Abyssinian"),
        (2, "american_pit_bull_terrier"),
        (3, "beagle"),
    ]


def test_small_copies_have_the_same_share_of_eval_images(root):
    # 500 / 3680 of 7 images is 0.95.
    assert stems(root, "eval") == ["beagle_3"]
    assert len(stems(root, "train")) == 6


def test_derived_ids_are_those_of_the_records(root):
    for flags in (TWO, (*TWO, "--without_xml", "skip")):
        for split in ("train", "eval"):
            ids = converter(root, *flags).derived_ids(split)
            assert ids == stems(root, split, *flags)


def test_no_flag_moves_an_image_to_the_other_split(root):
    for flags in ((), ("--without_xml", "skip"), ("--boxes", "body")):
        assert stems(root, "eval", *TWO, *flags) == [
            "american_pit_bull_terrier_1",
            "beagle_3",
        ]


def test_images_without_xml_can_be_skipped(root):
    found = stems(root, "train", *TWO, "--without_xml", "skip")
    assert "beagle_1" not in found
    assert len(found) == 4


def test_images_without_xml_can_get_the_box_of_the_trimap(root):
    reader = converter(root, *TWO, "--without_xml", "trimap")
    images = {i.source_id: i for i in reader.annotated_images("train")}
    image = images["beagle_1"]
    assert [o.edges for o in image.objects] == [BODY]
    assert image.objects[0].name == "beagle"
    assert image.objects[0].extra == {"view": "Unspecified"}
    assert image.size == (40, 32)
    assert image.remarks == ("no XML",)
    assert images["beagle_2"].objects[0].edges == (0, 8, 14, 30)


def test_body_boxes_need_no_xml(root):
    (root / "annotations" / "xmls").rename(root / "elsewhere")
    reader = converter(root, "--boxes", "body", *TWO)
    images = list(reader.annotated_images("train"))
    assert [[o.edges for o in image.objects] for image in images] == [
        [BODY],
        [(4, 3, 30, 31)],  # 32x32
        [BODY],
        [BODY],
        [BODY],
    ]
    assert not any(image.remarks for image in images)


def test_trimap_without_an_animal_gives_no_box(root, pictures):
    path = root / "annotations" / "trimaps" / "beagle_1.png"
    image = pictures.Image.new("L", (40, 32), 2)
    image.save(path)
    reader = converter(root, *TWO, "--without_xml", "trimap")
    images = {i.source_id: i for i in reader.annotated_images("train")}
    assert images["beagle_1"].objects == ()
    assert images["beagle_1"].remarks == ("no XML", "no animal in the trimap")


def test_other_species_than_the_list_is_remarked(root):
    path = root / "annotations" / "xmls" / "beagle_2.xml"
    path.write_text(path.read_text().replace(">dog<", ">cat<"))
    images = list(converter(root, *TWO).annotated_images("train"))
    assert images[-1].remarks == ("species differs from the list",)
    assert images[-1].objects[0].name == "beagle"


@pytest.mark.parametrize("count", ["-1", "8"])
def test_eval_images_beyond_the_list_are_refused(root, count):
    with pytest.raises(DatasetError, match=f"0 and 7, .*Received: {count}"):
        stems(root, "eval", "--eval_images", count)


def test_eval_split_may_be_empty(root):
    assert stems(root, "eval", "--eval_images", "0") == []


def test_broken_xml_is_named(root):
    (root / "annotations" / "xmls" / "beagle_2.xml").write_text("<annotation>")
    with pytest.raises(ParseError, match="plain XML.*beagle_2.xml"):
        list(converter(root, *TWO).annotated_images("train"))


def test_annotations_may_lie_beside_the_images(root):
    whole = list(converter(root).annotated_images("train"))
    for path in (root / "annotations").iterdir():
        path.rename(root / path.name)
    (root / "annotations").rmdir()
    assert list(converter(root).annotated_images("train")) == whole


@pytest.mark.parametrize(
    ("name", "flags", "archive"),
    [
        ("images", (), "images.tar.gz"),
        ("annotations/list.txt", (), "annotations.tar.gz"),
        ("annotations/trainval.txt", (), "annotations.tar.gz"),
        ("annotations/xmls", (), "annotations.tar.gz"),
        ("annotations/trimaps", ("--boxes", "body"), "annotations.tar.gz"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, name, flags, archive):
    (root / name).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=archive):
        converter(root, *flags)


def test_trimaps_are_not_asked_for_needlessly(root):
    (root / "annotations" / "trimaps").rename(root / "elsewhere")
    assert len(stems(root, "train", *TWO)) == 5

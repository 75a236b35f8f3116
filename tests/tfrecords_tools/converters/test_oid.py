"""Open Images: rows in any order, images in part, 601 machine ids."""

import argparse

import pytest

from tfrecords_tools.converters.oid import OidConverter
from tfrecords_tools.errors import MissingDataError, ParseError
from tfrecords_tools.label_map import LabelMapItem, validate_label_map
from tfrecords_tools.record import EdgeRule

from .listing import listed


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("oid").build(tmp_path, pictures)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    OidConverter.add_flags(parser)
    return OidConverter(root, parser.parse_args(flags))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    images = list(converter(root).annotated_images(split))
    assert listed(images, root) == expected("oid")[split]
    assert {image.edge_rule for image in images} == {EdgeRule.FRACTIONS}


def test_only_the_image_without_a_file_has_a_path_to_nowhere(root):
    images = converter(root).annotated_images("train")
    absent = [image.source_id for image in images if not image.path.exists()]
    assert absent == ["0123456789abcdef"]


def test_names_are_machine_ids_and_labels_are_lines(root):
    items = converter(root).label_map()
    validate_label_map(items)
    assert items == [
        LabelMapItem(1, "/m/0m000", "Tortoise"),
        LabelMapItem(2, "/m/0m001", "Container"),
        LabelMapItem(3, "/m/0m002", "Drink, hot"),
    ]


def test_boxes_of_images_left_out_are_counted_aside(root):
    oid = converter(root)
    list(oid.annotated_images("train"))
    assert oid.left_out_boxes == {"unknown class": 1}
    assert oid.left_out_images == {"unknown classes only": 1}
    list(oid.annotated_images("eval"))
    assert oid.left_out_boxes == oid.left_out_images == {}


def test_shard_depends_on_the_id_alone(root):
    oid = converter(root)
    images = {i.source_id: i for i in oid.annotated_images("train")}
    image = images["0123456789abcdef"]
    assert oid.shard(image, 0, 16) == oid.shard(image, 7, 16) == 15
    assert oid.shard(image, 0, 1000) == 0x0123456789ABCDEF % 1000


def test_weights_are_written_only_if_asked_for(root):
    assert dict(converter(root).object_columns) == {"depiction": int}
    oid = converter(root, "--group_of_weight", "0")
    assert dict(oid.object_columns) == {"depiction": int, "weight": float}
    assert dict(OidConverter.object_columns) == {"depiction": int}
    boxes = list(oid.annotated_images("train"))[3].objects
    assert [box.extra["weight"] for box in boxes] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("weight", ["-1", "nan", "inf", "much"])
def test_weight_must_be_a_number_from_0(root, weight, capsys):
    with pytest.raises(SystemExit):
        converter(root, f"--group_of_weight={weight}")
    assert "0 or more" in capsys.readouterr().err


def test_group_boxes_can_be_left_out(root):
    images = list(converter(root, "--drop_group_of").annotated_images("train"))
    assert [len(image.objects) for image in images] == [1, 1, 1, 2, 1]
    assert images[3].dropped == {"group of": 1}


def test_evaluation_ignores_groups_and_does_not_forget_them(root):
    path = root / "validation-annotations-bbox.csv"
    header, row, *_ = path.read_text().splitlines()
    fields = row.split(",")
    fields[10] = "1"
    path.write_text(f"{header}\n{','.join(fields)}\n")
    oid = converter(root, "--drop_group_of")
    (image,) = oid.annotated_images("eval")
    assert [box.group_of for box in image.objects] == [True]


def test_images_may_lie_flat_or_deep(root):
    for deep, name in enumerate(["train_c", "train_f"]):
        folder = root / "all" / "deeper" if deep else root / "all"
        folder.mkdir()
        for path in sorted((root / name).iterdir()):
            path.rename(folder / path.name)
        (root / name).rmdir()
    found = {
        i.source_id: i.path for i in converter(root).annotated_images("train")
    }
    assert found["cd14827ef1010ef4"].parent == root / "all"
    assert found["f000000000000002"].parent == root / "all" / "deeper"


def test_split_for_evaluation_is_optional(root):
    assert converter(root).splits == ("train", "eval")
    (root / "validation-annotations-bbox.csv").unlink()
    assert converter(root).splits == ("train",)


@pytest.mark.parametrize(
    "name", ["train-annotations-bbox.csv", "class-descriptions-boxable.csv"]
)
def test_absent_file_is_named(root, name):
    (root / name).unlink()
    with pytest.raises(MissingDataError, match=name):
        list(converter(root).annotated_images("train"))


def test_a_byte_order_mark_belongs_to_no_class(root):
    path = root / "class-descriptions-boxable.csv"
    before = converter(root).label_map()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert converter(root).label_map() == before


def test_a_header_is_not_taken_for_a_class(root):
    path = root / "class-descriptions-boxable.csv"
    path.write_text("LabelName,DisplayName\n" + path.read_text())
    with pytest.raises(ParseError, match="without a header.*line 1"):
        converter(root).label_map()


def test_validation_alone_suffices(root):
    (root / "train-annotations-bbox.csv").unlink()
    assert converter(root).splits == ("eval",)
    assert list(converter(root).annotated_images("eval"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("/m/a,A\n/m/a,B\n", 2),
        ("/m/a,A\n/m/b,A\n", 2),
        ("/m/a,A\n/m/b,/m/a\n", 2),
        ("/m/a\n", 1),
        ("/m/a,A,B\n", 1),
        ("/m/a,\n", 1),
        ("/m/a,A\n\n/m/b,B\n", 3),
        ("", 1),
    ],
)
def test_broken_class_list_is_refused_with_its_line(root, text, line):
    (root / "class-descriptions-boxable.csv").write_text(text)
    with pytest.raises(ParseError, match=f"boxable.csv, line {line}"):
        converter(root).label_map()

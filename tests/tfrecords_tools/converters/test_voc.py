"""Pascal VOC: two years, two splits, 20 classes and nothing else."""

import argparse

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.converters.voc import VocConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.label_map import validate_label_map
from tfrecords_tools.record import EdgeRule

from .expectation import records


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("voc").build(tmp_path, pictures)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    VocConverter.add_flags(parser)
    return VocConverter(root, parser.parse_args(flags))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    listed = expected("voc")[split]
    found = list(converter(root).annotated_images(split))
    assert found == records(listed, root, EdgeRule.ONE_BASED_INCLUSIVE)
    assert all(image.path.is_file() for image in found)


def test_labels_are_the_20_classes_in_alphabetical_order(root):
    items = converter(root).label_map()
    validate_label_map(items)
    names = [item.name for item in items]
    assert len(names) == 20
    assert names == sorted(names)


def test_difficult_objects_can_be_left_out_of_training(root):
    images = list(converter(root, "--drop_difficult").annotated_images("train"))
    assert [len(image.objects) for image in images] == [2, 0, 1, 1, 0]
    assert images[1].dropped == {"difficult": 2}
    assert images[0].dropped == {}


def test_difficult_objects_always_stay_in_the_eval_split(root):
    image = next(converter(root, "--drop_difficult").annotated_images("eval"))
    assert [o.difficult for o in image.objects] == [True, False]
    assert image.dropped == {}


def test_folder_may_be_vocdevkit_itself(root):
    whole = list(converter(root).annotated_images("train"))
    inner = list(converter(root / "VOCdevkit").annotated_images("train"))
    assert whole == inner


def test_archives_may_be_unpacked_into_folders_of_their_own(root):
    apart = root / "VOCtrainval_11-May-2012" / "VOCdevkit"
    apart.mkdir(parents=True)
    (root / "VOCdevkit" / "VOC2012").rename(apart / "VOC2012")
    paths = [image.path for image in converter(root).annotated_images("train")]
    assert paths[2] == apart / "VOC2012" / "JPEGImages" / "2008_000001.jpg"


def test_there_is_no_eval_split_without_the_test_archive(root):
    assert converter(root).splits == ("train", "eval")
    main = root / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    (main / "test.txt").unlink()
    assert converter(root).splits == ("train",)
    with pytest.raises(MissingDataError, match="VOCtest_06-Nov-2007.tar"):
        list(converter(root).annotated_images("eval"))


@pytest.mark.parametrize(
    ("year", "archive"),
    [
        ("VOC2007", "VOCtrainval_06-Nov-2007.tar"),
        ("VOC2012", "VOCtrainval_11-May-2012.tar"),
    ],
)
def test_both_years_are_needed_for_training(root, year, archive):
    (root / "VOCdevkit" / year).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=archive):
        list(converter(root).annotated_images("train"))


def test_class_beyond_the_20_is_refused(root):
    path = root / "VOCdevkit" / "VOC2007" / "Annotations" / "000001.xml"
    path.write_text(path.read_text().replace(">dog<", ">Dog<"))
    with pytest.raises(
        ParseError, match=r"VOC's 20. Received: 'Dog' .*000001.xml, object 2"
    ):
        list(converter(root).annotated_images("train"))


def test_listed_image_without_xml_is_refused(root):
    path = root / "VOCdevkit" / "VOC2007" / "Annotations" / "000002.xml"
    path.unlink()
    with pytest.raises(MissingDataError, match="000002.xml"):
        list(converter(root).annotated_images("train"))


@pytest.mark.parametrize("line", ["000001 -1", "../000001", "a/b", "a.b"])
def test_list_line_that_is_no_id_is_refused(root, line):
    folder = root / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    (folder / "trainval.txt").write_text(f"000001\n{line}\n")
    with pytest.raises(ParseError, match="one id a line.*trainval.txt, line 2"):
        list(converter(root).annotated_images("train"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory, dataset_builder, pictures):
    root = tmp_path_factory.mktemp("voc")
    dataset_builder("voc").build(root, pictures)
    return converter(root)


@hypothesis.given(st.binary(max_size=40))
def test_any_list_gives_records_or_a_dataset_error(reader, data):
    main = reader.data_dir / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    (main / "test.txt").write_bytes(data)
    try:
        list(reader.annotated_images("eval"))
    except DatasetError:
        pass

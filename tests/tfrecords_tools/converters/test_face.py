"""WIDER FACE: blocks of lines, and the row that belongs to no face."""

import argparse

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.converters.face import FaceConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.record import EdgeRule

from .expectation import records

ROW = "1 2 3 4 0 0 0 0 0 0 "
ZEROS = "0 0 0 0 0 0 0 0 0 0 "


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("face").build(tmp_path, pictures)
    return tmp_path


@pytest.fixture
def read(root):
    def read(*lines):
        path = root / "wider_face_split" / "wider_face_val_bbx_gt.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return list(converter(root).annotated_images("eval"))

    return read


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    FaceConverter.add_flags(parser)
    return FaceConverter(root, parser.parse_args(flags))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    found = list(converter(root).annotated_images(split))
    assert found == records(expected("face")[split], root, EdgeRule.PIXELS)
    assert all(image.path.is_file() for image in found)


def test_rows_of_the_fixture_end_in_a_space(root):
    path = root / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    lines = path.read_text("ascii").splitlines()
    assert lines[2] == "4 5 10 14 2 0 0 0 0 0 "
    assert lines[5:7] == ["0", ZEROS]


def test_one_class(root):
    assert [item.name for item in converter(root).label_map()] == ["face"]


def test_invalid_faces_can_be_left_out_of_training_only(root):
    reader = converter(root, "--drop_invalid")
    train = list(reader.annotated_images("train"))
    assert [len(image.objects) for image in train] == [2, 0, 2, 1]
    assert [dict(image.dropped) for image in train] == [
        {},
        {},
        {"invalid": 1},
        {},
    ]
    evaluated = next(reader.annotated_images("eval"))
    assert evaluated.objects[0].difficult


def test_block_without_faces_has_one_row_all_the_same(read):
    images = read("a/b.jpg", "0", ZEROS, "a/c.jpg", "1", ROW)
    assert [len(image.objects) for image in images] == [0, 1]


def test_image_whose_only_face_is_all_zeros_keeps_it_for_the_count(read):
    (image,) = read("a/b.jpg", "1", ZEROS)
    assert image.objects[0].edges == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a/b.jpg", "0", ROW], r"ten zeros.*bbx_gt.txt, line 3"),
        (["a/b.jpg", "0", "a/c.jpg", "1", ROW], "ten integers.*line 3"),
        (["a/b.jpg", "2", ROW, "a/c.jpg", "1", ROW], "ten integers.*line 4"),
        (["a/b.jpg", "1", ROW, ROW], "name of an image or the end.*line 4"),
        (["a/b.txt", "1", ROW], "name of an image.*'a/b.txt'.*line 1"),
        (["1", ROW], "name of an image.*line 1"),
        (["a/b.jpg", ROW], "number of faces.*line 2"),
        (["a/b.jpg", "-1", ROW], "number of faces.*'-1'.*line 2"),
        (["a/b.jpg", "1.0", ROW], "number of faces.*line 2"),
        (["a/b.jpg"], "hold the number of faces.*block from line 1"),
        (["a/b.jpg", "0"], "row of every face.*end of the file"),
        (["a/b.jpg", "2", ROW], "row of every face.*block from line 1"),
        (["a/b.jpg", "1", "1 2 3 4 0 0 0 0 0"], "ten integers.*line 3"),
        (["a/b.jpg", "1", ROW + "0"], "ten integers.*line 3"),
        (["a/b.jpg", "1", ROW.replace("3", "3.5")], "ten integers.*line 3"),
        (["a/b.jpg", "1", ROW.replace("3", "nan")], "ten integers"),
        (["a/b.jpg", "1", ROW.replace("3", "9" * 30)], "ten integers"),
        (["a/b.jpg", "1", "1 2 3 4 3 0 0 0 0 0"], "blur .*0 and 2.*: 3"),
        (["a/b.jpg", "1", "1 2 3 4 0 0 0 2 0 0"], "invalid .*0 and 1.*: 2"),
        (["a/b.jpg", "1", "1 2 3 4 0 0 0 0 -1 0"], "occlusion .*: -1"),
        (["../b.jpg", "0", ZEROS], "inside the folder.*line 1"),
        (["/a/b.jpg", "0", ZEROS], "inside the folder"),
        (["a/../../b.jpg", "0", ZEROS], "inside the folder"),
        (["a\\..\\b.jpg", "0", ZEROS], "inside the folder"),
        (["C:/b.jpg", "0", ZEROS], "inside the folder"),
        (["a//b.jpg", "0", ZEROS], "inside the folder"),
    ],
)
def test_deviation_is_refused_with_its_line(read, lines, message):
    with pytest.raises(ParseError, match=message):
        read(*lines)


@pytest.mark.parametrize(
    ("path", "archive"),
    [
        ("wider_face_split/wider_face_val_bbx_gt.txt", "wider_face_split.zip"),
        ("WIDER_train/images", "WIDER_train.zip"),
        ("WIDER_val/images", "WIDER_val.zip"),
    ],
)
def test_what_is_missing_is_named_with_its_archive(root, path, archive):
    (root / path).rename(root / "elsewhere")
    with pytest.raises(MissingDataError, match=archive):
        for split in ("train", "eval"):
            list(converter(root).annotated_images(split))


@pytest.fixture(scope="module")
def reader(tmp_path_factory, dataset_builder, pictures):
    root = tmp_path_factory.mktemp("face")
    dataset_builder("face").build(root, pictures)
    return converter(root)


LINES = st.sampled_from(
    [b"a/b.jpg", b"0", b"1", b"2", ROW.encode(), ZEROS.encode(), b"\xff", b"."]
)


@hypothesis.example(data=b"\x1c")  # Space to `str`, not to `bytes`.
@hypothesis.given(
    st.lists(LINES, max_size=8).map(b"\n".join) | st.binary(max_size=40)
)
def test_any_file_gives_records_or_a_dataset_error(reader, data):
    folder = reader.data_dir / "wider_face_split"
    (folder / "wider_face_val_bbx_gt.txt").write_bytes(data)
    try:
        images = list(reader.annotated_images("eval"))
    except DatasetError:
        return
    num_faces = sum(len(image.objects) for image in images)
    lines = [line for line in data.splitlines() if line.strip()]
    empty = sum(not image.objects for image in images)
    assert len(lines) == 2 * len(images) + num_faces + empty

"""Images found by id in whatever folders they lie."""

import pytest

from tfrecords_tools.formats.image_index import ImageIndex, is_image_id


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    "name",
    [
        "0123456789abcdef.jpg",
        "train_0/0123456789abcdef.jpg",
        "a/b/c/0123456789abcdef.JPG",
        "v1.0/0123456789abcdef.jpeg",
    ],
)
def test_image_is_found_in_any_folder(tmp_path, name):
    put(tmp_path, name, "train_f/ffffffffffffffff.jpg")
    index = ImageIndex(tmp_path)
    assert index.find("0123456789abcdef") == tmp_path / name
    assert len(index) == 2


def test_absent_image_is_none(tmp_path):
    assert ImageIndex(tmp_path).find("0123456789abcdef") is None
    put(tmp_path, "1123456789abcdef.jpg")
    index = ImageIndex(tmp_path)
    assert index.find("0123456789abcdef") is None
    assert index.find("ffffffffffffffff") is None


def test_other_files_are_passed_over(tmp_path):
    put(
        tmp_path,
        "0123456789ABCDEF.jpg",
        "123.jpg",
        "0123456789abcdef.jpg.part",
        "0123456789abcdeg.jpg",
        "train-annotations-bbox.csv",
    )
    assert len(ImageIndex(tmp_path)) == 0


def test_first_folder_and_suffix_win(tmp_path):
    put(
        tmp_path,
        "b/0123456789abcdef.jpg",
        "a/0123456789abcdef.jpeg",
        "a/0123456789abcdef.jpg",
    )
    found = ImageIndex(tmp_path).find("0123456789abcdef")
    assert found == tmp_path / "a" / "0123456789abcdef.jpg"


def test_links_are_followed_but_not_in_circles(tmp_path):
    root = tmp_path / "root"
    put(tmp_path, "elsewhere/0123456789abcdef.jpg")
    put(root, "train_0/1123456789abcdef.jpg")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "train_0" / "back").symlink_to(root)
    index = ImageIndex(root)
    assert len(index) == 2
    assert index.find("0123456789abcdef").is_file()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0123456789abcdef", True),
        ("0123456789abcde", False),
        ("0123456789abcdeff", False),
        ("0123456789ABCDEF", False),
        ("0123456789abcde_", False),
        ("012345678 abcdef", False),
        ("x123456789abcdef", False),
        ("", False),
    ],
)
def test_ids_are_16_digits_in_lower_case(text, expected):
    assert is_image_id(text) == expected

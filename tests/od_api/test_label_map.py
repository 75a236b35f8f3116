"""Label maps that would shift or merge classes are refused."""

import pathlib

import object_detection
import pytest

from object_detection_patch.od_api import label_map


@pytest.fixture
def written(tmp_path):
    def write(*items):
        path = tmp_path / "map.pbtxt"
        path.write_text("".join(f"item {{ {item} }}\n" for item in items))
        return str(path)

    return write


def test_reads_by_id(written):
    path = written("id: 2 name: 'b' display_name: 'Bee'", "id: 1 name: 'a'")
    assert label_map.read_label_map(path) == [(1, "a", "a"), (2, "b", "Bee")]


def test_reads_the_pets():
    folder = pathlib.Path(object_detection.__file__).parent
    items = label_map.read_label_map(str(folder / "data/pet_label_map.pbtxt"))
    assert [number for number, _, _ in items] == list(range(1, 38))
    assert items[0][1] == "Abyssinian"
    assert items[36][1] == "yorkshire_terrier"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            ["id: 0 name: 'a'", "id: 1 name: 'b'"],
            r"ids start at 1; 0 is the background\. Received: id 0 in ",
        ),
        (["id: -3 name: 'a'"], r"Received: id -3 in "),
        (["name: 'a'"], r"Received: id 0 in "),
        (
            ["id: 1 name: 'a'", "id: 1 name: 'b'"],
            r"Each id may stand once .* Received: id 1 2 times in ",
        ),
        (
            ["id: 1 name: 'a'", "id: 2 name: 'a'"],
            r"Each name may stand once .* Received: name 'a' 2 times in ",
        ),
        ([], r"at least one item\. Received: .*, empty\."),
        (["id: x"], r"must hold `item .*map\.pbtxt: 1:\d+"),
        (["idd: 1"], r"must hold `item .*map\.pbtxt: 1:\d+"),
    ],
)
def test_refuses(written, items, message):
    with pytest.raises(ValueError, match=message) as caught:
        label_map.read_label_map(written(*items))
    assert "map.pbtxt" in str(caught.value)


@pytest.mark.parametrize("name", ["", "none.pbtxt"])
def test_refuses_a_missing_file(tmp_path, name):
    path = str(tmp_path / name) if name else ""
    with pytest.raises(ValueError, match="`label_map_path` must name a label"):
        label_map.read_label_map(path)


def test_num_classes_must_agree():
    items = [(1, "a", "a"), (2, "b", "b")]
    label_map.check_num_classes(items, 2, "map.pbtxt")
    with pytest.raises(
        ValueError, match=r"Received: num_classes 3, but id 2 in map\.pbtxt\."
    ):
        label_map.check_num_classes(items, 3, "map.pbtxt")


def test_num_classes_reach_to_the_greatest_id():
    items = [(1, "a", "a"), (90, "b", "b")]
    assert label_map.num_classes_of(items) == 90
    label_map.check_num_classes(items, 90, "map.pbtxt")
    with pytest.raises(ValueError, match="num_classes 2, but id 90 in map"):
        label_map.check_num_classes(items, 2, "map.pbtxt")


def test_text_reads_back_as_the_od_api_reads_it(tmp_path):
    from object_detection.utils import label_map_util

    items = [(1, "a", "A"), (2, "it's", 'a "b"\\'), (3, "ä", "日本")]
    path = tmp_path / "map.pbtxt"
    path.write_text(label_map.label_map_text(items), encoding="utf-8")
    assert label_map.read_label_map(str(path)) == items
    assert label_map_util.get_label_map_dict(str(path)) == {
        "a": 1,
        "it's": 2,
        "ä": 3,
    }
    assert "日本" in path.read_text(encoding="utf-8")

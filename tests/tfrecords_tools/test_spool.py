"""Records come back from disk as they were."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tfrecords_tools import spool
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule
from tfrecords_tools.spool import Spool, read_spool

DATA_DIR = Path("some", "folder")
CAT = AnnotatedObject(name="cat", label=1, xmin=0.1, ymin=1, xmax=2, ymax=3)
# Lone surrogates, line ends and quotes included.
TEXTS = st.text(st.characters(exclude_categories=()), min_size=1)
NAMES = st.text(
    st.characters(exclude_categories=(), exclude_characters="/\0"), min_size=1
)
NUMBERS = st.integers(-(2**40), 2**40) | st.floats(
    allow_nan=False, allow_infinity=False
)
EXTRAS = st.dictionaries(st.text(), NUMBERS | TEXTS, max_size=3)
OBJECTS = st.builds(
    AnnotatedObject,
    name=TEXTS,
    label=st.integers(1, 2**40),
    xmin=NUMBERS,
    ymin=NUMBERS,
    xmax=NUMBERS,
    ymax=NUMBERS,
    area=st.none() | NUMBERS,
    difficult=st.booleans(),
    truncated=st.booleans(),
    occluded=st.integers(0, 9),
    is_crowd=st.booleans(),
    group_of=st.booleans(),
    extra=EXTRAS,
)
IMAGES = st.builds(
    AnnotatedImage,
    path=st.lists(NAMES, min_size=1, max_size=3).map(
        lambda names: DATA_DIR.joinpath(*names)
    ),
    filename=TEXTS,
    source_id=TEXTS,
    objects=st.lists(OBJECTS, max_size=3).map(tuple),
    edge_rule=st.sampled_from(EdgeRule),
    size=st.none() | st.tuples(st.integers(), st.integers()),
    dropped=st.dictionaries(TEXTS, st.integers(0, 9), max_size=2),
    remarks=st.lists(TEXTS, max_size=2).map(tuple),
    extra=EXTRAS,
)


def image_of(index):
    return AnnotatedImage(
        path=DATA_DIR / f"{index}.jpg",
        filename=f"{index}.jpg",
        source_id=str(index),
        objects=(CAT,) * index,
    )


# Two lone surrogates, which JSON's escapes would join to one character.
TWO_HALVES = dataclasses.replace(image_of(1), filename="\ud83d\ude00\n")


@given(st.lists(st.tuples(st.integers(0, 2), IMAGES), max_size=4))
@example([(0, TWO_HALVES)])
def test_round_trip(tmp_path_factory, added):
    folder = tmp_path_factory.mktemp("spool")
    paths = [folder / str(shard) for shard in range(3)]
    with Spool(paths, DATA_DIR) as spooled:
        for shard, image in added:
            spooled.add(shard, image)
    for shard, path in enumerate(paths):
        expected = [image for other, image in added if other == shard]
        found = list(read_spool(path, DATA_DIR))
        assert found == expected
        assert spooled.counts[shard] == len(expected)
        for image in found:
            for box in image.objects:
                assert type(box.difficult) is bool


@pytest.mark.parametrize("buffered", [0, 300, 2**20])
def test_the_buffer_changes_nothing(tmp_path, monkeypatch, buffered):
    monkeypatch.setattr(spool, "_BUFFERED_BYTES", buffered)
    paths = [tmp_path / "a", tmp_path / "b"]
    with Spool(paths, DATA_DIR) as spooled:
        for index in range(7):
            spooled.add(index % 2, image_of(index))
    for shard, path in enumerate(paths):
        found = list(read_spool(path, DATA_DIR))
        assert found == [image_of(index) for index in range(shard, 7, 2)]


def test_older_files_are_replaced(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"older")
    with Spool([path], DATA_DIR) as spooled:
        spooled.add(0, image_of(1))
    assert list(read_spool(path, DATA_DIR)) == [image_of(1)]


def test_images_move_with_their_folder(tmp_path):
    with Spool([tmp_path / "a"], DATA_DIR) as spooled:
        spooled.add(0, image_of(1))
    (image,) = read_spool(tmp_path / "a", Path("elsewhere"))
    assert image.path == Path("elsewhere", "1.jpg")


def test_an_image_outside_the_folder_is_refused(tmp_path):
    outside = dataclasses.replace(image_of(1), path=Path("other", "1.jpg"))
    with (
        pytest.raises(ValueError, match="not in the subpath"),
        Spool([tmp_path / "a"], DATA_DIR) as spooled,
    ):
        spooled.add(0, outside)
    assert not (tmp_path / "a").exists()


def digest_of(folder, data_dir, *added):
    with Spool([folder / "a", folder / "b"], data_dir) as spooled:
        for shard, image in added:
            spooled.add(shard, image)
    return spooled.digest


def test_digest_tells_records_their_order_and_shards_apart(tmp_path):
    one, two = image_of(1), image_of(2)
    turned = dataclasses.replace(one, edge_rule=EdgeRule.FRACTIONS)
    variants = [
        [],
        [(0, one)],
        [(1, one)],
        [(0, turned)],
        [(0, one), (0, two)],
        [(0, two), (0, one)],
        [(0, one), (1, two)],
    ]
    digests = [digest_of(tmp_path, DATA_DIR, *added) for added in variants]
    assert len(set(digests)) == len(variants)
    assert digest_of(tmp_path, DATA_DIR, *variants[-1]) == digests[-1]


def test_digest_does_not_depend_on_where_the_data_lie(tmp_path):
    moved = dataclasses.replace(image_of(1), path=Path("x", "1.jpg"))
    there = digest_of(tmp_path, Path("x"), (0, moved))
    assert there == digest_of(tmp_path, DATA_DIR, (0, image_of(1)))


def test_equal_records_give_equal_files(tmp_path):
    contents = []
    for name in ("a", "b"):
        with Spool([tmp_path / name], DATA_DIR) as spooled:
            spooled.add(0, image_of(2))
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]

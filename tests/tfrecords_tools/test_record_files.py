"""Patterns find files in natural order; shard sets tell what they lack."""

from pathlib import Path

import pytest

from tfrecords_tools.record_files import (
    ShardName,
    find_record_files,
    find_shard_faults,
    parse_shard_name,
)


@pytest.fixture
def folder(tmp_path):
    for name in (
        "pet_eval.record-00000-of-00001",
        "pet_train.record-00001-of-00002",
        "pet_train.record-00000-of-00002",
        ".pet_train.record-00000-of-00002.77.partial",
        "part10.record",
        "part9.record",
    ):
        (tmp_path / name).touch()
    (tmp_path / "folder.record").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (
            "pet_train.record-?????-of-00002",
            [
                "pet_train.record-00000-of-00002",
                "pet_train.record-00001-of-00002",
            ],
        ),
        ("part*.record", ["part9.record", "part10.record"]),
        ("part9.record", ["part9.record"]),
        ("part[0-9].record", ["part9.record"]),
        (".*partial", [".pet_train.record-00000-of-00002.77.partial"]),
    ],
)
def test_patterns_find_files_in_natural_order(folder, pattern, names):
    found = find_record_files([str(folder / pattern)])
    assert [path.name for path in found] == names


def test_hidden_files_and_folders_are_left_out(folder):
    names = [path.name for path in find_record_files([f"{folder}/*"])]
    assert len(names) == 5
    assert not any(name.startswith(".") for name in names)


def test_wildcards_may_stand_in_folders(folder):
    deep = folder / "one" / "two" / "deep.record"
    deep.parent.mkdir(parents=True)
    deep.touch()
    assert find_record_files([f"{folder}/*/t??/deep.record"]) == [deep]
    assert find_record_files([f"{folder}/**/deep.record"]) == [deep]


def test_relative_patterns_and_tildes(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert find_record_files(["part9*"]) == [Path("part9.record")]
    monkeypatch.setenv("HOME", str(folder))
    assert find_record_files(["~/part9*"]) == [folder / "part9.record"]


def test_several_patterns_give_each_file_once(folder):
    patterns = [f"{folder}/part*", f"{folder}/part9.record"]
    assert len(find_record_files(patterns)) == 2


def test_an_existing_file_is_no_pattern(tmp_path):
    odd = tmp_path / "a[1].record"
    odd.touch()
    assert find_record_files([odd]) == [odd]


@pytest.mark.parametrize("pattern", ["", "none-*.record", "folder.record", "."])
def test_nothing_found_is_one_error(folder, pattern, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(ValueError, match="at least one file") as caught:
        find_record_files(["part9.record", pattern])
    assert str(caught.value).endswith(f"Received: {pattern}")


def test_files_in_a_remote_store_are_found():
    from upath import UPath

    store = UPath("memory://bucket/data")
    store.mkdir(parents=True, exist_ok=True)
    for index in range(2):
        (store / f"a.record-0000{index}-of-00002").write_bytes(b"")
    pattern = "memory://bucket/data/a.record-?????-of-00002"
    assert [path.name for path in find_record_files([pattern])] == [
        "a.record-00000-of-00002",
        "a.record-00001-of-00002",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "pet_train.record-00003-of-00010",
            ShardName("d/pet_train.record", 3, 10),
        ),
        ("coco-00000-of-00100.tfrecord", ShardName("d/coco.tfrecord", 0, 100)),
        ("lone.record", ShardName("d/lone.record")),
        ("a.record-0-of-2", ShardName("d/a.record-0-of-2")),
    ],
)
def test_names_of_shards(name, expected):
    assert parse_shard_name(Path("d") / name) == expected


def shards(count, *indexes, split="a.record"):
    return [Path(f"d/{split}-{i:05d}-of-{count:05d}") for i in indexes]


@pytest.mark.parametrize(
    "paths",
    [
        shards(2, 0, 1),
        shards(1, 0) + shards(2, 1, 0, split="b.record"),
        [Path("d/lone.record")],
    ],
)
def test_complete_sets_are_no_fault(paths):
    assert find_shard_faults(paths) == []


@pytest.mark.parametrize(
    ("paths", "messages"),
    [
        (
            shards(10, 0, 1, 9),
            [
                "A split must have all its 10 shards. Received: 3, without "
                "number 2, 3, 4, 5, 6, ... (d/a.record)"
            ],
        ),
        (
            shards(2, 0, 1, 2),
            [
                "The index of a shard must be less than 2. Received: 2 "
                "(d/a.record)"
            ],
        ),
        (
            shards(1, 0) + shards(2, 0, 1),
            [
                "The shards of a split must come from one run. Received: "
                "-of-00001 and -of-00002 (d/a.record)"
            ],
        ),
    ],
)
def test_incomplete_sets_are_told(paths, messages):
    assert find_shard_faults(paths) == messages

"""`stats`: a table for people, the same figures as JSON."""

import json

import pytest

from tfrecords_tools.commands import stats


def test_table(run_verb, shards):
    status, text, errors = run_verb(stats, shards)
    assert (status, errors) == (0, "")
    lines = text.split("\n")
    assert "images                4" in lines
    assert "  without boxes       2" in lines
    assert "boxes                 4" in lines
    assert "  difficult           2 (50.0 %)" in lines
    assert "  cat        2 " + "#" * 40 in lines


def test_json_holds_the_figures(run_verb, shards, tmp_path):
    path = tmp_path / "figures.json"
    run_verb(stats, shards, "--json", path, "--max_number_of_boxes", 1)
    figures = json.loads(path.read_text("utf-8"))
    assert figures["classes"] == {"cat": 2, "dog": 2}
    assert figures["beyond_max_number_of_boxes"] == {
        "limit": 1,
        "images": 2,
        "images_share": 0.5,
        "boxes": 2,
        "boxes_share": 0.5,
    }
    size = sum(
        path.stat().st_size for path in tmp_path.glob("zoo_train.record-*")
    )
    assert figures["file_bytes"] == size


def test_a_label_map_lists_absent_classes(run_verb, shards, tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("item { id: 1 name: 'cat' } item { id: 7 name: 'cow' }")
    _, text, _ = run_verb(stats, shards, "--label_map", path)
    assert "boxes per class, 3 classes" in text
    assert "  cow        0\n" in text


def test_missing_shards_are_a_warning(run_verb, shards, tmp_path):
    one = tmp_path / "zoo_train.record-00000-of-00002"
    status, text, errors = run_verb(stats, one)
    assert (status, "images                2\n" in text) == (0, True)
    assert errors.startswith("warning: A split must have all its 2 shards.")


def test_files_without_records(run_verb, tmp_path):
    (tmp_path / "empty.record").touch()
    status, text, _ = run_verb(stats, tmp_path / "empty.record")
    assert (status, "images                0\n" in text) == (0, True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--max_number_of_boxes", 0], "must be 1 or more. Received: 0"),
        (["--json", "/none/there/x.json"], "No such file"),
    ],
)
def test_refusals(run_verb, shards, flags, message):
    with pytest.raises((ValueError, OSError), match=message):
        run_verb(stats, shards, *flags)


def test_broken_files_are_refused_and_no_json_is_written(run_verb, tmp_path):
    (tmp_path / "a.record").write_bytes(b"no record")
    path = tmp_path / "figures.json"
    with pytest.raises(ValueError, match="record 1, byte 0"):
        run_verb(stats, tmp_path / "a.record", "--json", path)
    assert not path.exists()

"""`verify`: what it prints and with which status it exits."""

import pytest

from tfrecords_tools.commands import verify


@pytest.fixture
def label_map(handmade, tmp_path):
    return handmade.write_label_map(tmp_path)


def test_good_records_exit_0(run_verb, shards, label_map):
    status, text, errors = run_verb(verify, shards, "--label_map", label_map)
    assert (status, errors) == (0, "")
    assert text == "verified 4 images, 4 boxes in 2 files: no fault\n"


def test_faults_exit_1(run_verb, handmade, label_map, tmp_path):
    bad = handmade.record("a", height=("int64", [7]))
    path = handmade.write(tmp_path / "a.record", bad)
    status, text, _ = run_verb(verify, path, "--label_map", label_map)
    assert status == 1
    assert text.splitlines() == [
        f"{path}, record 1 (a): image/height must be that of the decoded "
        f"image, 20. Received: 7",
        "verified 1 images, 2 boxes in 1 files: 1 fault",
    ]


def test_ten_faults_are_shown_and_the_others_counted(
    run_verb, handmade, label_map, tmp_path
):
    bad = [handmade.record(str(i), height=("int64", [7])) for i in range(12)]
    path = handmade.write(tmp_path / "a.record", *bad)
    status, text, _ = run_verb(verify, path, "--label_map", label_map)
    lines = text.splitlines()
    assert (status, len(lines)) == (1, 12)
    assert lines[-2:] == [
        "and 2 more",
        "verified 12 images, 24 boxes in 1 files: 12 faults",
    ]


def test_missing_shards_exit_1(run_verb, shards, label_map, tmp_path):
    one = tmp_path / "zoo_train.record-00000-of-00002"
    status, text, _ = run_verb(verify, one, "--label_map", label_map)
    assert status == 1
    assert text.startswith("A split must have all its 2 shards. Received: 1, ")


def test_too_many_boxes_are_a_notice(run_verb, shards, label_map):
    flags = ["--label_map", label_map, "--max_number_of_boxes", 1]
    status, text, _ = run_verb(verify, shards, *flags)
    assert status == 0
    assert text.splitlines()[0] == (
        "notice: 2 images have more than 1 boxes, up to 2; a training with "
        "`max_number_of_boxes: 1` cuts them"
    )


def test_headers_alone_leave_pixels_unseen(
    run_verb, handmade, label_map, tmp_path, monkeypatch
):
    path = handmade.write(tmp_path / "a.record", handmade.record())
    seen = []
    monkeypatch.setattr(
        "tfrecords_tools.look.image_rules.check_pixels", seen.append
    )
    run_verb(verify, path, "--label_map", label_map, "--no_decode")
    assert seen == []
    run_verb(verify, path, "--label_map", label_map)
    assert seen == [handmade.picture()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item { id: 0 name: 'cat' }", r"Ids of a label map must start at 1"),
        ("item { id: 1 }", "an item with `name`"),
        ("", "at least one item"),
    ],
)
def test_a_faulty_label_map_is_refused(
    run_verb, shards, tmp_path, text, message
):
    path = tmp_path / "map.pbtxt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        run_verb(verify, shards, "--label_map", path)


def test_nothing_found_is_refused(run_verb, label_map, tmp_path):
    with pytest.raises(ValueError, match="at least one file"):
        run_verb(verify, tmp_path / "*.record", "--label_map", label_map)


def test_our_own_records_have_no_fault(run_verb, tmp_path):
    from tfrecords_tools.synthetic import write_demo_datasets

    written = write_demo_datasets(
        tmp_path, images=4, eval_images=2, size=48, seed=3
    )
    for files in written.values():
        pattern = f"{files.train.parent}/*.record-*"
        status, text, _ = run_verb(
            verify, pattern, "--label_map", files.label_map
        )
        assert (status, "6 images" in text, "no fault" in text) == (
            0,
            True,
            True,
        )

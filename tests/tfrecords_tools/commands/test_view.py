"""`view`: which images it draws, and what it refuses."""

import pytest
from PIL import Image

from tfrecords_tools.commands import view


@pytest.fixture
def drawn(monkeypatch):
    """The source_ids that were handed over for drawing."""
    ids = []

    def spy(path, examples, **options):
        ids[:] = [e["image/source_id"][0].decode() for e in examples]
        return 0

    monkeypatch.setattr(view, "write_sheet", spy)
    return ids


def test_a_sheet_is_written(run_verb, shards, tmp_path):
    output = tmp_path / "sheet.png"
    status, text, errors = run_verb(
        view, shards, "--output", output, "--tile", 64, "--columns", 4
    )
    assert (status, errors) == (0, "")
    assert text == f"wrote {output}: 4 images, 0 broken\n"
    with Image.open(output) as sheet:
        assert (sheet.format, sheet.width) == ("PNG", 4 * 72 + 8)


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        ([], ["0a", "0b", "1a", "1b"]),
        (["--images", 2], ["0a", "0b"]),
        (["--images", 2, "--offset", 1], ["0b", "1a"]),
        (["--only_flagged"], ["0a", "1a"]),
        (["--only_flagged", "--offset", 1], ["1a"]),
        (["--seed", 1], ["0a", "0b", "1a", "1b"]),
    ],
)
def test_which_images_are_drawn(run_verb, shards, drawn, flags, ids):
    run_verb(view, shards, "--output", "x.png", *flags)
    assert drawn == ids


def test_seeds_draw_lots(run_verb, shards, drawn):
    draws = set()
    for seed in range(20):
        flags = ["--images", 2, "--seed", seed]
        run_verb(view, shards, "--output", "x.png", *flags)
        draws.add(tuple(drawn))
    assert len(draws) > 3


def test_broken_images_are_drawn_and_counted(run_verb, handmade, tmp_path):
    path = handmade.write(
        tmp_path / "a.record",
        handmade.record("a", encoded=b"GARBAGE"),
        handmade.record("b"),
    )
    output = tmp_path / "sheet.png"
    status, text, _ = run_verb(view, path, "--output", output)
    assert (status, output.exists()) == (0, True)
    assert text.endswith(": 2 images, 1 broken\n")


def test_missing_shards_are_a_warning(run_verb, shards, tmp_path):
    one = tmp_path / "zoo_train.record-00001-of-00002"
    output = tmp_path / "sheet.png"
    status, text, errors = run_verb(view, one, "--output", output)
    assert (status, ": 2 images" in text) == (0, True)
    assert errors == (
        "warning: A split must have all its 2 shards. Received: 1, without "
        f"number 0 ({tmp_path}/zoo_train.record)\n"
    )


def test_a_label_map_gives_names(run_verb, shards, handmade, tmp_path):
    label_map = handmade.write_label_map(tmp_path)
    output = tmp_path / "sheet.png"
    flags = ["--output", output, "--label_map", label_map]
    assert run_verb(view, shards, *flags)[0] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--images", 0], r"`--images` must lie in \[1, 1000\]. Received: 0"),
        (["--tile", 47], r"`--tile` must lie in \[48, 2048\]. Received: 47"),
        (["--offset", -1], "`--offset` must be 0 or more. Received: -1"),
        (["--columns", 0], r"`--columns` must lie in \[1, 1000\]. Received: 0"),
        (["--images", 1000, "--tile", 1000], "no more than 268 million pixels"),
        (["--offset", 4], "No image to draw was found in 2 files"),
        (["--label_map", "none.pbtxt"], "No such file"),
    ],
)
def test_refusals_write_nothing(run_verb, shards, tmp_path, flags, message):
    output = tmp_path / "sheet.png"
    with pytest.raises((ValueError, OSError), match=message):
        run_verb(view, shards, "--output", output, *flags)
    assert not output.exists()


def test_nothing_found_and_broken_files_are_refused(run_verb, tmp_path):
    output = tmp_path / "sheet.png"
    with pytest.raises(ValueError, match="at least one file"):
        run_verb(view, tmp_path / "*.record", "--output", output)
    (tmp_path / "a.record").write_bytes(b"no record")
    with pytest.raises(ValueError, match="record 1, byte 0"):
        run_verb(view, tmp_path / "*.record", "--output", output)
    assert not output.exists()


def test_an_older_sheet_stays_if_the_folder_is_gone(run_verb, shards, tmp_path):
    with pytest.raises(OSError):
        run_verb(view, shards, "--output", tmp_path / "none" / "sheet.png")

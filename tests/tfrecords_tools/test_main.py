"""Command line: what is written, what is refused, with which exit status."""

import pytest

from tfrecords_tools.__main__ import main

SMALL = ["--images", "3", "--eval_images", "2", "--size", "48"]


def test_demo_writes_three_datasets(tmp_path, capsys):
    output = tmp_path / "not yet" / "there"
    status = main(["synthesize", "demo", "--output_dir", str(output), *SMALL])
    assert status == 0
    assert sorted(p.name for p in output.iterdir()) == [
        "digits",
        "shapes",
        "stripes",
    ]
    assert sorted(p.name for p in (output / "digits").iterdir()) == [
        "digits_contact_sheet.png",
        "digits_eval.record-00000-of-00002",
        "digits_eval.record-00001-of-00002",
        "digits_label_map.pbtxt",
        "digits_train.record-00000-of-00002",
        "digits_train.record-00001-of-00002",
    ]
    assert "shapes_train.record-?????-of-00002" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "`images` must lie in [1, 1000000]. Received: 0"),
        (["--eval_images", "0"], "`eval_images` must lie in [1, 1000000]. "),
        (["--size", "47"], "`size` must lie in [48, 1024]. Received: 47"),
        (["--seed", "-1"], "`seed` must lie in [0, "),
    ],
)
def test_bad_values_exit_2_with_one_line_and_write_nothing(
    tmp_path, capsys, arguments, message
):
    output = tmp_path / "out"
    with pytest.raises(SystemExit) as caught:
        main(["synthesize", "demo", "--output_dir", str(output), *arguments])
    assert caught.value.code == 2
    assert message in _only_error(capsys)
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "many"], "--images: invalid int value: 'many'"),
        (["--imag", "3"], "unrecognized arguments: --imag 3"),
    ],
)
def test_bad_flags_exit_2_with_one_line_and_write_nothing(
    tmp_path, capsys, arguments, message
):
    output = tmp_path / "out"
    with pytest.raises(SystemExit) as exit_status:
        main(["synthesize", "demo", "--output_dir", str(output), *arguments])
    assert exit_status.value.code == 2
    assert message in _only_error(capsys)
    assert not output.exists()


def _only_error(capsys):
    """The one line of stderr that is an error; the bar may have drawn."""
    text = capsys.readouterr().err.replace("\r", "\n")
    (line,) = [line for line in text.split("\n") if "error:" in line]
    return line


@pytest.mark.parametrize("arguments", [[], ["synthesize"], ["draw"]])
def test_incomplete_commands_exit_2(capsys, arguments):
    with pytest.raises(SystemExit) as exit_status:
        main(arguments)
    assert exit_status.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_output_that_is_a_file_exits_1(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("mine")
    status = main(["synthesize", "demo", "--output_dir", str(blocked), *SMALL])
    assert status == 1
    assert "error:" in capsys.readouterr().err
    assert blocked.read_text() == "mine"


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit) as exit_status:
        main(["synthesize", "--help"])
    assert exit_status.value.code == 0
    text = capsys.readouterr().out
    for option in ("output_dir", "images", "eval_images", "size", "seed"):
        assert f"--{option}" in text

"""od-patch adapters, where numpy is all that is installed, and its refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from object_detection_patch import cli
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    Patch,
    read_patch,
    write_patch,
)

KERNEL = "backbone/c/kernel"


def patch(seed, base="ab"):
    matrix = np.random.default_rng(seed).standard_normal((9, 8))
    return Patch("PARALLEL_ADAPTERS", base * 32, (AddAtCentre(KERNEL, matrix),))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with a.patch and b.patch."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("ab"):
        write_patch(f"{name}.patch", patch(seed))
    return tmp_path


def run(*words):
    return cli.main(["adapters", *words])


def test_the_whole_way_with_numpy_alone(folder, with_numpy_alone):
    for words in (
        ("compress", "a.patch", "b.patch", "--rank=3", "--output_dir=family"),
        ("expand", "family/shared.odps", "family/a.odpt", "--output=a3.patch"),
        ("join", "a3.patch", "--shared=family/shared.odps", "--output=a.odpt"),
        ("compress", "a.patch", "--share=0.25", "--output_dir=alone"),
    ):
        done = with_numpy_alone("adapters", *words)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout
    for path in ("family/shared.odps", "family/a.odpt", "a3.patch"):
        done = with_numpy_alone("inspect", path)
        assert (done.returncode, done.stderr) == (0, ""), path
        assert KERNEL in done.stdout
    (edit,) = read_patch("a3.patch").edits
    assert isinstance(edit, AddProductAtCentre)
    assert edit.values.shape == (3, 17)
    (edit,) = read_patch("alone/a.patch").edits
    assert edit.values.shape == (2, 17)


def test_json(folder, capsys):
    words = ("a.patch", "b.patch", "--per_task", "--rank=1", "--json")
    assert run("compress", *words, "--output_dir=out") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["tasks"]) == {"a.patch", "b.patch"}
    assert run("compress", *words[:2], "--rank=1", "--output_dir=two") == 0
    assert cli.main(["inspect", "--json", "two/a.odpt"]) == 0
    text = capsys.readouterr().out
    described = json.loads(text[text.index("\n{") :])
    assert described["file"] == "task file"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("compress a.patch --rank 9 --output_dir x", "kernel', has 8."),
        ("compress a.patch --rank 0 --output_dir x", "`rank` of 1 or more"),
        ("compress a.patch --share 2 --output_dir x", "at most 1"),
        ("compress a.patch other.patch --rank 1 --output_dir x", "one base"),
        ("compress masks.patch --rank 1 --output_dir x", "without any"),
        ("compress a.patch --rank 1 --output_dir .", "new or empty"),
        ("compress no.patch --rank 1 --output_dir x", "'no.patch': No such"),
        ("expand no f/a.odpt --output x", "'no', which does not exist"),
        ("expand g/shared.odps f/a.odpt --output x", "another family"),
        ("expand a.patch f/a.odpt --output x", "an ordinary patch file"),
        ("expand f/a.odpt f/a.odpt --output x", "Received: a task file"),
        ("expand f/shared.odps f/shared.odps --output x", "a shared file"),
        ("expand f/shared.odps f/a.odpt --output n/x", "must exist"),
        ("join a.patch --shared no --output x", "'no', which does not exist"),
        (
            "join no --shared f/shared.odps --output x",
            "'no': No such",
        ),
        ("join other.patch --shared f/shared.odps --output x", "of its base"),
        ("compress f/a.odpt --rank 1 --output_dir x", "adapters expand"),
    ],
)
def test_a_refusal_is_one_line(folder, capsys, words, message):
    write_patch("other.patch", patch(5, base="cd"))
    masks = (AddSigned(KERNEL, [True], 1.0),)
    write_patch("masks.patch", Patch("SPOTPATCH", "ab" * 32, masks))
    for rank, name in (("2", "f"), ("3", "g")):
        both = ("a.patch", "b.patch", f"--rank={rank}")
        assert run("compress", *both, f"--output_dir={name}") == 0
    before = sorted(folder.rglob("*"))
    capsys.readouterr()
    assert run(*words.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("od-patch: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("option", [[], ["--rank=1", "--share=0.5"]])
def test_a_rank_or_a_share(folder, capsys, option):
    with pytest.raises(SystemExit) as caught:
        run("compress", "a.patch", "--output_dir=x", *option)
    assert caught.value.code == 2
    assert "--rank" in capsys.readouterr().err

"""`od-patch store`: what each action passes on and prints."""

from __future__ import annotations

import json

import pytest

from object_detection_patch import cli
from object_detection_patch.tflite import store

_FISH = store.Entry(
    name="fish",
    method="SPOTPATCH",
    classes=7,
    labels=("cod", "eel", "ide", "koi", "ray"),
    file_bytes=77048,
    sha256="f1" * 32,
    active=True,
)
_SHAPES = store.Entry(
    name="big shapes",
    method="BN_PATCH",
    classes=1,
    labels=("cube",),
    file_bytes=812,
    sha256="c0" * 32,
    active=False,
)


@pytest.fixture
def stored(calls):
    calls.intercept(
        store,
        init=None,
        add=_FISH,
        list_patches=[_SHAPES, _FISH],
        active_name="fish",
        remove=None,
        activate="tasks/active.tflite",
    )
    return calls.made


def _main(action, *options):
    return cli.main(["store", action, "--store=tasks", *options])


@pytest.mark.parametrize("sidecar", [None, "a.odpatch"])
def test_init(stored, capsys, sidecar):
    options = [f"--sidecar={sidecar}"] if sidecar else []
    assert _main("init", "--base=base.tflite", *options) == 0
    assert stored == [("init", ("tasks", "base.tflite", sidecar), {})]
    assert capsys.readouterr().out == (
        "tasks: a store for patches of base.tflite\n"
    )


def test_add(stored, capsys):
    assert _main("add", "--patch=runs/fish.patch") == 0
    keywords = {"replace": False, "require_signature": None}
    assert stored == [("add", ("tasks", "runs/fish.patch", None), keywords)]
    assert capsys.readouterr().out == "tasks: fish added, 7 classes\n"


def test_add_with_every_option(stored):
    options = ("--name=big fish", "--replace", "--require_signature=pub.pem")
    assert _main("add", "--patch=runs/fish.patch", *options) == 0
    keywords = {"replace": True, "require_signature": "pub.pem"}
    assert stored == [
        ("add", ("tasks", "runs/fish.patch", "big fish"), keywords)
    ]


def test_list(stored, capsys):
    assert _main("list") == 0
    assert stored == [
        ("list_patches", ("tasks",), {}),
        ("active_name", ("tasks",), {}),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["active: fish", str(_SHAPES), str(_FISH)]


def test_list_of_a_store_without_patches(calls, capsys):
    calls.intercept(store, list_patches=[], active_name=None)
    assert _main("list") == 0
    assert capsys.readouterr().out == (
        "active: none, activate a name to mend it\n"
    )


def test_list_as_json(stored, capsys):
    assert _main("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["active"] == "fish"
    assert [patch["name"] for patch in listed["patches"]] == [
        "big shapes",
        "fish",
    ]
    assert listed["patches"][0] == {
        "name": "big shapes",
        "method": "BN_PATCH",
        "classes": 1,
        "labels": ["cube"],
        "file_bytes": 812,
        "sha256": "c0" * 32,
        "active": False,
    }


def test_remove(stored, capsys):
    assert _main("remove", "fish") == 0
    assert stored == [("remove", ("tasks", "fish"), {})]
    assert capsys.readouterr().out == "tasks: fish removed\n"


def test_remove_tells_that_the_base_is_active(monkeypatch, capsys):
    monkeypatch.setattr(store, "remove", lambda *_: True)
    assert _main("remove", "fish") == 0
    told = "tasks: fish removed, the base is active now\n"
    assert capsys.readouterr().out == told


def test_activate(stored, capsys, tmp_path):
    output = str(tmp_path / "now.tflite")
    assert _main("activate", "fish") == 0
    assert _main("activate", "fish", f"--output={output}") == 0
    assert stored == [
        ("activate", ("tasks", "fish"), {"output": None}),
        ("activate", ("tasks", "fish"), {"output": output}),
    ]
    assert capsys.readouterr().out == "tasks/active.tflite: fish\n" * 2


def test_activate_into_a_missing_folder(stored, capsys, tmp_path):
    output = str(tmp_path / "none" / "now.tflite")
    assert _main("activate", "fish", f"--output={output}") == 2
    assert stored == []
    assert "The folder of `--output` must exist." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: ACTION"),
        (["drop"], "invalid choice: 'drop'"),
        (["list"], "the following arguments are required: --store"),
        (["init", "--store=a"], "the following arguments are required: --base"),
        (["add", "--store=a"], "the following arguments are required: --patch"),
        (["remove", "--store=a"], "are required: NAME"),
        (["activate", "--store=a"], "are required: NAME"),
    ],
)
def test_bad_usage(capsys, words, message):
    with pytest.raises(SystemExit) as caught:
        cli.main(["store", *words])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err

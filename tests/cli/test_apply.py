"""`od-patch apply`: what it passes on and what it prints."""

from __future__ import annotations

import pytest

from object_detection_patch import cli, tflite

_DIGEST = "5e" * 32


@pytest.fixture(params=[True, False], ids=["verified", "not stated"])
def verified(request):
    return request.param


@pytest.fixture
def applied(calls, verified):
    result = tflite.Applied(
        file_bytes=10412332, sha256=_DIGEST, classes=37, verified=verified
    )
    calls.intercept(tflite, apply=result)
    return calls.made


def _main(output, *options):
    return cli.main(
        [
            *("apply", "--base=base.tflite", "--patch=task.patch"),
            f"--output={output}",
            *options,
        ]
    )


def test_the_defaults(applied, verified, tmp_path, capsys):
    output = str(tmp_path / "task.tflite")
    assert _main(output) == 0
    assert applied == [
        (
            "apply",
            ("base.tflite", "task.patch", output),
            {"sidecar": None, "require_signature": None, "trust_base": False},
        )
    ]
    how = "as the patch states" if verified else "not in the patch"
    assert capsys.readouterr().out == (
        f"{output}: 10,412,332 bytes, 37 classes\nSHA-256 {_DIGEST} ({how})\n"
    )


def test_the_size_is_told_where_it_is_known(calls, tmp_path, capsys):
    result = tflite.Applied(7, _DIGEST, 2, True, image_size=(64, 96))
    calls.intercept(tflite, apply=result)
    assert _main(tmp_path / "task.tflite") == 0
    assert "7 bytes, 2 classes, 64 x 96 pixels\n" in capsys.readouterr().out


def test_every_option(applied, tmp_path):
    options = ("--sidecar=a.odpatch", "--require_signature=pub.pem")
    assert _main(tmp_path / "task.tflite", *options, "--trust_base") == 0
    ((_, _, keywords),) = applied
    assert keywords == {
        "sidecar": "a.odpatch",
        "require_signature": "pub.pem",
        "trust_base": True,
    }


def test_a_missing_folder_is_refused_first(applied, tmp_path, capsys):
    assert _main(tmp_path / "none" / "task.tflite") == 2
    assert applied == []
    assert "The folder of `--output` must exist." in capsys.readouterr().err


def test_needs_numpy_alone(tmp_path, with_numpy_alone):
    """It gets as far as the first file that is not there."""
    output = tmp_path / "task.tflite"
    done = with_numpy_alone(
        *("apply", "--base", str(tmp_path / "base.tflite")),
        *("--patch", str(tmp_path / "task.patch"), "--output", str(output)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

"""Checks that several verbs share, as users meet them."""

from __future__ import annotations

import argparse
import os

import pytest

from object_detection_patch import patch_file
from object_detection_patch.cli import options


def test_every_encoding_is_offered():
    assert options.ENCODINGS == tuple(patch_file.ENCODINGS)


def test_count_takes_1_and_more():
    assert [options.count("1"), options.count("1000")] == [1, 1000]


@pytest.mark.parametrize("text", ["0", "-3"])
def test_count_refuses_less(text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        options.count(text)
    assert str(caught.value) == f"must be 1 or more. Received: {text}"


@pytest.mark.parametrize("text", ["", "1.5", "many"])
def test_count_refuses_what_is_no_number(text):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--images", type=options.count)
    with pytest.raises(argparse.ArgumentError, match="invalid count value"):
        parser.parse_args(["--images", text])


def test_a_folder_that_exists_passes(tmp_path, monkeypatch):
    options.require_folder(str(tmp_path / "new.patch"))
    monkeypatch.chdir(tmp_path)
    options.require_folder("new.patch")


def test_a_missing_folder_is_refused(tmp_path):
    output = str(tmp_path / "none" / "new.patch")
    with pytest.raises(ValueError) as caught:
        options.require_folder(output)
    assert str(caught.value) == (
        f"The folder of `--output` must exist. Received: {output!r}."
    )


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    # The superuser may write anywhere, so permissions alone prove nothing.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(ValueError, match="must be writable. Received: .*new"):
        options.require_folder(str(tmp_path / "new.patch"))

"""Miniature trees of the ten datasets, quirks included, built on demand."""

import importlib.util
import json
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def dataset_builder():
    """Maps a key to its module `<key>_fixture.py`, which has `build(root)`."""

    def load(key):
        return _load(_HERE / f"{key}_fixture.py")

    return load


@pytest.fixture(scope="session")
def pictures():
    """The module that encodes plain pictures in every format."""
    return _load(_HERE / "pictures.py")


@pytest.fixture(scope="session")
def expected():
    """Maps a key to what was written by hand from its specification."""

    def load(key):
        text = (_HERE / "expected" / f"{key}.json").read_text("utf-8")
        return json.loads(text)

    return load


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""The toy dataset, shared by all tests of the machinery."""

import argparse
import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def toys():
    """The module `toy_converter.py`."""
    path = Path(__file__).with_name("toy_converter.py")
    spec = importlib.util.spec_from_file_location("toy_converter", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def toy_data(toys, tmp_path):
    """Folder of a complete toy dataset."""
    return toys.write_toys(tmp_path / "toys")


@pytest.fixture
def make_toys(toys, toy_data):
    """Makes a converter for the toy dataset; arguments are its options."""

    def make(data_dir=toy_data, **options):
        return toys.ToyConverter(
            data_dir, argparse.Namespace(**({"width": 9} | options))
        )

    return make

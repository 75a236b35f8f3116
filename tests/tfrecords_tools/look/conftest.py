"""The module `handmade.py`, for the tests beside it."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def handmade():
    """Writes records byte by byte."""
    path = Path(__file__).with_name("handmade.py")
    spec = importlib.util.spec_from_file_location("handmade", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

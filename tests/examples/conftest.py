"""The examples as modules, and an image for the tiny detector to find."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
from types import ModuleType

import numpy as np
import pytest

_FOLDER = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def quarters() -> np.ndarray:
    """An image 32 x 48: red top left, a darker blue bottom right."""
    image = np.zeros([32, 48, 3], np.uint8)
    image[:16, :24, 0] = 255
    image[16:, 24:, 2] = 204
    return image


@pytest.fixture(scope="session")
def detect() -> ModuleType:
    """examples/detect.py as a module."""
    return _imported("detect")


@pytest.fixture(scope="session")
def train_on_device(detect) -> ModuleType:
    """examples/train_on_device.py as a module; it imports `detect`."""
    return _imported("train_on_device")


def _imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # As an import would: dataclasses look up their module by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

"""examples/detect.py, and an image whose colours the tiny detector finds."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
from types import ModuleType

import numpy as np
import pytest

DETECT = pathlib.Path(__file__).parents[2] / "examples/detect.py"


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
    spec = importlib.util.spec_from_file_location("detect", DETECT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # As an import would: dataclasses look up their module by name.
    sys.modules["detect"] = module
    spec.loader.exec_module(module)
    return module

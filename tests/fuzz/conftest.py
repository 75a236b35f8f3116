"""Lets the tests import `fuzz`, the folder that they lie in."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

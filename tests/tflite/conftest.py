"""Lets the tests import tiny_base.py and slow_apply.py beside them."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

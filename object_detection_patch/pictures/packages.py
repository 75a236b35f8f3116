"""Pillow and Matplotlib, imported when a picture is drawn."""

from __future__ import annotations

import importlib
from typing import Any


def pillow(module: str) -> Any:
    """The module of Pillow; ImportError names the extra that brings it."""
    return _imported("PIL", module, "Pillow")


def matplotlib(module: str) -> Any:
    """The module of Matplotlib; ImportError names the extra likewise."""
    return _imported("matplotlib", module, "Matplotlib")


def _imported(package: str, module: str, name: str) -> Any:
    try:
        return importlib.import_module(f"{package}.{module}")
    except ImportError as error:
        raise ImportError(
            f"Pictures need {name}: pip install 'object_detection_patch[train]'"
        ) from error

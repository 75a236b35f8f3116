"""What the verbs' tests share."""

from __future__ import annotations

import inspect
import os
import pathlib
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_WITH_NUMPY_ALONE = """
import importlib.abc, sys
class OnlyNumpy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        top = name.split(".")[0]
        known = {"numpy", "object_detection_patch"} | sys.stdlib_module_names
        if top not in known:
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
sys.meta_path.insert(0, OnlyNumpy())
from object_detection_patch import cli
"""
_RUN = "sys.exit(cli.main(sys.argv[1:]))"


@pytest.fixture(autouse=True)
def _environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    # `main` sets it where it is absent.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def with_numpy_alone() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs od-patch, or a script that finds `cli`, where numpy is all."""

    def run(
        *arguments: str, script: str = _RUN
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _WITH_NUMPY_ALONE + script, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
        )

    return run


class Calls:
    """Takes the place of functions and keeps how they were called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.made: list[tuple[str, tuple, dict[str, Any]]] = []

    def replace(self, module: str, **results: Any) -> None:
        """A stand-in for a module, each function of which returns a result."""
        stand_in = types.ModuleType(module)
        for function, result in results.items():
            setattr(stand_in, function, self._function(function, result))
        room, _, name = module.rpartition(".")
        # `from room import name` asks the room, which may need TensorFlow.
        stand_in_room = types.ModuleType(room)
        setattr(stand_in_room, name, stand_in)
        self._monkeypatch.setitem(sys.modules, room, stand_in_room)

    def intercept(self, module: types.ModuleType, **results: Any) -> None:
        """The same within a real module; calls must fit the real functions."""
        for name, result in results.items():
            signature = inspect.signature(getattr(module, name))
            self._monkeypatch.setattr(
                module, name, self._function(name, result, signature)
            )

    def _function(
        self, name: str, result: Any, signature: inspect.Signature | None = None
    ) -> Callable[..., Any]:
        def called(*arguments: Any, **keywords: Any) -> Any:
            if signature is not None:
                signature.bind(*arguments, **keywords)
            self.made.append((name, arguments, keywords))
            return result

        return called


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)

"""Patches of tasks whose adapters have much in common."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from object_detection_patch.adapters import write
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.patch_file import Patch, write_patch
from tests.adapters.patches_to_test import adapter_patch


@pytest.fixture(scope="session")
def make_patch() -> Callable[..., Patch]:
    return adapter_patch


@pytest.fixture
def make_family(tmp_path, make_patch) -> pathlib.Path:
    """A folder with one.patch, two.patch, and the family's files."""
    paths = []
    for seed, name in enumerate(("one", "two")):
        paths.append(str(tmp_path / f"{name}.patch"))
        write_patch(paths[-1], make_patch(seed))
    folder = tmp_path / "family"
    write.write_family(paths, RankRule(rank=2), str(folder))
    return folder

"""A config of the small world whose top block a device trains."""

from __future__ import annotations

import pathlib

import pytest


@pytest.fixture(scope="session")
def config(small_world) -> str:
    path = small_world.config(
        "shapes", "BN_PATCH", name="_on_device", batch_size=4
    )
    text = pathlib.Path(path).read_text(encoding="utf-8")
    patch = "part { mobile_tl { trainable_blocks: 1 } }"
    assert text.count("preset: BN_PATCH") == 1
    text = text.replace("preset: BN_PATCH", patch)
    pathlib.Path(path).write_text(text, encoding="utf-8")
    return path

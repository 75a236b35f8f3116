"""A routing base in C++: the bytes that Python makes."""

from __future__ import annotations

import pathlib

import pytest

from object_detection_patch.tflite import patcher

_EXPORT = pathlib.Path(__file__).parents[2] / "export"


@pytest.fixture
def files(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(_EXPORT))
    pytest.importorskip("ai_edge_litert")
    import tiny_mobile

    published = tiny_mobile.publish(monkeypatch, "float32", tiny_mobile.POLICY)
    patch = tiny_mobile.patch_bytes(
        tiny_mobile.routed_edits(["block_2"]), published
    )
    for name, data in (
        ("base", published.model),
        ("sidecar", published.sidecar_bytes),
        ("patch", patch),
    ):
        (tmp_path / name).write_bytes(data)
    return tmp_path, patcher.apply_bytes(
        published.model, published.sidecar_bytes, patch
    )


def test_a_policy_and_its_blocks_fill_their_slots(native, files):
    folder, wanted = files
    arguments = [
        part
        for name in ("base", "sidecar", "patch")
        for part in (f"--{name}", str(folder / name))
    ]
    found = native.run(*arguments, "--output", str(folder / "model"))
    assert (found.returncode, found.stderr) == (0, "")
    assert (folder / "model").read_bytes() == wanted

"""What `od-patch inspect` tells of a sidecar."""

from __future__ import annotations

import json

import pytest
import tiny_base

from object_detection_patch.tflite import inspection, sidecar_file


@pytest.fixture
def path(tmp_path):
    tiny = tiny_base.with_sizes(tiny_base.make("float16"))
    path = tmp_path / "base.odpatch"
    path.write_bytes(sidecar_file.to_bytes(tiny.sidecar))
    return path


def test_a_sidecar_with_sizes(path):
    described = inspection.describe(path)
    assert json.loads(json.dumps(described)) == described
    assert described["precision"] == "float16"
    assert described["total"] == path.stat().st_size
    assert described["image_size"] == [320, 320]
    first, second = described["sizes"]
    assert (first["image_size"], second["image_size"]) == ([160, 192], [96, 96])
    # Words of 8 bytes, and vectors of 8 and their contents.
    assert first["bytes"] == 48 + 3 * 8 + 8 + 8 + 8 + 4
    assert second["bytes"] == 48 + 3 * 8 + 8 + 16
    text = inspection.as_text(described)
    assert "\n320 x 320 pixels: base.tflite itself\n" in text
    assert f"160 x 192 pixels: released as {first['base_sha256']}, 3" in text


def test_a_sidecar_of_one_size(tmp_path):
    path = tmp_path / "base.odpatch"
    tiny = tiny_base.make("int8")
    path.write_bytes(sidecar_file.to_bytes(tiny.sidecar))
    described = inspection.describe(path)
    assert (described["image_size"], described["sizes"]) == (None, [])
    assert "pixels" not in inspection.as_text(described)


def test_which_files_are_sidecars(path, tmp_path):
    assert inspection.is_sidecar_file(path)
    (tmp_path / "other").write_bytes(b"\x89ODP\r\n\x1a\n")
    assert not inspection.is_sidecar_file(tmp_path / "other")

"""Publishing for tiny bases: what is written makes what is stated.

The oracle is the slow applier, which reads the file that was written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

import pytest
import slow_apply
import tiny_base

from object_detection_patch.export import release
from object_detection_patch.patch_file import (
    ENCODINGS,
    HALF,
    from_bytes,
    read_patch,
    to_bytes,
    write_patch,
)
from object_detection_patch.tflite import sidecar_file

_RANGES = ((0.25, 3), (0.5, -4), (0.125, 0), (2.0, 127))


class _Files:
    """Tiny bases in two precisions, and a patch for them, in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.output = folder / "released.patch"
        self.patch = folder / "task.patch"
        self.tiny = {}
        for precision in ("float32", "int8"):
            tiny = tiny_base.make(precision)
            self.tiny[precision] = tiny
            self.base(precision).write_bytes(tiny.model)
            self.base(precision).with_suffix(".odpatch").write_bytes(
                sidecar_file.to_bytes(tiny.sidecar)
            )
        write_patch(self.patch, tiny_base.patch_for(self.tiny["float32"]))

    def base(self, precision: str) -> pathlib.Path:
        return self.folder / f"{precision}.tflite"

    def publish(self, *precisions: str, **options):
        records = {}
        if "int8" in precisions:
            records = {
                "calibration": "images",
                "pipeline_config_path": "config",
                "checkpoint_dir": "checkpoint",
            }
        return release.publish(
            patch=str(self.patch),
            bases=[str(self.base(precision)) for precision in precisions],
            output=str(self.output),
            records=release.TaskRecords(**records),
            **options,
        )


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(
        release.publish_checks.runtime, "refuse_empty", lambda *_: None
    )
    monkeypatch.setattr(release.Task, "activations", lambda *_: _RANGES)
    return _Files(tmp_path)


@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_what_is_written_makes_what_is_stated(files, encoding):
    published = files.publish("float32", "int8", encoding=encoding)
    patch = read_patch(files.output)
    for result, precision in zip(
        published.results, ("float32", "int8"), strict=True
    ):
        tiny = files.tiny[precision]
        model = slow_apply.model_of(tiny.model, tiny.sidecar, patch)
        assert result.sha256 == hashlib.sha256(model).hexdigest()
        assert result.model_bytes == len(model)
        assert result.precision == precision
    stated = {one.base_sha256: one for one in patch.releases}
    assert stated[files.tiny["int8"].sidecar.base_sha256].activations == (
        _RANGES
    )


@pytest.mark.parametrize(
    ("stored", "usual"),
    [
        ("exact", "small"),
        ("half", "small"),
        ("small", "small"),
        ("compact", "compact"),
    ],
)
def test_a_compact_file_stays_one_unless_told_otherwise(files, stored, usual):
    patch = read_patch(files.patch)
    files.patch.write_bytes(to_bytes(patch, encoding=ENCODINGS[stored]))
    published = {}
    for encoding in (None, usual, "half"):
        files.publish("float32", encoding=encoding)
        published[encoding] = files.output.read_bytes()
    assert published[None] == published[usual] != published["half"]


def test_a_patch_of_another_size_is_published_for_it(files, monkeypatch):
    class Runtime:
        image_size = (320, 320)

        def __init__(self, model):
            pass

    monkeypatch.setattr(release.publish_checks.runtime, "Runtime", Runtime)
    exported = {}
    for precision, tiny in files.tiny.items():
        tiny = tiny_base.with_sizes(tiny)
        files.base(precision).with_suffix(".odpatch").write_bytes(
            sidecar_file.to_bytes(tiny.sidecar)
        )
        exported[precision] = tiny_base.at_size(tiny, tiny.sidecar.sizes[1])
    patch = dataclasses.replace(
        tiny_base.patch_for(files.tiny["float32"]),
        metadata={"training": {"image_size": [96, 96]}},
    )
    write_patch(files.patch, patch)
    published = files.publish("float32", "int8")
    assert "a model of 96 x 96 pixels, " in release.report(published)
    patch = read_patch(files.output)
    assert [one.base_sha256 for one in patch.releases] == [
        tiny.sidecar.base_sha256 for tiny in exported.values()
    ]
    for result, tiny in zip(published.results, exported.values(), strict=True):
        model = slow_apply.model_of(tiny.model, tiny.sidecar, patch)
        assert result.sha256 == hashlib.sha256(model).hexdigest()
        assert result.image_size == (96, 96)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_file_that_makes_another_model_is_not_written(
    files, monkeypatch, precision
):
    """As a writer would that encodes a second time otherwise."""
    written = []

    def to_other_bytes(patch, *, encoding, sign=None):
        written.append(patch)
        chosen = encoding if len(written) == 1 else HALF
        return to_bytes(patch, encoding=chosen, sign=sign)

    monkeypatch.setattr(release, "to_bytes", to_other_bytes)
    files.output.write_bytes(b"an older one")
    with pytest.raises(release.PublishError, match="the model that it states"):
        files.publish(precision, encoding="exact")
    assert len(written) == 2
    assert files.output.read_bytes() == b"an older one"


def test_a_range_that_was_written_wrongly_is_seen(files, monkeypatch):
    def other_ranges(data):
        read = from_bytes(data)
        for one in read.releases:
            object.__setattr__(one, "activations", one.activations[::-1])
        return read

    monkeypatch.setattr(release, "from_bytes", other_ranges)
    with pytest.raises(
        release.PublishError, match="SHA-256 .* for .*int8.tflite"
    ):
        files.publish("float32", "int8")
    assert not files.output.exists()


def test_an_unknown_encoding_is_refused_first(files):
    files.patch.unlink()
    with pytest.raises(release.PublishError, match="`encoding` must be one of"):
        files.publish("float32", encoding="tiny")


def test_the_report_states_every_result(files):
    published = files.publish("float32", "int8")
    first, *others = release.report(published).splitlines()
    size = files.output.stat().st_size
    assert first == f"{files.output}: {size:,} bytes, 3 classes, not signed."
    for line, result in zip(others, published.results, strict=True):
        assert line.startswith(f"{result.base} ({result.precision}) becomes")
        assert line.endswith(f"SHA-256 {result.sha256}")

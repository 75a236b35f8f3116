"""What is refused before anything is measured or applied."""

from __future__ import annotations

import os

import pytest
import tiny_base

from object_detection_patch.export import publish_checks
from object_detection_patch.export.errors import PublishError
from object_detection_patch.export.task import TaskRecords
from object_detection_patch.patch_file import (
    ENCODINGS,
    HALF,
    Encoding,
    LabelMapItem,
    Patch,
)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [*ENCODINGS.items(), (HALF, HALF)],
)
def test_an_encoding_by_name_or_as_it_is(choice, wanted):
    assert publish_checks.encoding_of(choice) is wanted


@pytest.mark.parametrize("choice", ["tiny", "", "Small", None, 8, ["small"]])
def test_another_encoding_is_one_clear_error(choice):
    with pytest.raises(PublishError) as caught:
        publish_checks.encoding_of(choice)
    assert str(caught.value) == (
        "`encoding` must be one of exact, half, small, compact, or an "
        f"Encoding of patch_file. Received: {choice!r}."
    )


def test_an_encoding_of_its_own_is_taken():
    own = Encoding(masks="zlib")
    assert publish_checks.encoding_of(own) is own


@pytest.mark.parametrize("given", ["base.tflite", "./base.tflite", "link"])
def test_the_output_is_no_input(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.tflite").write_bytes(b"")
    os.symlink("base.tflite", tmp_path / "link")
    inputs, records = ["task.patch", "base.tflite"], TaskRecords()
    with pytest.raises(PublishError, match="must not replace a file"):
        publish_checks.check_output(given, inputs, records)
    publish_checks.check_output("new.patch", inputs, records)


def test_the_output_is_no_record_and_no_config(tmp_path):
    shard = tmp_path / "eval.record-00000"
    shard.write_bytes(b"")
    config = str(tmp_path / "pipeline.config")
    records = TaskRecords(config, evaluation=str(tmp_path / "eval.record-*"))
    for given in (str(shard), config):
        with pytest.raises(PublishError, match="must not replace a file"):
            publish_checks.check_output(given, [], records)


@pytest.mark.parametrize(
    ("is_int8", "given", "absent"),
    [
        (True, {}, "--calibration_records, --checkpoint_dir, --pipeline"),
        (True, {"calibration": "a", "checkpoint_dir": "b"}, "--pipeline"),
        (False, {"evaluation": "a"}, "--pipeline_config_path"),
    ],
)
def test_what_is_needed_is_named(is_int8, given, absent):
    with pytest.raises(PublishError, match=f"Received: no {absent}"):
        publish_checks.check_records(TaskRecords(**given), is_int8)


def test_a_float_base_needs_nothing():
    publish_checks.check_records(TaskRecords(), False)


def test_a_patch_of_another_input_size(tiny_detector):
    model = tiny_detector()
    tiny = tiny_base.with_sizes(tiny_base.make("float32")).sidecar

    def chosen(size):
        patch = _patch_of_size(size)
        return publish_checks.size_of(patch, model, tiny, "base.tflite")

    assert chosen([8, 8]) is None
    assert chosen(None) is None
    assert chosen([160, 192]) is tiny.sizes[0]
    assert chosen([96, 96]) is tiny.sizes[1]
    with pytest.raises(PublishError) as caught:
        chosen([96, 64])
    assert str(caught.value).startswith(
        "A patch is published for a base of the input size that it was "
        "trained at, 96 x 64. Received: base.tflite of 8 x 8, 160 x 192, "
        "96 x 96; give that size"
    )


def test_a_base_is_given_once():
    publish_checks.check_once(["a", "b"], ["a.tflite", "b.tflite"])
    with pytest.raises(PublishError, match="given once"):
        publish_checks.check_once(["a", "a"], ["a.tflite", "b.tflite"])


def _patch_of_size(size):
    return Patch(
        "BN_PATCH",
        "0" * 64,
        (),
        (LabelMapItem(1, "red", ""),),
        {"training": {"image_size": size}},
    )

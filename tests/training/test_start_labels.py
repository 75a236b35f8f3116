"""Heads that know other classes are no start."""

from __future__ import annotations

import dataclasses

import pytest

from object_detection_patch.od_api import label_map, pipeline_config
from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    Replace,
    write_patch,
)
from object_detection_patch.training import start_labels

_FINGERPRINT = "ab" * 32


@pytest.fixture
def pipeline_starting_with(small_world, tmp_path):
    """A pipeline of stripes that starts with a patch of these labels."""

    def make(labels):
        path = tmp_path / "start.patch"
        edits = (Replace("class_head/kernel", [[1.0]]),)
        write_patch(path, Patch("X", _FINGERPRINT, edits, labels))
        config = small_world.config(
            "stripes",
            "BN_PATCH",
            name="_started",
            patch_options=f'init_from_patch: "{path}"',
        )
        return pipeline_config.read_pipeline(config)

    return make


@pytest.fixture
def own(small_world):
    path = str(small_world.files["stripes"].label_map)
    return tuple(LabelMapItem(*i) for i in label_map.read_label_map(path))


def test_its_own_classes_are(pipeline_starting_with, own):
    start_labels.check(pipeline_starting_with(own))


def test_as_many_others_are_refused(pipeline_starting_with, own):
    others = tuple(
        dataclasses.replace(item, name=f"zebra_{item.id}") for item in own
    )
    with pytest.raises(ValueError, match="1: zebra_1.*start.patch") as raised:
        start_labels.check(pipeline_starting_with(others))
    assert f"1: {own[0].name}" in str(raised.value)


def test_fewer_are_refused(pipeline_starting_with, own):
    with pytest.raises(ValueError, match="patch of its own classes"):
        start_labels.check(pipeline_starting_with(own[:-1]))


def test_without_a_start_there_is_nothing_to_check(small_world):
    config = small_world.config("stripes", "BN_PATCH")
    start_labels.check(pipeline_config.read_pipeline(config))

"""The input size in a patch's metadata, which may hold anything."""

import pytest

from object_detection_patch.patch_file import trained_size


def test_height_and_width():
    metadata = {"training": {"image_size": [128, 160], "steps": 3}}
    assert trained_size(metadata) == (128, 160)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"training": None},
        {"training": {}},
        {"training": {"image_size": 96}},
        {"training": {"image_size": [96]}},
        {"training": {"image_size": [96, 96, 3]}},
        {"training": {"image_size": [0, 96]}},
        {"training": {"image_size": [True, True]}},
        {"training": {"image_size": [96.0, 96]}},
        {"training": {"image_size": [96, 2**40]}},
    ],
)
def test_anything_else_is_none(metadata):
    assert trained_size(metadata) is None

"""Names that a signature takes."""

from __future__ import annotations

import pytest

from object_detection_patch.on_device import names


def test_other_characters_become_underscores():
    assert names.signature_names(["tower/conv@2/kernel"]) == {
        "tower/conv@2/kernel": "tower_conv_2_kernel"
    }


@pytest.mark.parametrize(
    "stable", [["a/b", "a_b"], ["steps"], ["base/fingerprint"]]
)
def test_names_that_would_be_one_are_refused(stable):
    with pytest.raises(ValueError, match="must differ in letters and digits"):
        names.signature_names(stable)

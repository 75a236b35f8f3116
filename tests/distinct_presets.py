"""Presets that train different things, for tests that build detectors."""

from __future__ import annotations

from typing import Any

import pytest

from object_detection_patch.methods import presets

# They differ from LAST_2, SPOTTUNE, FINE_TUNING, PARALLEL_ADAPTERS and BN_PATCH
# in options, which have tests of their own in tests/methods/.
_ALIKE = (
    "FEATURE_EXTRACTOR",
    "LAST_1",
    "LAST_3",
    "STOCHASTIC_FINE_TUNING",
    "RANDOM_POLICY",
    "L2_SP",
    "LOW_RANK_ADAPTERS",
    "SPOTTUNE_GLOBAL",
    "ALWAYS_TUNED",
    "BN_STATISTICS",
    "BIAS_ONLY",
)
DISTINCT_PRESETS = [
    name for name in presets.preset_names() if name not in _ALIKE
]
ROUTED_PRESETS = ["SPOTTUNE", "ROUTED_SPOTPATCH"]
_TYPICAL = ("SPOTPATCH", "FINE_TUNING", "SERIES_ADAPTERS", "COMPACT")


def typical_first(names: list[str]) -> list[Any]:
    """Parameters of a test that takes long: the default run has four."""
    return [
        name if name in _TYPICAL else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]

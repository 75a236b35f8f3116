"""The MobileTL paper's printed figures, from the definitions of its blocks."""

from __future__ import annotations

import pytest

from object_detection_patch.profiling import blocks, costs

_TABLE_1 = (8, 7, 7, 96)
_MAP = 8 * 7 * 7 * 96
_BLOCKS = {
    "vanilla": blocks.vanilla(_TABLE_1),
    "v2": blocks.mobilenet_v2(_TABLE_1, expansion=1),
    "v2_relu": blocks.mobilenet_v2(_TABLE_1, expansion=1, activation="relu"),
    "v3": blocks.mobilenet_v3(_TABLE_1, expansion=1),
}


def _sum(network):
    return costs.in_sum(costs.by_layer(network, slots=2))


@pytest.mark.parametrize(
    ("block", "printed"), [("vanilla", 230592), ("v2", 21408), ("v3", 26136)]
)
def test_parameters_are_those_of_table_1(block, printed):
    assert _sum(_BLOCKS[block]).parameters == printed
    assert _sum(_BLOCKS[block]).trained_parameters == printed


@pytest.mark.parametrize(
    ("block", "printed"), [("vanilla", 541.67), ("v2", 51.56), ("v3", 52.91)]
)
def test_flops_are_within_half_a_percent_of_table_1(block, printed):
    assert _sum(_BLOCKS[block]).flops / 1e6 == pytest.approx(printed, rel=5e-3)


def test_the_vanilla_figure_is_its_convolution_and_two_operations_more():
    """Why ours is larger: the paper leaves nearly nothing for BatchNorm."""
    rows = costs.by_layer(_BLOCKS["vanilla"], slots=2)
    (convolution,) = (row for row in rows if row.name == "convolution")
    assert round((convolution.flops + 2 * _MAP) / 1e6, 2) == 541.67


@pytest.mark.parametrize(
    ("block", "printed"),
    [("vanilla", 0.306), ("v2_relu", 0.913), ("v3", 1.362)],
)
def test_kept_megabytes_are_those_of_table_1(block, printed):
    assert round(_sum(_BLOCKS[block]).kept_bytes / 1e6, 3) == printed


def test_relu6_keeps_a_bit_more_than_table_1_has():
    """Two activations, one bit more an element: Table 2 against Table 1."""
    more = _sum(_BLOCKS["v2"]).kept_bytes - _sum(_BLOCKS["v2_relu"]).kept_bytes
    assert more == 2 * _MAP / 8


@pytest.mark.parametrize(
    ("block", "printed"),
    [(blocks.mobilenet_v2, 46.3), (blocks.mobilenet_v3, 53.3)],
)
def test_mobile_tl_saves_what_figure_1_says(block, printed):
    before, after = (
        _sum(block(_TABLE_1, expansion=6, mobile_tl=on)).kept_bytes
        for on in (False, True)
    )
    assert round(100 * (1 - after / before), 1) == printed


def test_what_mobile_tl_keeps_counted_by_hand():
    """Two block maps, the inputs of two convolutions, a bit for each mask."""
    small, large = _MAP, 6 * _MAP
    kept = _sum(
        blocks.mobilenet_v2(_TABLE_1, expansion=6, mobile_tl=True)
    ).kept_bytes
    assert kept == 4 * (2 * small + 2 * large) + 2 * large // 8


def test_under_mobile_tl_no_normalisation_inside_keeps_anything():
    rows = costs.by_layer(
        blocks.mobilenet_v2(_TABLE_1, expansion=6, mobile_tl=True), slots=2
    )
    kept = {row.name: row.kept_bytes for row in rows}
    assert kept["expand_norm"] == kept["depthwise_norm"] == 0
    assert kept["project_norm"] == 4 * _MAP
    trained = {row.name: row.trained_parameters for row in rows}
    assert trained["expand_norm"] == trained["depthwise_norm"] == 6 * 96
    assert trained["project_norm"] == 2 * 96

"""The papers' methods: which parts, and what each costs."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from object_detection_patch import methods
from object_detection_patch.footprint import nominal_footprint
from object_detection_patch.methods import presets
from object_detection_patch.protos import patch_pb2

# The small model of conftest.py, counted by hand.
_STEM, _DW, _PW = 3 * 3 * 3 * 5, 2 * 2 * 5, 5 * 6
_TOWER_DW, _TOWER_PW = 2 * 2 * 6, 6 * 4
_KERNELS = _STEM + _DW + _PW + _TOWER_DW + _TOWER_PW
_NORMS = 2 * (5 + 6 + 4)
_BIASES = 5 + 5 + 4
_WHOLE = 3 * 5 + 5 * 6 + 6 * 4
_LOW_RANK = 3 * 5 + 4 * (5 + 6) + 4 * (6 + 4)
_BEHIND = 5 * 5 + 6 * 6 + 4 * 4
_HEAD = 16 * 3 + 3

# Preset -> (mask bits, numbers, kernels with a mask).
_COSTS = {
    "SPOTPATCH": (_KERNELS, 5 + _NORMS, 5),
    "WEIGHTTRANS": (_KERNELS, 3 * 5 + _NORMS, 5),
    "PIGGYBACK": (_KERNELS, 0, 5),
    "BN_PATCH": (0, _NORMS, 0),
    "DW_PATCH": (0, _DW + _TOWER_DW, 0),
    "BN_DW_PATCH": (0, _NORMS + _DW + _TOWER_DW, 0),
    "TOWER_PATCH": (0, _TOWER_DW + _TOWER_PW + 4 + 2 * 4, 0),
    "FINE_TUNING": (0, _KERNELS + _BIASES + _NORMS, 0),
    "PARALLEL_ADAPTERS": (0, _WHOLE + _NORMS, 0),
    "SERIES_ADAPTERS": (0, _BEHIND + _NORMS, 0),
    "L2_SP": (0, _KERNELS + _BIASES + _NORMS, 0),
    "LOW_RANK_ADAPTERS": (0, _LOW_RANK + _NORMS, 0),
    "COMPACT": (_KERNELS, 5 + _NORMS, 5),
    "SCALE_BIAS_ONLY": (0, _NORMS, 0),
    "BN_STATISTICS": (0, _NORMS, 0),
    "BIAS_ONLY": (0, _NORMS, 0),
}
# Of a backbone with blocks: test_block_tuning.py, test_instance_routing.py,
# test_mobile_tl.py.
_OF_BLOCKS = (
    "SPOTTUNE",
    "ROUTED_SPOTPATCH",
    "FEATURE_EXTRACTOR",
    "LAST_1",
    "LAST_2",
    "LAST_3",
    "STOCHASTIC_FINE_TUNING",
    "RANDOM_POLICY",
    "SPOTTUNE_GLOBAL",
    "ALWAYS_TUNED",
    "MOBILE_TL",
)


def _patch(text):
    return text_format.Parse(text, patch_pb2.Patch())


def _arms(text):
    parts = presets.resolve_parts(_patch(text))
    return [part.WhichOneof("part") for part in parts]


def test_every_preset_of_the_proto_is_here():
    names = [n for n in patch_pb2.Preset.keys() if n != "NO_PRESET"]
    assert presets.preset_names() == names
    assert set(names) == {*_COSTS, *_OF_BLOCKS}


@pytest.mark.parametrize("preset", _COSTS)
def test_the_footprint_is_the_hand_count(preset, small_hosts):
    patch = methods.build(presets.patch_config(preset), small_hosts)
    heads = [head.name for head in small_hosts.heads]
    found = nominal_footprint(patch.edits(gates="open"), uncounted=heads)
    bits, numbers, masks = _COSTS[preset]
    assert found.mask_bits == bits
    assert found.float_values == numbers
    assert found.open_kernels == masks
    assert found.class_head_values == _HEAD
    assert found.nominal_bits(32) == bits + 32 * numbers
    assert found.nominal_bits(8) == bits + 8 * numbers


def test_parts_of_the_presets():
    assert _arms("preset: SPOTPATCH") == ["binary_mask", "batch_norm"]
    assert _arms("preset: WEIGHTTRANS") == ["weight_transform", "batch_norm"]
    assert _arms("preset: BN_DW_PATCH") == ["batch_norm", "depthwise"]


def test_a_part_beside_a_preset_takes_the_place_of_its_part():
    config = _patch(
        "preset: SPOTPATCH part { binary_mask { lambda_sps: 0.5 } }"
    )
    parts = presets.resolve_parts(config)
    assert [p.WhichOneof("part") for p in parts] == [
        "binary_mask",
        "batch_norm",
    ]
    assert parts[0].binary_mask.lambda_sps == 0.5
    assert parts[0].binary_mask.gate_rate == pytest.approx(0.1)
    assert presets.method_name(config) == "SPOTPATCH"


def test_options_of_a_preset_stay_where_none_is_written():
    config = _patch(
        "preset: SERIES_ADAPTERS part { residual_adapter { rank: 2 } }"
    )
    adapter = presets.resolve_parts(config)[0].residual_adapter
    assert adapter.topology == patch_pb2.ResidualAdapter.SERIES
    assert adapter.rank == 2
    written = "part { residual_adapter { topology: PARALLEL } }"
    config = _patch(f"preset: SERIES_ADAPTERS {written}")
    adapter = presets.resolve_parts(config)[0].residual_adapter
    assert adapter.topology == patch_pb2.ResidualAdapter.PARALLEL


def test_the_presets_of_the_spotpatch_paper():
    others = set(presets.preset_names()) - set(presets.spotpatch_names())
    assert others == {
        "PARALLEL_ADAPTERS",
        "SERIES_ADAPTERS",
        "L2_SP",
        "LOW_RANK_ADAPTERS",
        "COMPACT",
        "SCALE_BIAS_ONLY",
        "BN_STATISTICS",
        "BIAS_ONLY",
        *_OF_BLOCKS,
    }


def test_another_part_beside_a_preset_is_added():
    text = "preset: BN_PATCH part { depthwise {} }"
    assert _arms(text) == ["batch_norm", "depthwise"]


def test_parts_alone_make_a_patch_named_after_them():
    config = _patch("part { depthwise {} } part { batch_norm {} }")
    assert presets.method_name(config) == "depthwise+batch_norm"
    methods.check(config)


def test_resolving_leaves_the_config_alone():
    config = _patch("preset: SPOTPATCH part { binary_mask {} }")
    before = config.SerializeToString()
    presets.resolve_parts(config)
    assert config.SerializeToString() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            r"needs a `preset` \(SPOTPATCH, .*or at least one `part`.*neither",
        ),
        ("preset: NO_PRESET", "Received: neither"),
        (
            "preset: SPOTPATCH part {}",
            r"must hold one of binary_mask, .*Received: an empty part",
        ),
        (
            "part { depthwise {} } part { depthwise {} }",
            r"may be written once\. Received: `depthwise` twice",
        ),
    ],
)
def test_a_config_without_clear_parts_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as error:
        methods.check(_patch(text))
    assert "[object_detection_patch.patch]" in str(error.value)


@pytest.mark.parametrize("name", ["spotpatch", "NO_PRESET", "", "LORA"])
def test_an_unknown_preset_is_refused(name):
    with pytest.raises(
        ValueError,
        match=r"must be one of SPOTPATCH, .*BIAS_ONLY\. "
        rf"Received: '{name}'",
    ):
        presets.patch_config(name)

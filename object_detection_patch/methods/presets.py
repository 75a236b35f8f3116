"""The papers' named methods as sets of parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from object_detection_patch.protos import patch_pb2

PRESETS: dict[int, tuple[str, ...]] = {
    patch_pb2.SPOTPATCH: ("binary_mask", "batch_norm"),
    patch_pb2.WEIGHTTRANS: ("weight_transform", "batch_norm"),
    patch_pb2.PIGGYBACK: ("piggyback",),
    patch_pb2.BN_PATCH: ("batch_norm",),
    patch_pb2.DW_PATCH: ("depthwise",),
    patch_pb2.BN_DW_PATCH: ("batch_norm", "depthwise"),
    patch_pb2.TOWER_PATCH: ("tower",),
    patch_pb2.FINE_TUNING: ("fine_tuning",),
    patch_pb2.PARALLEL_ADAPTERS: ("residual_adapter", "batch_norm"),
    patch_pb2.SERIES_ADAPTERS: ("residual_adapter", "batch_norm"),
    patch_pb2.SPOTTUNE: ("fine_tuning", "instance_routing"),
    patch_pb2.ROUTED_SPOTPATCH: (
        "binary_mask",
        "batch_norm",
        "instance_routing",
    ),
    patch_pb2.FEATURE_EXTRACTOR: ("block_tuning",),
    patch_pb2.LAST_1: ("block_tuning",),
    patch_pb2.LAST_2: ("block_tuning",),
    patch_pb2.LAST_3: ("block_tuning",),
    patch_pb2.STOCHASTIC_FINE_TUNING: ("block_tuning",),
    patch_pb2.RANDOM_POLICY: ("fine_tuning", "instance_routing"),
    patch_pb2.L2_SP: ("fine_tuning",),
    patch_pb2.LOW_RANK_ADAPTERS: ("residual_adapter", "batch_norm"),
    patch_pb2.SPOTTUNE_GLOBAL: ("fine_tuning", "instance_routing"),
    patch_pb2.ALWAYS_TUNED: ("fine_tuning", "instance_routing"),
    patch_pb2.COMPACT: ("binary_mask", "batch_norm"),
    patch_pb2.SCALE_BIAS_ONLY: ("batch_norm",),
    patch_pb2.BN_STATISTICS: ("batch_norm",),
    patch_pb2.MOBILE_TL: ("mobile_tl",),
    patch_pb2.BIAS_ONLY: ("batch_norm",),
}


def _blocks(**options: Any) -> patch_pb2.Part:
    return patch_pb2.Part(block_tuning=patch_pb2.BlockTuning(**options))


def _routing(**options: Any) -> patch_pb2.Part:
    return patch_pb2.Part(instance_routing=patch_pb2.InstanceRouting(**options))


# What a preset's part is given where that is not the default.
_OPTIONS: dict[int, patch_pb2.Part] = {
    patch_pb2.SERIES_ADAPTERS: patch_pb2.Part(
        residual_adapter=patch_pb2.ResidualAdapter(
            topology=patch_pb2.ResidualAdapter.SERIES
        )
    ),
    patch_pb2.FEATURE_EXTRACTOR: _blocks(neck=False),
    patch_pb2.LAST_1: _blocks(last=1),
    patch_pb2.LAST_2: _blocks(last=2),
    patch_pb2.LAST_3: _blocks(last=3),
    patch_pb2.STOCHASTIC_FINE_TUNING: _blocks(share=0.5),
    patch_pb2.RANDOM_POLICY: _routing(choice=patch_pb2.InstanceRouting.RANDOM),
    patch_pb2.L2_SP: patch_pb2.Part(
        fine_tuning=patch_pb2.FineTuning(lambda_sp=0.01)
    ),
    patch_pb2.LOW_RANK_ADAPTERS: patch_pb2.Part(
        residual_adapter=patch_pb2.ResidualAdapter(rank=4)
    ),
    # SpotTune, Section 4.2.1.
    patch_pb2.SPOTTUNE_GLOBAL: _routing(global_blocks=3),
    patch_pb2.ALWAYS_TUNED: _routing(
        choice=patch_pb2.InstanceRouting.ALWAYS_TUNED
    ),
    patch_pb2.BN_STATISTICS: patch_pb2.Part(
        batch_norm=patch_pb2.BatchNorm(statistics_only=True)
    ),
    patch_pb2.BIAS_ONLY: patch_pb2.Part(
        batch_norm=patch_pb2.BatchNorm(shift_only=True)
    ),
}


# RESULTS.md, Smaller files.
_GRIDS = {
    patch_pb2.COMPACT: patch_pb2.Grid(batch_norm_bits=5, head_bits=4),
}

_HEADS_FROZEN = (patch_pb2.SCALE_BIAS_ONLY,)


def preset_names() -> list[str]:
    """Every preset, in the order of the proto."""
    return [patch_pb2.Preset.Name(number) for number in PRESETS]


def spotpatch_names() -> list[str]:
    """The presets that the SpotPatch paper compares, in the same order."""
    return [
        patch_pb2.Preset.Name(number)
        for number in PRESETS
        if number <= patch_pb2.FINE_TUNING
    ]


def patch_config(preset: str) -> patch_pb2.Patch:
    """The `Patch` message of a preset, by name.

    Raises:
      ValueError: for a name that is no preset.
    """
    if preset not in preset_names():
        raise ValueError(
            f"A preset must be one of {', '.join(preset_names())}. "
            f"Received: {preset!r}."
        )
    return patch_pb2.Patch(preset=patch_pb2.Preset.Value(preset))


def method_name(config: patch_pb2.Patch) -> str:
    """The preset's name, or the parts joined by '+'."""
    if config.preset in PRESETS:
        return patch_pb2.Preset.Name(config.preset)
    return "+".join(part.WhichOneof("part") for part in resolve_parts(config))


def grid(config: patch_pb2.Patch) -> patch_pb2.Grid:
    """The preset's grid, with what is written beside it."""
    found = patch_pb2.Grid()
    found.MergeFrom(_GRIDS.get(config.preset, found))
    found.MergeFrom(config.grid)
    return found


def freezes_heads(config: patch_pb2.Patch) -> bool:
    """Whether heads keep the numbers they start with."""
    if config.HasField("freeze_heads"):
        return config.freeze_heads
    return config.preset in _HEADS_FROZEN


def resolve_parts(config: patch_pb2.Patch) -> list[patch_pb2.Part]:
    """The parts of a patch: the preset's, then those written beside it.

    A part written beside a preset takes the place of the preset's part of the
    same kind, whose options stay where none is written.

    Raises:
      ValueError: for a patch without parts, an empty part, or a part that is
        written twice.
    """
    written = {}
    for part in config.part:
        arm = part.WhichOneof("part")
        if arm is None:
            raise ValueError(
                "Each `part` must hold one of "
                f"{', '.join(_arms())}. Received: an empty part "
                "(pipeline.config, [object_detection_patch.patch])."
            )
        if arm in written:
            raise ValueError(
                f"Each kind of part may be written once. Received: `{arm}` "
                "twice (pipeline.config, [object_detection_patch.patch])."
            )
        written[arm] = part
    arms = list(PRESETS.get(config.preset, ()))
    arms += [arm for arm in written if arm not in arms]
    if not arms:
        raise ValueError(
            "A patch needs a `preset` "
            f"({', '.join(preset_names())}) or at least one `part`. Received: "
            "neither (pipeline.config, [object_detection_patch.patch])."
        )
    return [_part(config.preset, arm, written.get(arm)) for arm in arms]


def _part(
    preset: int, arm: str, written: patch_pb2.Part | None
) -> patch_pb2.Part:
    part = patch_pb2.Part()
    getattr(part, arm).SetInParent()
    given = _OPTIONS.get(preset)
    if given is not None and given.WhichOneof("part") == arm:
        part.MergeFrom(given)
    if written is not None:
        part.MergeFrom(written)
    return part


def _arms() -> Iterable[str]:
    oneof = patch_pb2.Part.DESCRIPTOR.oneofs_by_name["part"]
    return [field.name for field in oneof.fields]

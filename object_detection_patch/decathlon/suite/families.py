"""Residual adapters, SpotTune and its rivals, beside the paper's methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from object_detection_patch.decathlon.suite.runs import (
    COMPRESSED_METHOD,
    JOINT_SVD,
    SVD,
)
from object_detection_patch.decathlon.suite.suite import (
    Compressed,
    Families,
    Family,
    SuiteTask,
)

ADAPTERS = ("PARALLEL_ADAPTERS", "SERIES_ADAPTERS", "LOW_RANK_ADAPTERS")
# Half of the channels (Rebuffi et al., Section 3.4).
_SHARE = 0.5
# Without a label three blocks train. `exact` fine-tunes them as they are.
_BLOCKS = {
    "blocks_1": "trainable_blocks: 1",
    "blocks_6": "trainable_blocks: 6",
    "exact_1": "trainable_blocks: 1 approximate: false",
    "exact_3": "trainable_blocks: 3 approximate: false",
    "exact_6": "trainable_blocks: 6 approximate: false",
}
MASKED = "ROUTED_SPOTPATCH"
"""SPOTPATCH whose images choose blocks: it is given SPOTPATCH's options."""

# Rebuffi et al., Section 4.1, name data sets; their sizes are in Table 1. Of
# more than 30,000 images and less than 40,000 it has none.
_SMALL_DATA, _MEDIUM_DATA = 7_000, 30_000


def families(
    tasks: Sequence[SuiteTask],
    rates: Mapping[str, float],
    *,
    masks: str,
    tried: Mapping[str, tuple[float, ...]] | None = None,
    tuned_on: Sequence[str] = (),
) -> Families:
    """The families on these tasks.

    Args:
      tasks: near, middle and far.
      rates: method -> learning rate, the same for all tasks.
      masks: options of SPOTPATCH in the same suite.
      tried: method -> rates to choose from.
      tuned_on: keys of tasks to choose them on.
    """
    return Families(
        tasks=tuple(task.key for task in tasks),
        methods={
            name: _family(name, rate, tasks, masks)
            for name, rate in rates.items()
        },
        rates=tried or {},
        tuned_on=tuple(tuned_on),
        variants={
            "MOBILE_TL": {
                label: f"  part {{ mobile_tl {{ {blocks} }} }}\n"
                for label, blocks in _BLOCKS.items()
            }
        },
        compressed={
            SVD: _compressed(rates, tasks, ""),
            # The shared factor stays shared while a task trains on.
            JOINT_SVD: _compressed(rates, tasks, "left_only: true "),
        },
    )


def decay(images: int) -> str:
    """The weight decay of adapters by training images: 0.002, 0.0005, 0.0001.

    Returns:
      A value of `residual_adapter.decay` (protos/patch.proto).
    """
    if images <= _SMALL_DATA:
        return "SMALL_DATA"
    return "MEDIUM_DATA" if images <= _MEDIUM_DATA else "LARGE_DATA"


def _family(
    name: str, rate: float, tasks: Sequence[SuiteTask], masks: str
) -> Family:
    if name in ADAPTERS:
        return Family(rate=rate, options_of=_adapters(tasks))
    return Family(rate=rate, options=masks if name == MASKED else "")


def _compressed(
    rates: Mapping[str, float], tasks: Sequence[SuiteTask], more: str
) -> Compressed:
    return Compressed(
        rate=rates[COMPRESSED_METHOD],
        options_of=_adapters(tasks, more),
        share=_SHARE,
    )


def _adapters(tasks: Sequence[SuiteTask], more: str = "") -> dict[str, str]:
    """Key of a task -> options of its adapters."""
    return {
        task.key: "  part { residual_adapter { decay: "
        f"{decay(task.train_images)} {more}}} }}\n"
        for task in tasks
    }

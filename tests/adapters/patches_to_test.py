"""A patch of a task whose adapters have much in common with others'."""

from __future__ import annotations

import numpy as np

from object_detection_patch.patch_file import (
    AddAtCentre,
    LabelMapItem,
    MixOutputs,
    Patch,
    Replace,
    ScaleOffset,
)

# Target -> (in, out) of the kernel; the first has too few channels to shrink.
KERNELS = {
    "backbone/stem/kernel": (1, 12),
    "backbone/square/kernel": (10, 10),
    "fpn/wide/kernel": (8, 20),
    "fpn/narrow/kernel": (20, 8),
}
BASE = "ab" * 32
COMMON_RANK = 2


def adapter_patch(
    seed: int, topology: str = "PARALLEL", noise: float = 0.01
) -> Patch:
    """Without noise, all seeds have one right factor in common."""
    own, common = np.random.default_rng(seed), np.random.default_rng(99)
    kind = AddAtCentre if topology == "PARALLEL" else MixOutputs
    adapters = []
    for target, (inputs, outputs) in KERNELS.items():
        rows = inputs if topology == "PARALLEL" else outputs
        right = common.standard_normal((COMMON_RANK, outputs))
        left = own.standard_normal((rows, COMMON_RANK))
        rest = own.standard_normal((rows, outputs))
        adapters.append(kind(target, left @ right + noise * rest))
    return Patch(
        f"{topology}_ADAPTERS",
        BASE,
        (
            *adapters,
            ScaleOffset("backbone/bn", own.random(3), own.random(3)),
            Replace("class_head/b/kernel", own.random((2, 5))),
            Replace("class_head/b/bias", own.random(5)),
        ),
        (LabelMapItem(1, "cat", "Cat"),),
        {
            "nominal_bits": 1,
            "uncounted": ["class_head/b/bias", "class_head/b/kernel"],
        },
    )

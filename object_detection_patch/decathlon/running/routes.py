"""mAP of a model whose images choose their blocks, and what they choose."""

from __future__ import annotations

import pathlib
from typing import Any

from object_detection_patch.decathlon.running import accuracy
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.record import (
    Accuracy,
    BlockShare,
    Routing,
)
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.od_api import repeatable
from object_detection_patch.patch_file import Patch
from object_detection_patch.patch_file.edits import POLICY_PREFIX
from object_detection_patch.training import block_use


def is_routed(patch: Patch) -> bool:
    """Whether each image chooses its blocks, by a policy in the patch."""
    return any(edit.target.startswith(POLICY_PREFIX) for edit in patch.edits)


def measure(
    folder: Folder, run: Run, model: Any, picture: pathlib.Path
) -> tuple[Accuracy, Routing]:
    """Evaluates a trained model twice: as its images choose, and always tuned.

    The second is SpotTune's "running fine-tuned blocks" (Table 2). Afterwards
    the model has the task's blocks alone.

    Args:
      model: patched SSD, every variable restored.
      picture: see `accuracy.in_keras`.
    """
    router = block_use.require_router(model.patch)
    # Of a random policy: the same coins each time.
    with repeatable.repeatable(run.seed), router.watched() as seen:
        chosen = accuracy.in_keras(folder, run.task, model, picture)
    router.detach()
    tuned = accuracy.in_keras(folder, run.task, model)
    return chosen, _routing(block_use.gathered(router, seen), tuned)


def decided(method: Any, images: int) -> Routing | None:
    """Of a patch whose images all take the same blocks, or None."""
    use = block_use.decided_use(method, images)
    return _routing(use, None) if use else None


def _routing(use: block_use.BlockUse, tuned: Accuracy | None) -> Routing:
    return Routing(
        blocks=tuple(
            BlockShare(name=name, share=share)
            for name, share in zip(use.blocks, use.shares, strict=True)
        ),
        histogram=use.histogram,
        always_tuned=tuned,
    )

"""A suite whose adapters are compressed, and patches that its runs left."""

from __future__ import annotations

from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import (
    Compressed,
    Families,
    Family,
)
from object_detection_patch.patch_file import Patch, write_patch
from tests.adapters.patches_to_test import adapter_patch
from tests.decathlon.suite.suites_to_test import suite

SHARE = 0.5

SUITE = suite(
    families=Families(
        tasks=("birds", "coco"),
        methods={"PARALLEL_ADAPTERS": Family(rate=1e-2)},
        compressed={
            name: Compressed(rate=1e-2, share=SHARE)
            for name in ("svd", "joint_svd")
        },
    )
)
RUNS = {
    (run.task.key, run.variant): run
    for run in runs.select(SUITE, experiments=["families"])
}


def leave_patches(folder: Folder) -> dict[str, Patch]:
    """As the runs on both tasks would; task -> patch."""
    patches = {}
    for seed, task in enumerate(("birds", "coco")):
        path = folder.run_patch(_run(task))
        path.parent.mkdir(parents=True)
        patches[task] = adapter_patch(seed, noise=1.0)
        write_patch(path, patches[task])
    return patches


def _run(task: str) -> Run:
    return RUNS[task, ""]

"""Several tasks on one base, trained together; a record for each of them."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

from object_detection_patch.decathlon.running import datasets, keeping
from object_detection_patch.decathlon.running import plan as plans
from object_detection_patch.decathlon.running import record as records
from object_detection_patch.decathlon.running.folder import (
    Folder,
    FolderError,
    empty_unless,
)
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import Suite


def make_runs(
    folder: Folder, suite: Suite, run: Run, *, tpu: str | None = None
) -> int:
    """Trains the tasks of a run together; measures those without a result.

    Each gets a record, also if it fails; a training that has ended is not
    trained again for it.

    Args:
      tpu: must be None.

    Returns:
      The exit code: 0 also if all have results.

    Raises:
      FolderError: for a result whose configuration was another, without the
        data or the base, and for a TPU.
      RecordError: for a record that is not whole.
    """
    lacking = [
        one
        for one in run.of_training
        if not _has_result(plans.held_record(folder, suite, one))
    ]
    if not lacking:
        print(f"{run.training_id} has its results.")
        return 0
    _refuse_tpu(run, tpu)
    for one in run.of_training:
        datasets.require_records(folder, suite, one.task)
    base = plans.require_base(folder, suite, run.base)
    phases = Phases()
    try:
        report = _train(folder, suite, run, base.fingerprint, phases)
    except Exception as failure:  # Whatever it was: the rest is to go on.
        traceback.print_exc()
        for one in lacking:
            keeping.keep_run(
                folder, suite, one, phases, None, _sentence(failure)
            )
        return keeping.FAILED
    return _keep(folder, suite, lacking, report, phases)


def _train(
    folder: Folder, suite: Suite, run: Run, fingerprint: str, phases: Phases
) -> dict[str, Any]:
    """Returns the report of the training; see `multi_task.result`."""
    first, work = run.of_training[0], folder.training_work(run)
    identity = f"{runs_lib.config_sha256(suite, first)} on {fingerprint}"
    empty_unless(work, identity)
    with phases.phase("start"):
        from object_detection_patch.decathlon.running import training
    configs = []
    for one in run.of_training:
        # Tasks of a joint training have the names of their configs.
        configs.append(str(work / f"{one.task.key}.config"))
        training.write_run_config(folder, one, configs[-1])
    with phases.phase("train"):
        report = training.train_jointly(
            configs,
            str(work / "train"),
            private=run.together.private if run.together else None,
            seed=run.seed,
        )
    plans.refuse_other_base(folder, run.base, report["started_from"])
    return report


def _keep(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    report: dict[str, Any],
    phases: Phases,
) -> int:
    """Measures runs of one training, one by one; returns the exit code."""
    code = 0
    for run in runs:
        own = phases.part(len(run.of_training))
        outcome, error = None, _why_stopped(run, report)
        if error is None:
            try:
                outcome = _outcome(folder, run, report, own)
            except Exception as failure:  # The others are to go on.
                traceback.print_exc()
                error = _sentence(failure)
        keeping.keep_run(folder, suite, run, own, outcome, error)
        code = code if error is None else keeping.FAILED
    return code


def _outcome(
    folder: Folder, run: Run, report: dict[str, Any], phases: Phases
) -> records.Outcome:
    from object_detection_patch.decathlon.running import measuring

    return measuring.joint_outcome(
        folder, run, phases, began_with=report["started_from"]
    )


def _why_stopped(run: Run, report: dict[str, Any]) -> str | None:
    step = report["tasks"][run.task.key]["stopped_at"]
    if step is None:
        return None
    return (
        f"NonFiniteError: {run.task.key} stopped at step {step} of the joint "
        "training, where its loss or a gradient was not finite; the others "
        "went on."
    )


def _refuse_tpu(run: Run, tpu: str | None) -> None:
    if tpu is not None:
        raise FolderError(
            "Tasks train together on GPUs or cores, not on a TPU. Received: "
            f"`--tpu {tpu}` for {run.training_id}."
        )


def _has_result(held: records.RunRecord | None) -> bool:
    return held is not None and held.outcome is not None


def _sentence(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}"

"""What a finished training gave: the record of its run."""

from __future__ import annotations

import pathlib
from typing import Any

import msgspec

from object_detection_patch import footprint
from object_detection_patch.checkpoints import extract, merge
from object_detection_patch.decathlon.running import (
    accuracy,
    family_size,
    phone,
    routes,
)
from object_detection_patch.decathlon.running.folder import PRECISIONS, Folder
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.running.record import (
    FileBytes,
    Footprint,
    Gate,
    Outcome,
    TrainingCost,
)
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.multi_task import result as joint_result
from object_detection_patch.patch_file import (
    EXACT,
    Patch,
    read_patch,
    to_bytes,
)
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.profiling import ssd
from object_detection_patch.training import cost, shipped


def outcome(folder: Folder, run: Run, config: str, phases: Phases) -> Outcome:
    """Extracts, merges, evaluates and weighs a trained run.

    What is measured is the patch file: written, read back, and applied. Where
    images choose their blocks it is the trained model, which has both of each.
    """
    work = folder.run_work(run)
    picture = work / "drawn.npz"
    with phases.phase("extract"):
        trained = extract.extract(config, str(work / "train"))
        path = folder.run_patch(run)
        write_whole(path, to_bytes(trained.patch, encoding=EXACT))
        patch = read_patch(path)
    method = trained.model.patch
    with phases.phase("evaluate"):
        if routes.is_routed(patch):
            found, routing = routes.measure(folder, run, trained.model, picture)
        else:
            found = accuracy.in_keras(
                folder,
                run.task,
                _merged(folder.checkpoint(run.base), work, patch),
                picture,
            )
            routing = routes.decided(method, run.task.eval_images)
    with phases.phase("profile"):
        training = training_cost(config)
    result = Outcome(
        base_fingerprint=patch.base_fingerprint,
        accuracy=found,
        gates=tuple(
            Gate(
                name=gate.host,
                place=gate.place,
                open=gate.is_open,
                weights=gate.weights,
            )
            for gate in method.gates()
        ),
        footprint=_footprint(method),
        file_bytes=_file_bytes(patch, cost.uncounted_names(method.hosts)),
        float32=None,
        int8=None,
        routing=routing,
        training=training,
    )
    start = run.starts_from
    if start is not None and start.is_joint:
        return family_size.weighed(folder, start, method, patch, result)
    return result


def training_cost(config: str) -> TrainingCost:
    """What a step of the training that a config asks for costs."""
    total = ssd.profile(config).total
    return TrainingCost(
        memory_bytes=total.memory_bytes,
        kept_bytes=total.kept_bytes,
        flops=total.flops,
        parameters=total.trained_parameters,
    )


def joint_outcome(
    folder: Folder, run: Run, phases: Phases, *, began_with: str
) -> Outcome:
    """Evaluates and weighs what a joint training left of one of its tasks.

    Args:
      began_with: fingerprint of the base that was trained on; the patch is of
        the new one.
    """
    work = folder.run_work(run)
    trained = folder.training_work(run) / "train" / joint_result.FOLDER
    with phases.phase("extract"):
        learned = read_patch(trained / f"{run.task.key}.patch")
        path = folder.run_patch(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, to_bytes(learned, encoding=EXACT))
        patch = read_patch(path)
    with phases.phase("evaluate"):
        found = accuracy.in_keras(
            folder,
            run.task,
            _merged(trained / joint_result.BASE, work, patch),
            work / "drawn.npz",
        )
    uncounted = frozenset(patch.metadata["uncounted"])
    counted = footprint.nominal_footprint(patch.edits, uncounted=uncounted)
    return Outcome(
        base_fingerprint=began_with,
        accuracy=found,
        gates=(),
        footprint=_counted(counted, patch.metadata["base_parameters"]),
        file_bytes=_file_bytes(patch, uncounted),
        float32=None,
        int8=None,
    )


def on_phone(
    folder: Folder, run: Run, measured: Outcome, phases: Phases
) -> Outcome:
    """The outcome of a run with what a phone makes of its patch."""
    phones = {}
    for precision in PRECISIONS:
        with phases.phase(precision):
            phones[precision] = phone.measure(
                folder, run, folder.run_patch(run), precision
            )
    return msgspec.structs.replace(measured, **phones)


def _merged(checkpoint: pathlib.Path, work: pathlib.Path, patch: Patch) -> Any:
    """A model of the base of this directory and a patch."""
    pipeline = merge.task_pipeline(
        str(checkpoint / "pipeline.config"), patch, str(work)
    )
    return merge.merged_model(
        pipeline, extract.find_checkpoint(str(checkpoint)), patch
    )


def _footprint(method: Any) -> Footprint:
    return _counted(
        cost.patch_footprint(method), cost.base_size(method.hosts).total
    )


def _counted(patch: footprint.Footprint, base_parameters: int) -> Footprint:
    return Footprint(
        bits_32=patch.nominal_bits(32),
        bits_8=patch.nominal_bits(8),
        class_head_values=patch.class_head_values,
        base_parameters=base_parameters,
    )


def _file_bytes(
    patch: Patch, uncounted: frozenset[str]
) -> dict[str, FileBytes]:
    """Sizes by encoding; `uncounted` names the class head's last layer."""
    headless = shipped.without(patch, uncounted)
    return FileBytes.by_encoding(
        shipped.file_bytes(patch), shipped.file_bytes(headless)
    )

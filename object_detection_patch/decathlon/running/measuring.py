"""What a finished training gave: the record of its run."""

from __future__ import annotations

from typing import Any

import msgspec

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
)
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.patch_file import (
    EXACT,
    Patch,
    read_patch,
    to_bytes,
)
from object_detection_patch.patch_file.whole_file import write_whole
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
                folder, run.task, _merged(folder, run, patch), picture
            )
            routing = routes.decided(method, run.task.eval_images)
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
        file_bytes=_file_bytes(method, patch),
        float32=None,
        int8=None,
        routing=routing,
    )
    start = run.starts_from
    if start is not None and start.is_joint:
        return family_size.weighed(folder, start, method, patch, result)
    return result


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


def _merged(folder: Folder, run: Run, patch: Patch) -> Any:
    checkpoint = folder.checkpoint(run.base)
    pipeline = merge.task_pipeline(
        str(checkpoint / "pipeline.config"), patch, str(folder.run_work(run))
    )
    return merge.merged_model(
        pipeline, extract.find_checkpoint(str(checkpoint)), patch
    )


def _footprint(method: Any) -> Footprint:
    counted = cost.patch_footprint(method)
    return Footprint(
        bits_32=counted.nominal_bits(32),
        bits_8=counted.nominal_bits(8),
        class_head_values=counted.class_head_values,
        base_parameters=cost.base_size(method.hosts).total,
    )


def _file_bytes(method: Any, patch: Patch) -> dict[str, FileBytes]:
    headless = shipped.without(patch, cost.uncounted_names(method.hosts))
    return FileBytes.by_encoding(
        shipped.file_bytes(patch), shipped.file_bytes(headless)
    )

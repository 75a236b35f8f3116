"""Whether the data sets of a suite are there, and whole."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import re
from collections.abc import Iterable, Iterator

from object_detection_patch.decathlon.running.folder import Folder, FolderError
from object_detection_patch.decathlon.running.hints import how_to_convert
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import (
    GivenBase,
    Suite,
    SuiteTask,
)
from object_detection_patch.patch_file.whole_file import write_whole

_SHARD = re.compile(r"-\d{5}-of-(\d{5})$")


def has_records(folder: Folder, task: SuiteTask) -> bool:
    """Whether a task's records and label map are there, and whole."""
    return not any(_faults(folder, task))


def require_records(folder: Folder, suite: Suite, task: SuiteTask) -> None:
    """Raises FolderError, naming what lacks and what makes it."""
    for fault in _faults(folder, task):
        if runs_lib.origin_of(suite, task) != task:
            hint = (
                f"Another's training images are split (`--split {task.key}`)."
            )
        elif suite.drawn:
            hint = f"The suite draws them (`--data {task.key}`)."
        else:
            hint = how_to_convert(folder, task.key)
        raise FolderError(
            f"Task {task.key} ({task.name}) needs its TFRecords and label "
            f"map. Received: {fault}. {hint}"
        )


def require_given(folder: Folder, base: GivenBase) -> None:
    """Raises FolderError if the files of a base that exists are missing."""
    config, checkpoint = folder.given(base)
    for path, pattern in ((config, config), (checkpoint, f"{checkpoint}*")):
        if not glob.glob(pattern):
            raise FolderError(
                f"Base {base.key} needs its pipeline.config and checkpoint. "
                f"Received: nothing at {path}."
            )


def lacking(
    folder: Folder, suite: Suite, tasks: Iterable[SuiteTask]
) -> list[SuiteTask]:
    """The tasks whose data are yet to be drawn, or split.

    Raises:
      FolderError: for data drawn, or split, by other settings.
    """
    found = list(tasks)
    for task in found:
        refuse_other_drawing(folder, suite, task)
    return [task for task in found if not has_records(folder, task)]


@contextlib.contextmanager
def drawing(folder: Folder, suite: Suite, task: SuiteTask) -> Iterator[bool]:
    """Whether a task's data are yet to be made; stamps what is made within.

    Raises:
      FolderError: for data drawn, or split, by other settings.
    """
    yield bool(lacking(folder, suite, [task]))
    stamp_drawing(folder, suite, task)


def stamp_drawing(folder: Folder, suite: Suite, task: SuiteTask) -> None:
    """Notes by which settings a task's data were drawn, or split."""
    digest = runs_lib.data_sha256(suite, task)
    write_whole(_stamp(folder, task), digest.encode())


def refuse_other_drawing(folder: Folder, suite: Suite, task: SuiteTask) -> None:
    """Raises FolderError for data drawn, or split, by other settings."""
    path = _stamp(folder, task)
    digest = runs_lib.data_sha256(suite, task)
    if path.exists() and path.read_text(encoding="utf-8") != digest:
        raise FolderError(
            "Data of different settings must not be mixed. Received: "
            f"{task.key} in {path.parent}, drawn with another size, seed or "
            f"number of images than the suite has; remove {path} and "
            f"{folder.path(task.train_records)}, or take another --out_dir "
            "and --data_dir."
        )


def keep_reports(folder: Folder, task: SuiteTask) -> None:
    """Copies the reports that the converter left beside the records."""
    for split in ("train", "eval"):
        report = folder.data / f"{task.key}_{split}_report.json"
        if report.exists():
            folder.conversion.mkdir(parents=True, exist_ok=True)
            write_whole(folder.conversion / report.name, report.read_bytes())


def _stamp(folder: Folder, task: SuiteTask) -> pathlib.Path:
    records = pathlib.Path(folder.path(task.train_records))
    return records.parent / f"{task.key}_drawn.sha256"


def _faults(folder: Folder, task: SuiteTask) -> Iterator[str]:
    for relative in (task.train_records, task.eval_records, task.label_map):
        path = folder.path(relative)
        files = glob.glob(path)
        stated = {found[1] for found in map(_SHARD.search, files) if found}
        if not files:
            yield f"nothing at {path}"
        elif not any(map(os.path.getsize, files)):
            yield f"empty files at {path}"
        elif stated and {f"{len(files):05d}"} != stated:
            yield (
                f"{len(files)} files at {path}, which are parts of "
                f"{' and of '.join(sorted(stated))}"
            )

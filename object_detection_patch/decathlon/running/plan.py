"""What is still to do in a directory, and whether it may be done there."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.running.folder import (
    PRECISIONS,
    Folder,
    FolderError,
)
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import MAIN, Run
from object_detection_patch.decathlon.suite.suite import Suite, kept_fingerprint


@dataclasses.dataclass(frozen=True)
class Plan:
    """Runs that were asked for, sorted out.

    Args:
      todo: to be run now.
      finished: have a result already.
      failed: failed before, and are not to be tried again.
      phone: to be measured on the phone's runtime, when they are trained.
    """

    todo: tuple[Run, ...]
    finished: tuple[Run, ...]
    failed: tuple[Run, ...]
    phone: tuple[Run, ...] = ()


def require_decathlon(folder: Folder) -> None:
    """Raises FolderError for a directory of something else, or a file."""
    root = folder.root
    for option, path in (("--out_dir", root), ("--data_dir", folder.data)):
        if path.exists() and not path.is_dir():
            raise FolderError(
                f"`{option}` must be a directory. Received: {path}, a file."
            )
    held = [path.name for path in root.iterdir()] if root.is_dir() else []
    # A run that was refused leaves its lock there.
    if "suite.json" in held or not set(held) - {"work"}:
        return
    raise FolderError(
        "`--out_dir` must be new, empty, or hold a decathlon. Received: "
        f"{root}, which has no suite.json."
    )


def settle_suite(folder: Folder, suite: Suite) -> None:
    """Writes suite.json, if what is there agrees with it.

    A suite may grow or lose tasks, methods and experiments; what it says of a
    run that has a result must stay as it was.

    Raises:
      FolderError: for records of another suite or of changed runs.
      RecordError: for a file that is no whole record.
    """
    if folder.suite.exists() and record.read_suite(folder.suite) != suite:
        _refuse_changed(folder, suite)
    record.write_json(folder.suite, suite)


def plan(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    *,
    phone: bool = False,
    retry_failed: bool = False,
) -> Plan:
    """Sorts runs by what the directory has of them.

    Args:
      phone: those of the main experiment are to be measured on it, too.

    Raises:
      FolderError: for a result whose configuration was another.
      RecordError: for a file that is no whole record.
    """
    todo: list[Run] = []
    finished: list[Run] = []
    failed: list[Run] = []
    measured: set[Run] = set()
    for run in runs:
        held = held_record(folder, suite, run)
        if held is None or (retry_failed and held.outcome is None):
            todo.append(run)
        elif held.outcome is None:
            failed.append(run)
        else:
            finished.append(run)
            if held.outcome.int8 or (held.error and not retry_failed):
                measured.add(run)
    on_phone = [
        run
        for run in (*finished, *todo)
        if phone and run.experiment == MAIN and run not in measured
    ]
    return Plan(tuple(todo), tuple(finished), tuple(failed), tuple(on_phone))


def held_record(
    folder: Folder, suite: Suite, run: Run
) -> record.RunRecord | None:
    """What the directory has of a run with these settings.

    None also for one that failed with others.

    Raises:
      FolderError: for a result whose configuration was another.
      RecordError: for a file that is no whole record.
    """
    path = folder.run_record(run.id)
    if not path.exists():
        return None
    held = record.read_run(path)
    differences = _differences(held, suite, run)
    if held.config_sha256 == runs_lib.config_sha256(suite, run):
        if differences:
            raise FolderError(
                "A record must state the settings of its run. Received: "
                f"{differences[0]} in {path}, which somebody has changed; "
                "remove that file to run it again."
            )
        return held
    if held.outcome is None:
        return None
    raise _changed(path, f"run {run.id}", differences)


def bases_todo(folder: Folder, suite: Suite, runs: Sequence[Run]) -> list[str]:
    """Keys of the bases that runs need and that are not published yet.

    Raises:
      FolderError: for a base whose configuration was another.
      RecordError: for a file that is no whole record.
    """
    return [
        key
        for key in runs_lib.bases_of(suite, runs)
        if held_base(folder, suite, key) is None
    ]


def held_base(
    folder: Folder, suite: Suite, key: str
) -> record.BaseRecord | None:
    """The record of a base that tasks can be trained on.

    None if there is a record but no checkpoint: the records came without the
    work, and a base trained anew will have to be the same one.

    Raises:
      FolderError: for a base whose configuration was another.
      RecordError: for a file that is no whole record.
    """
    path = folder.base_record(key)
    if not path.exists():
        return None
    held = record.read_base(path)
    if held.config_sha256 != runs_lib.base_sha256(suite, key):
        raise _changed(path, f"base {key}")
    return held if folder.checkpoint(key).is_dir() else None


def lacks_publishing(folder: Folder, suite: Suite) -> bool:
    """Whether the suite's own base came without what phones download.

    Raises:
      FolderError, RecordError: as `held_base`.
    """
    if not (suite.phone and kept_fingerprint(suite.base)):
        return False
    key = suite.base.key
    held = held_base(folder, suite, key)
    return held is None or not all(
        precision in held.phone and folder.published(key, precision).is_dir()
        for precision in PRECISIONS
    )


def require_base(folder: Folder, suite: Suite, key: str) -> record.BaseRecord:
    """The record of a base that tasks can be trained on.

    Raises:
      FolderError: if it is not made, or its configuration was another.
      RecordError: for a file that is no whole record.
    """
    held = held_base(folder, suite, key)
    if held is None:
        raise FolderError(
            "A run needs its base, which its own line of --print_commands "
            f"makes (--base {key}). Received: no {folder.base_record(key)}, "
            f"or no {folder.checkpoint(key)}."
        )
    return held


def refuse_other_base(folder: Folder, key: str, fingerprint: str) -> None:
    """Raises FolderError if the record of a base is of other weights."""
    path = folder.base_record(key)
    if path.exists():
        _refuse_other(path, record.read_base(path).fingerprint, fingerprint)


def refuse_mixed_bases(folder: Folder) -> None:
    """Raises FolderError for a result on another base than the one recorded.

    Raises:
      RecordError: for a file that is no whole record.
    """
    recorded = {
        path.stem: record.read_base(path).fingerprint
        for path in sorted(folder.root.glob("bases/*.json"))
    }
    for path, held in _results(folder):
        expected = recorded.get(held.base)
        found = held.outcome.base_fingerprint if held.outcome else None
        if expected and found and expected != found:
            raise FolderError(
                "Results on different bases must not be mixed. Received: "
                f"{folder.base_record(held.base)}, of base {expected[:12]}, "
                f"but {path} is of base {found[:12]}; remove the one that "
                "does not belong there."
            )


def refuse_results_of_others(
    folder: Folder, key: str, fingerprint: str
) -> None:
    """The same, and for the results of runs on the base of this key.

    Raises:
      RecordError: for a file that is no whole record.
    """
    refuse_other_base(folder, key, fingerprint)
    for path, held in _results(folder):
        if held.base == key and held.outcome is not None:
            _refuse_other(path, held.outcome.base_fingerprint, fingerprint)


def refuse_changed_results(folder: Folder, suite: Suite) -> None:
    """Raises FolderError for a result that a run of this suite did not give.

    Results of runs that the suite does not have any more may stay.

    Raises:
      RecordError: for a file that is no whole record.
    """
    known: dict[int, dict[str, Run]] = {}
    for path, held in _results(folder):
        if held.seed not in known:
            found = runs_lib.all_runs(suite, held.seed)
            known[held.seed] = {run.id: run for run in found}
        run = known[held.seed].get(path.stem)
        if run is not None:
            held_record(folder, suite, run)


def _refuse_changed(folder: Folder, suite: Suite) -> None:
    held = record.read_suite(folder.suite)
    if held.name != suite.name:
        raise FolderError(
            "Runs of two suites must not be mixed. Received: suite "
            f"{suite.name} for {folder.root}, which holds suite {held.name}; "
            "take another --out_dir."
        )
    refuse_changed_results(folder, suite)


def _results(
    folder: Folder,
) -> Iterator[tuple[pathlib.Path, record.RunRecord]]:
    for path in sorted(folder.root.glob("runs/*.json")):
        run_record = record.read_run(path)
        _refuse_other_name(path, run_record)
        if run_record.outcome is not None:
            yield path, run_record


def _refuse_other_name(path: pathlib.Path, held: record.RunRecord) -> None:
    """Two files of one run would hide one another."""
    name = runs_lib.run_id(
        held.experiment, held.method, held.task, held.variant, held.seed
    )
    if path.stem != name:
        raise FolderError(
            "The record of a run must lie in a file of its name. Received: "
            f"{path}, which is of {name}; remove the one that does not belong "
            "there."
        )


def _differences(held: record.RunRecord, suite: Suite, run: Run) -> list[str]:
    """What a record says beside its digest that is not so in the suite."""
    stated = {
        "suite": (held.suite, suite.name),
        "steps": (held.steps, run.task.schedule.steps),
        "batch_size": (held.batch_size, run.task.schedule.batch_size),
        "rate": (held.rate, run.training.rate),
        "base": (held.base, run.base),
    }
    return [
        f"`{name}` {found!r} in place of {wanted!r}"
        for name, (found, wanted) in stated.items()
        if found != wanted
    ]


def _changed(
    path: pathlib.Path, what: str, differences: Sequence[str] = ()
) -> FolderError:
    named = f" (there {', '.join(differences)})" if differences else ""
    return FolderError(
        "Results of different configurations must not be mixed. Received: "
        f"{what}, whose settings in the suite are no longer those of {path}"
        f"{named}; "
        "remove that file to run it again, or take another --out_dir."
    )


def _refuse_other(path: pathlib.Path, held: str, fingerprint: str) -> None:
    if held != fingerprint:
        raise FolderError(
            "Results on different bases must not be mixed. Received: the base "
            f"{fingerprint[:12]}, made here, but {path} is of base "
            f"{held[:12]} (another processor or version rounds differently); "
            "take a new --out_dir."
        )

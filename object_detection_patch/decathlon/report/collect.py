"""Every record of a suite's directory, in memory."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from object_detection_patch.decathlon.running import plan, record
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import Suite

_REPORT = "_report.json"

RunKey = tuple[str, str, str, str, int]
"""Experiment, method, task's key, variant, seed."""


@dataclasses.dataclass(frozen=True)
class Results:
    """What a directory holds.

    Args:
      runs: failed ones included (`outcome` is None there).
      bases: key -> record.
      conversions: task's key -> split (`train`, `eval`) -> the converter's
        report.
    """

    folder: pathlib.Path
    suite: Suite
    runs: Mapping[RunKey, record.RunRecord]
    bases: Mapping[str, record.BaseRecord]
    conversions: Mapping[str, Mapping[str, Any]]

    def outcome(
        self,
        method: str,
        task: str,
        *,
        experiment: str = runs_lib.MAIN,
        variant: str = "",
        seed: int = 1,
    ) -> record.Outcome | None:
        """What a run gave; None if it is missing or failed."""
        found = self.runs.get((experiment, method, task, variant, seed))
        return found.outcome if found else None

    def has_run(self, experiment: str) -> bool:
        """Whether any training of an experiment has a result."""
        return any(
            run.experiment == experiment and run.outcome
            for run in self.runs.values()
        )


def collect(folder: pathlib.Path) -> Results:
    """Reads a directory that `od-patch decathlon run` wrote.

    Raises:
      RecordError: for a file that is no whole record.
      ValueError: if there is no suite, or a result is of another base than
        the one recorded or of other settings than the suite's.
    """
    if not (folder / "suite.json").exists():
        raise ValueError(
            "A report is made of a directory that `od-patch decathlon run` "
            f"wrote. Received: {folder}, which has no suite.json."
        )
    opened = Folder(folder, folder / "work" / "data")
    plan.refuse_mixed_bases(opened)
    suite = record.read_suite(folder / "suite.json")
    plan.refuse_changed_results(opened, suite)
    runs = map(record.read_run, sorted(folder.glob("runs/*.json")))
    bases = map(record.read_base, sorted(folder.glob("bases/*.json")))
    return Results(
        folder,
        suite,
        {
            (run.experiment, run.method, run.task, run.variant, run.seed): run
            for run in runs
        },
        {base.key: base for base in bases},
        _conversions(folder),
    )


def _conversions(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """conversion/<key>_<split>_report.json, as the converters wrote them."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob(f"conversion/*{_REPORT}")):
        key, _, split = path.name.removesuffix(_REPORT).rpartition("_")
        try:
            found.setdefault(key, {})[split] = json.loads(path.read_bytes())
        except ValueError as error:
            raise record.RecordError(
                "A converter's report must be JSON. Received: "
                f"{path}, which is not ({error}); remove it, and run again to "
                "have it written."
            ) from error
    return found

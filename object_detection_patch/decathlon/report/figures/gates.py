"""The gates of a suite's first method that has any."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.tables.cells import SEED
from object_detection_patch.decathlon.running.record import Gate

Kernel = tuple[str, str]
"""Place and name."""


@dataclasses.dataclass(frozen=True)
class Gates:
    """What one method leaves open.

    Args:
      tasks: key -> its gates; the task with the fewest open comes first.
      kernels: of all tasks, place by place, in order of the network.
    """

    method: str
    tasks: Mapping[str, Sequence[Gate]]
    kernels: Sequence[Kernel]

    @property
    def places(self) -> list[str]:
        """In order of the network."""
        return list(dict.fromkeys(place for place, _ in self.kernels))

    def counts(self, task: str, place: str | None = None) -> tuple[int, int]:
        """(open, all) gates of a task, in one place or everywhere."""
        gates = [
            gate for gate in self.tasks[task] if place in (None, gate.place)
        ]
        return sum(gate.open for gate in gates), len(gates)


def gates_of(results: Results) -> Gates | None:
    """Of the first method in the suite's order; None if none has run."""
    for method in results.suite.methods:
        found = {
            task.key: outcome.gates
            for task in results.suite.tasks
            if (outcome := results.outcome(method, task.key, seed=SEED))
            and outcome.gates
        }
        if found:
            ordered = sorted(found.items(), key=lambda row: _share(row[1]))
            return Gates(method, dict(ordered), _kernels(found.values()))
    return None


def _share(gates: Sequence[Gate]) -> float:
    return sum(gate.open for gate in gates) / len(gates)


def _kernels(rows: Iterable[Sequence[Gate]]) -> list[Kernel]:
    seen = dict.fromkeys(
        (gate.place, gate.name) for row in rows for gate in row
    )
    places = list(dict.fromkeys(place for place, _ in seen))
    return sorted(seen, key=lambda kernel: places.index(kernel[0]))

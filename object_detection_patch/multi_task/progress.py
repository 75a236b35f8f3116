"""What a joint training says while it runs: losses by task, time a step."""

from __future__ import annotations

import collections
import sys
import time
from collections.abc import Mapping


def say(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A line every so many steps, with each task's mean loss since the last.

    Args:
      steps: that the training ends at.
      every: steps between two lines.
    """

    def __init__(self, steps: int, every: int) -> None:
        self._steps = steps
        self._every = every
        self._traced = False
        self._begin()

    def _begin(self) -> None:
        self._losses: dict[str, list[float]] = collections.defaultdict(list)
        self._count = 0
        self._started = time.monotonic()

    def after(self, step: int, losses: Mapping[str, float]) -> None:
        """Takes the losses of one step; `step` counts from 1."""
        if self._traced:
            self._count += 1
        for name, loss in losses.items():
            self._losses[name].append(loss)
        if step % self._every == 0 or step == self._steps:
            say(self._line(step))
            self._begin()
        if not self._traced:
            # The first step's time is that of tracing it.
            self._traced = True
            self._started = time.monotonic()

    def _line(self, step: int) -> str:
        means = ", ".join(
            f"{name} {sum(values) / len(values):.3f}"
            for name, values in self._losses.items()
        )
        return (
            f"step {step:,} of {self._steps:,}: loss {means or 'of no task'} "
            f"({self._pace()})"
        )

    def _pace(self) -> str:
        seconds = time.monotonic() - self._started
        if not self._count:
            return f"{seconds:.0f} s to begin"
        return f"{seconds / self._count:.2f} s a step"

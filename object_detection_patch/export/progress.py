"""Says what a long export is doing."""

from __future__ import annotations

import sys
import time


class Steps:
    """Numbered lines on stderr: what is being done, how long it took."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._started = time.monotonic()

    def begin(self, what: str) -> None:
        self._done += 1
        seconds = time.monotonic() - self._started
        print(
            f"[{self._done}/{self._total}, {seconds:.0f} s] {what}",
            file=sys.stderr,
            flush=True,
        )

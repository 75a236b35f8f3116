"""The order of rows and columns; a suite's file keeps none."""

from __future__ import annotations

from collections.abc import Iterable

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results


def methods(results: Results) -> tuple[str, ...]:
    """The suite's methods: the paper's in its order, then others."""
    own = results.suite.methods
    known = [method for method in paper.methods() if method in own]
    return (*known, *(method for method in own if method not in known))


def labels(given: Iterable[str]) -> list[str]:
    """Labels of numbers from the greatest on; other labels as given."""
    found = list(given)
    try:
        return sorted(found, key=float, reverse=True)
    except ValueError:
        return found

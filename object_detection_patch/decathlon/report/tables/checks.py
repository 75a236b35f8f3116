"""Sentences with a number and a bound: true, false, or not known yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from object_detection_patch.decathlon.report.contents import Column, Table

_NOT_KNOWN = "not known"


@dataclasses.dataclass(frozen=True)
class Check:
    """One sentence.

    Args:
      ours, paper: the number; None where it cannot be had.
      bound: what it must be, at least or at most.
    """

    sentence: str
    ours: float | None
    bound: float
    at_least: bool
    paper: float | None = None

    @property
    def required(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"

    def holds(self, value: float | None) -> str:
        """yes, no or not known."""
        if value is None:
            return _NOT_KNOWN
        kept = value >= self.bound if self.at_least else value <= self.bound
        return "yes" if kept else "no"


def table(
    key: str, title: str, checks: Sequence[Check], notes: Sequence[str]
) -> Table:
    """A row for each check."""
    return Table(
        key,
        title,
        (
            Column("Claim"),
            Column("Ours", "3"),
            Column("Required"),
            Column("Holds"),
            Column("paper", "3", "The same from the paper's figures."),
            Column("Holds in the paper"),
        ),
        tuple(
            (
                check.sentence,
                check.ours,
                check.required,
                check.holds(check.ours),
                check.paper,
                check.holds(check.paper) if check.paper is not None else None,
            )
            for check in checks
        ),
        tuple(notes),
    )

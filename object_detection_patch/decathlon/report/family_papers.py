"""What the papers of further methods print, read from the copy here.

Residual adapters, SpotTune, K for the Price of 1, and MobileTL.

Rows are found by preset, with `, joint SVD` or `, always tuned` where a paper
has a variant of one. What a paper does not print is None.
"""

from __future__ import annotations

import functools
import json
import pathlib
import statistics
from typing import Any, Literal

_FILE = pathlib.Path(__file__).with_name("family_figures.json")

Table = Literal[
    "adapters_table1",
    "spottune_table2",
    "spottune_table3",
    "spottune_cost",
    "joint_table4",
    "patches_table2",
    "patches_table3",
    "patches_table6",
    "mobile_tl_table3",
    "mobile_tl_table5",
]
_PERCENT_DIGITS = 6


def columns(table: Table) -> tuple[str, ...]:
    """The columns of a printed table, in its order."""
    return tuple(_tables()[table]["columns"])


def figure(table: Table, row: str, column: str) -> float | None:
    """A printed number."""
    content = _tables()[table]
    if row not in content:
        return None
    return float(content[row][content["columns"].index(column)])


def adapted_average(row: str) -> float | None:
    """Rebuffi et al., Table 1: top-1 accuracy in percent, mean of ten."""
    return figure("adapters_table1", row, "mean")


def routed_average(row: str) -> float | None:
    """SpotTune, Table 2: top-1 accuracy in percent, our mean of its five."""
    return _mean("spottune_table2", row)


def patched_average(
    table: Literal["patches_table2", "patches_table6"], row: str
) -> float | None:
    """K for the price of 1: top-1 accuracy in percent, our mean of a row."""
    return _mean(table, row)


def joint_tasks() -> tuple[str, ...]:
    """The tasks of Mudrarkarta et al., Table 4."""
    *tasks, _ = _tables()["joint_table4"]["columns"]
    return tuple(tasks)


def joint_average(row: str) -> float | None:
    """Mudrarkarta et al., Table 4: top-1 accuracy in percent, our mean."""
    values = [figure("joint_table4", row, task) for task in joint_tasks()]
    known = [value for value in values if value is not None]
    return round(statistics.fmean(known), _PERCENT_DIGITS) if known else None


def joint_parameters(row: str) -> float | None:
    """The same: millions of parameters of all tasks together."""
    return figure("joint_table4", row, "parameters")


def score(row: str) -> float | None:
    """The Visual Decathlon's Score: Rebuffi et al., or SpotTune, Table 3."""
    printed = figure("adapters_table1", row, "score")
    return printed or figure("spottune_table3", row, "score")


def size(row: str) -> float | None:
    """Parameters of ten tasks together as a multiple of one network's."""
    printed = figure("adapters_table1", row, "size")
    return printed or figure("spottune_table3", row, "size")


def _mean(table: Table, row: str) -> float | None:
    values = _tables()[table].get(row)
    mean = statistics.fmean(values) if values else None
    return None if mean is None else round(mean, _PERCENT_DIGITS)


@functools.cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(_FILE.read_bytes())
    return tables

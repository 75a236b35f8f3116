"""What the SpotPatch paper prints, read from the copy beside this file.

Tasks are found by key or name whatever its case (`pet`, `Pet`), methods by
preset. What the paper does not print is None.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Sequence
from typing import Any, Literal

_FILE = pathlib.Path(__file__).with_name("paper_figures.json")
_PERCENT_DIGITS = 6

Total = Literal["footprint", "average_map", "score", "score_per_footprint"]
Updated = Literal["footprint_percent", "map"]
Size = Literal[
    "footprint_32bit", "footprint_8bit", "size_32bit_mb", "size_8bit_mb"
]
Ablated = Literal["patched_percent", "footprint_percent", "map"]


@dataclasses.dataclass(frozen=True)
class Counts:
    """A row of Table 1: images and classes."""

    trainval: int
    eval: int | None
    classes: int


def counts(task: str) -> Counts | None:
    """Table 1."""
    table = _tables()["table1_datasets"]
    name = _match(table, task)
    return Counts(**table[name]) if name else None


def methods() -> tuple[str, ...]:
    """Methods of Table 2, in its order."""
    table = _tables()["table2_decathlon"]
    return tuple(name for name in table if name != "columns")


def tasks() -> tuple[str, ...]:
    """Names of Table 2's tasks, in its order."""
    columns = _tables()["table2_decathlon"]["columns"]
    known = _tables()["table1_datasets"]
    return tuple(name for name in columns if name in known)


def map_percent(method: str, task: str) -> float | None:
    """Table 2: mAP@0.5 in percent."""
    name = _match(tasks(), task)
    return _cell("table2_decathlon", method, name) if name else None


def total(method: str, column: Total) -> float | None:
    """Table 2: a figure of all nine tasks."""
    return _cell("table2_decathlon", method, column)


def updating(method: str, quantity: Updated, percent: int) -> float | None:
    """Table 3: in percent, by the share of data that the base has seen."""
    return _cell("table3_model_updating", method, f"{quantity}_{percent}")


def patch_size(method: str, quantity: Size) -> float | None:
    """Table 4: a multiple of the base, or MiB, of all nine patches."""
    value = _tables()["table4_patch_size"][quantity].get(method)
    return None if value is None else float(value)


def sparsity(task: str, quantity: Ablated, label: str) -> float | None:
    """Table 5: in percent, by lambda_sps."""
    table = _tables()["table5_sparsity_ablation"]
    name = _match([row for row in table if row != "columns"], task)
    if name is None:
        return None
    return _cell("table5_sparsity_ablation", name, f"{quantity}_{label}")


def sparsity_labels() -> tuple[str, ...]:
    """Values of lambda_sps in Table 5, as it writes them."""
    columns = _tables()["table5_sparsity_ablation"]["columns"]
    prefix = "map_"
    return tuple(
        name.removeprefix(prefix) for name in columns if name.startswith(prefix)
    )


def sparsity_label_of_table_2(method: str) -> str | None:
    """The lambda_sps whose mAPs in Table 5 are the method's in Table 2."""
    for label in sparsity_labels():
        if all(
            sparsity(task, "map", label) == map_percent(method, task)
            for task in tasks()
        ):
            return label
    return None


def share(percent: float | None) -> float | None:
    """A printed percentage as a share, with no digits that were not printed."""
    return None if percent is None else round(percent / 100, _PERCENT_DIGITS)


def _cell(table: str, row: str, column: str) -> float | None:
    content = _tables()[table]
    if row not in content or column not in content["columns"]:
        return None
    value = content[row][content["columns"].index(column)]
    return None if value is None else float(value)


def _match(names: Sequence[str] | dict[str, Any], task: str) -> str | None:
    wanted = task.casefold()
    return next((name for name in names if name.casefold() == wanted), None)


@functools.cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(_FILE.read_bytes())
    return tables

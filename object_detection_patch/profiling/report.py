"""A profile as JSON, as a table for people, and as the parts of a picture."""

from __future__ import annotations

import dataclasses
from typing import Any

from object_detection_patch.profiling.costs import Cost
from object_detection_patch.profiling.ssd import Profile

_MEMORY = {
    "parameters": "parameter_bytes",
    "kept activations": "kept_bytes",
    "gradients": "gradient_bytes",
    "optimizer": "optimizer_bytes",
    "temporary": "temporary_bytes",
}
_ROW = "{:<44} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}"


def as_json(profile: Profile) -> dict[str, Any]:
    """Fields of `Cost` for each layer and in sum; FLOPs and bytes."""
    return {
        "method": profile.method,
        "batch_size": profile.batch_size,
        "image_size": list(profile.image_size),
        "sum": _numbers(profile.total),
        "layers": [
            {"name": row.name} | _numbers(row) for row in profile.layers
        ],
    }


def as_text(profile: Profile) -> str:
    """A table, in millions of operations and of bytes."""
    height, width = profile.image_size
    total = profile.total
    return "\n".join(
        [
            f"{profile.method}, one step on {profile.batch_size} images of "
            f"{width} x {height}: {total.flops / 1e6:,.1f} MFLOPs, "
            f"{total.memory_bytes / 1e6:,.2f} MB, "
            f"{total.trained_parameters:,} of {total.parameters:,} parameters "
            "train",
            "",
            _ROW.format("", "MFLOPs", "MFLOPs", "", *["MB"] * 5),
            _ROW.format(
                *("layer", "forward", "backward", "parameters", "parameter"),
                *("kept", "gradient", "optimizer", "temporary"),
            ),
            *map(_line, profile.layers),
            _line(total),
        ]
    )


def memory(profile: Profile) -> dict[str, list[tuple[str, int]]]:
    """Kind of memory -> (layer, bytes) of layers that hold some.

    Of temporary memory only the layer that needs most, as the sum has it.
    """
    found = {
        title: [
            (row.name, amount)
            for row in profile.layers
            if (amount := getattr(row, field))
        ]
        for title, field in _MEMORY.items()
    }
    found["temporary"] = [max(found["temporary"], key=lambda row: row[1])]
    return {title: rows for title, rows in found.items() if rows}


def _numbers(row: Cost) -> dict[str, int]:
    numbers = dataclasses.asdict(row)
    del numbers["name"]
    return numbers | {"flops": row.flops, "memory_bytes": row.memory_bytes}


def _line(row: Cost) -> str:
    in_millions = (
        f"{getattr(row, field) / 1e6:.3f}" for field in _MEMORY.values()
    )
    return _ROW.format(
        row.name[-44:],
        f"{row.forward_flops / 1e6:.2f}",
        f"{row.backward_flops / 1e6:.2f}",
        row.parameters,
        *in_millions,
    )

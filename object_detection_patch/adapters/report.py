"""What compressing has saved and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from object_detection_patch.adapters.loss import (
    Loss,
    energy_kept,
    relative_error,
)


def as_data(
    *,
    before: Mapping[str, int],
    after: Mapping[str, int],
    losses: Mapping[str, Sequence[Loss]],
    kept: Sequence[str],
) -> dict[str, Any]:
    """The report as plain data, ready for `json.dumps`.

    Args:
      before: file that was compressed -> its bytes.
      after: file that was written -> its bytes.
      losses: file that was compressed -> what each of its adapters lost.
      kept: kernels whose adapters stay as they were.
    """
    every = [loss for found in losses.values() for loss in found]
    return {
        "bytes_before": dict(before) | {"total": sum(before.values())},
        "bytes_after": dict(after) | {"total": sum(after.values())},
        "relative_error": relative_error(every),
        "energy_kept": energy_kept(every),
        "kept": list(kept),
        "tasks": {
            name: {
                "relative_error": relative_error(found),
                "energy_kept": energy_kept(found),
                "adapters": [
                    {
                        "name": loss.target,
                        "rank": loss.rank,
                        "relative_error": loss.relative,
                        "energy_kept": energy_kept([loss]),
                    }
                    for loss in found
                ],
            }
            for name, found in losses.items()
        },
    }


def as_text(report: Mapping[str, Any]) -> str:
    """The same for people: a row for each adapter, then sums."""
    lines = []
    for name, task in report["tasks"].items():
        lines += [name, *_rows(task)]
    if report["kept"]:
        lines.append(
            "as they were, since products already or no larger than one: "
            f"{', '.join(report['kept'])}"
        )
    for title, key in (("before", "bytes_before"), ("after", "bytes_after")):
        lines += [
            f"{title:<8}{size:>12,} bytes  {file}"
            for file, size in report[key].items()
        ]
    share = report["bytes_after"]["total"] / report["bytes_before"]["total"]
    lines.append(
        f"{share:.1%} of the bytes; relative error "
        f"{report['relative_error']:.4f}, {report['energy_kept']:.2%} of the "
        "energy kept"
    )
    return "\n".join(lines)


def _rows(task: Mapping[str, Any]) -> list[str]:
    adapters = task["adapters"]
    width = max(len("all"), *(len(row["name"]) for row in adapters))
    return [
        f"  {'adapter':<{width}}  rank   error   energy kept",
        *(
            f"  {row['name']:<{width}}  {row['rank']:>4}  "
            f"{row['relative_error']:.4f}  {row['energy_kept']:>12.2%}"
            for row in adapters
        ),
        f"  {'all':<{width}}        {task['relative_error']:.4f}  "
        f"{task['energy_kept']:>12.2%}",
    ]

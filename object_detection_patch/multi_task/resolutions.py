"""One task at several image sizes, as tasks that train together.

Reference: Mudrarkarta et al., K for the Price of 1, Section 5.4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from object_detection_patch.multi_task.tasks import (
    Task,
    check_together,
    read_task,
)
from object_detection_patch.od_api import input_size

Size = tuple[int, int]


def read_resolutions(
    paths: Sequence[str],
    sizes: Sequence[Size],
    private: str | None,
    *,
    share_heads: bool = True,
) -> list[Task]:
    """The task of a config at each size, named like `stripes_160`.

    Args:
      paths: its pipeline.config, and no other.
      sizes: (height, width) in pixels; the new base has the first.
      private, share_heads: as for `read_tasks`.

    Raises:
      ValueError: for several configs, one of no fixed size, fewer than two
        sizes, one given twice or that the detector cannot take, and whatever
        `read_tasks` refuses.
    """
    if len(paths) != 1:
        raise ValueError(
            "`--resolutions` is for one config in `--tasks`, whose task is "
            f"trained at each size. Received: {len(paths)} configs."
        )
    _refuse_few_or_twice(sizes)
    task = read_task(paths[0], private)
    input_size.fixed_size(task.pipeline, task.path)
    tasks = [_at(task, size) for size in sizes]
    for each in tasks:
        input_size.refuse_uneven(each.pipeline.model, "--resolutions")
    check_together(tasks, share_heads=share_heads)
    return tasks


def _refuse_few_or_twice(sizes: Sequence[Size]) -> None:
    if len(sizes) < 2 or len(set(sizes)) < len(sizes):
        texts = " ".join(map(input_size.size_text, sizes))
        raise ValueError(
            "`--resolutions` needs two sizes or more, each once. Received: "
            f"{texts}."
        )


def _at(task: Task, size: Size) -> Task:
    return dataclasses.replace(
        task,
        name=f"{task.name}_{input_size.size_text(size)}",
        pipeline=input_size.with_size(task.pipeline, size),
    )

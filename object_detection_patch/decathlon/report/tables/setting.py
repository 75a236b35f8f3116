"""How our runs were set up, and where that is not as in the paper."""

from __future__ import annotations

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Column, Table
from object_detection_patch.decathlon.report.tables import order
from object_detection_patch.decathlon.report.tables.cells import SEED


def setting_note(results: Results) -> str:
    """One sentence under every table that has the paper beside ours."""
    suite = results.suite
    images = (
        f"images drawn at {suite.drawn.side} px" if suite.drawn else "data sets"
    )
    steps = _span([task.schedule.steps for task in suite.tasks])
    batch = _span([task.schedule.batch_size for task in suite.tasks])
    return (
        f"Ours: suite {suite.name}, {len(suite.tasks)} tasks, {images}, "
        f"{steps} steps of {batch} images a task, seed {SEED}. The paper: its "
        "own data sets and schedules. The section Setting lists what differs."
    )


def methods_table(results: Results) -> Table:
    """How each method is trained."""
    return Table(
        "methods",
        "Methods as they were trained",
        (
            Column("Method"),
            Column("Learning rate", "text", "Adam's peak learning rate."),
            Column("Options", "text", "Fields of the patch beside its preset."),
        ),
        tuple(
            (name, str(method.rate), " ".join(method.options.split()) or None)
            for name in order.methods(results)
            for method in [results.suite.methods[name]]
        ),
    )


def tasks_table(results: Results) -> Table:
    """How each task is trained."""
    return Table(
        "tasks",
        "Tasks as they were trained",
        (
            Column("Task"),
            Column(
                "Distance",
                "integer",
                "From the source, by design; only the order means something.",
            ),
            Column("Steps", "integer"),
            Column("Batch", "integer"),
            Column("Augmentation"),
            Column("Flags out of the mAP"),
        ),
        tuple(
            (
                task.key,
                task.distance,
                task.schedule.steps,
                task.schedule.batch_size,
                " and ".join(_augmentations(task.flip, task.crop)) or "none",
                ", ".join(task.honoured_flags) or None,
            )
            for task in results.suite.tasks
        ),
    )


def _augmentations(flip: bool, crop: bool) -> list[str]:
    given = {"flip": flip, "crop": crop}
    return [name for name, used in given.items() if used]


def _span(values: list[int]) -> str:
    """`300`, or `100 to 300`."""
    ends = sorted({min(values, default=0), max(values, default=0)})
    return " to ".join(map(str, ends))

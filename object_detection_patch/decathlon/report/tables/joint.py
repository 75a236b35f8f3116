"""Tasks that train one base together (K for the Price of 1, Table 4)."""

from __future__ import annotations

import statistics

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, joint_rows
from object_detection_patch.decathlon.report.tables.best import best
from object_detection_patch.decathlon.report.tables.comparison import ratio
from object_detection_patch.decathlon.report.tables.joint_rows import (
    JointRows,
    Row,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Joint


def beside_the_paper(results: Results, joint: Joint) -> Table:
    """mAP and size: shared everything, private patches, independent models."""
    found = joint_rows.rows(results, joint)
    rows = tuple(_row(results, found, row) for row in found.rows)
    average, printed = 3 + len(found.tasks), family_papers.joint_tasks()
    size = average + 3 + len(printed)
    return Table(
        "joint",
        "Joint training beside K for the Price of 1, Table 4",
        (
            Column("Training"),
            Column("Each task has to itself"),
            Column("Seeds", "integer"),
            *(
                Column(task, "1", "Mean mAP@0.5 in percent.")
                for task in found.tasks
            ),
            Column("Average mAP", "1"),
            Column("deviation", "1", "Of a sample of seeds."),
            Column("paper's average", "2"),
            *(Column(task, "1", "Paper: top-1 accuracy.") for task in printed),
            Column(
                "Parameters",
                "integer",
                "Of all tasks together: the new base, without its own class "
                "head's last layer, and what patches add to it; or whole "
                "models.",
            ),
            Column("paper, millions", "2", "Of its two tasks."),
            Column("over independent", "3"),
            Column("paper", "3"),
            Column(
                "Patch files",
                "bytes",
                "Of all tasks, encoded small, without the base.",
            ),
            Column("Training, s", "1", "Of all tasks together."),
            Column("Rate", "text", "Adam's peak learning rate."),
        ),
        rows,
        _notes(results, found),
        best(
            rows,
            {
                **dict.fromkeys(range(3, average + 1), "highest"),
                size: "lowest",
            },
            apart=[FINE_TUNING],
        ),
    )


def _row(results: Results, found: JointRows, row: Row) -> tuple[Cell, ...]:
    averages = found.averages(row)
    ours = found.parameters(row.method), found.parameters(FINE_TUNING)
    paper = [
        family_papers.joint_parameters(preset)
        for preset in (row.preset, FINE_TUNING)
    ]
    return (
        row.method,
        row.own,
        len(averages),
        *(_accuracy(results, found, row, task) for task in found.tasks),
        found.average(row.method),
        statistics.stdev(averages) if len(averages) > 1 else None,
        family_papers.joint_average(row.preset),
        *(
            family_papers.figure("joint_table4", row.preset, task)
            for task in family_papers.joint_tasks()
        ),
        ours[0],
        paper[0],
        ratio(*ours),
        ratio(*paper),
        found.patch_bytes(row),
        found.seconds(row),
        str(row.rate),
    )


def _accuracy(results: Results, found: JointRows, row: Row, task: str) -> Cell:
    """The mean, or the word for why there is none."""
    mean = found.accuracy(row, task)
    if mean is not None:
        return mean
    return cells.cell(
        results,
        row.method,
        task,
        lambda outcome: cells.percent(cells.keras(outcome)),
        experiment=row.experiment,
    )


def _notes(results: Results, found: JointRows) -> tuple[str, ...]:
    tasks = [t for t in results.suite.tasks if t.key in found.tasks]
    steps = max((task.schedule.steps for task in tasks), default=0)
    return (
        "The paper is here that of Mudrarkarta et al. Not the same thing "
        "measured. The paper: top-1 accuracy of MobileNetV2 on the photographs "
        "of ImageNet and Places365, two tasks, each with workers of its own. "
        f"Ours: mAP of detectors on {len(tasks)} tasks that take each of "
        f"{steps:,} steps together, from a base that was trained on the "
        "source. Only the order of rows can be compared.",
        "The paper's last layer is here the heads, of classes and of boxes; "
        "its S/B are scales, shifts and statistics of BatchNorm. It prints "
        "nothing of depthwise kernels in Table 4.",
        f"Independent models are {FINE_TUNING} of the main experiment: the "
        "same base, images and batches, and the steps of the task itself "
        "(section Setting).",
        "float32 models in Keras, COCO's definition; means over the seeds "
        "that all rows with a result have: "
        f"{', '.join(map(str, found.seeds)) or 'none'}.",
    )

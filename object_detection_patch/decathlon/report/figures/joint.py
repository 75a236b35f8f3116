"""mAP of joint and of independent trainings, a row for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import lines, style, svg
from object_detection_patch.decathlon.report.tables import joint_rows
from object_detection_patch.decathlon.report.tables.joint_rows import JointRows

_AVERAGE = "average"


def joint_figures(results: Results) -> Iterator[Figure]:
    """One, once a joint training has ended with results for all its tasks."""
    joint = results.suite.joint
    if not joint:
        return
    found = joint_rows.rows(results, joint)
    points = _points(found)
    if any(row.has_base and row.method in points for row in found.rows):
        # A method that trains as much has the same look elsewhere.
        looks = style.looks([row.preset for row in found.rows])
        yield svg.figure_of(
            "joint",
            "Joint training: mAP of each task",
            f"mAP@0.5 in percent. {lines.in_words(points)}.",
            lambda: _draw(
                points, {row.method: looks[row.preset] for row in found.rows}
            ),
        )


def _points(found: JointRows) -> dict[str, lines.Line]:
    """Training -> task or average -> mAP in percent; no training is empty."""
    points: dict[str, lines.Line] = {}
    for row in found.rows:
        values = {task: found.accuracy(row, task) for task in found.tasks}
        values[_AVERAGE] = found.average(row.method)
        known = {name: v for name, v in values.items() if v is not None}
        if known:
            points[row.method] = known
    return points


def _draw(
    points: Mapping[str, lines.Line], looks: Mapping[str, style.Look]
) -> Drawing:
    names = list(next(iter(points.values())))
    figure = style.new_figure(1.6 + 0.4 * len(names))
    axis = figure.subplots()
    style.name_rows(axis, [svg.label(name) for name in names])
    by_row = [[line[name] for line in points.values()] for name in names]
    axis.hlines(
        range(len(names)),
        [min(row) for row in by_row],
        [max(row) for row in by_row],
        color=style.MUTED,
        linewidth=0.8,
    )
    for method, line in points.items():
        axis.plot(
            list(line.values()),
            range(len(names)),
            label=method,
            **looks[method].filled(),
        )
    axis.set_xlabel("mAP@0.5 in percent")
    style.legend_below(figure)
    return figure

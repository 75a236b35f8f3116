"""mAP of updated bases (SpotPatch, Table 3), as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import lines, style, svg
from object_detection_patch.decathlon.report.tables import table_3

_WHAT = "mAP@0.5 in percent"


def updating_figures(results: Results) -> Iterator[Figure]:
    """mAP by the share of the data that the base was trained on."""
    updating = results.suite.updating
    if updating is None:
        return
    table = table_3.accuracies(results, updating)
    # The paper's columns stand between ours.
    ours = {
        index: column.title
        for index, column in enumerate(table.columns)
        if index % 2
    }
    found = lines.lines_of(table, ours)
    looks = style.looks(results.suite.methods)
    if found.keys() & looks.keys():
        yield svg.figure_of(
            "updating",
            f"Updating bases trained on parts of {updating.task}",
            f"{_WHAT} by the share of training images that the base has "
            f"seen. {lines.in_words(found)}.",
            lambda: _draw(found, list(ours.values()), looks),
        )


def _draw(
    found: Mapping[str, lines.Line],
    ticks: Sequence[str],
    looks: Mapping[str, style.Look],
) -> Drawing:
    figure = style.new_figure(3.9)
    axis = figure.subplots()
    unpatched = {"color": style.MUTED, "linestyle": "--"}
    for name, line in found.items():
        options = looks[name].joined() if name in looks else unpatched
        lines.plot(axis, ticks, line, label=svg.label(name), **options)
    axis.set_ylabel(_WHAT)
    axis.set_xlabel("training images that the base has seen")
    lines.name_ticks(axis, ticks)
    style.legend_below(figure)
    return figure

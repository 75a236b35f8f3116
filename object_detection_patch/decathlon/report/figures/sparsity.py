"""What the weight of sparsity does (SpotPatch, Table 5), as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import lines, style, svg
from object_detection_patch.decathlon.report.tables import table_5

_TITLES = {
    "table_5_layers": "patched layers, average in percent",
    "table_5_footprint": "footprint, sum in percent of a base",
    "table_5_map": "mAP@0.5, average in percent",
}
"""Key of a table -> what its last row holds."""


def sparsity_figures(results: Results) -> Iterator[Figure]:
    """Averages over the tasks that every value of lambda_sps has."""
    sparsity = results.suite.sparsity
    if sparsity is None:
        return
    words, summaries = [], {}
    for table in table_5.ablation(results, sparsity):
        ours = {
            index: column.title
            for index, column in enumerate(table.columns)
            if column.title in sparsity.options
        }
        found = lines.lines_of(table, ours)
        words.append(f"{_TITLES[table.key]}: {lines.in_words(found)}.")
        summaries[_TITLES[table.key]] = found.get(str(table.rows[-1][0]), {})
    look = style.looks(results.suite.methods)[sparsity.method]
    if all(summaries.values()):
        yield svg.figure_of(
            "sparsity",
            f"lambda_sps of {sparsity.method}",
            f"By lambda_sps. {' '.join(words)}",
            lambda: _draw(summaries, list(sparsity.options), look),
        )


def _draw(
    summaries: Mapping[str, lines.Line], ticks: Sequence[str], look: style.Look
) -> Drawing:
    figure = style.new_figure(0.5 + 1.7 * len(summaries))
    axes = figure.subplots(len(summaries), sharex=True, squeeze=False)[:, 0]
    for axis, (title, line) in zip(axes, summaries.items(), strict=True):
        lines.plot(axis, ticks, line, **look.joined())
        for tick, value in line.items():
            point = (ticks.index(tick), value)
            style.write(axis, f"{value:.1f}", point, (0, 9), align="center")
        axis.set_title(title)
        axis.margins(y=0.3)
    lines.name_ticks(axes[-1], ticks)
    axes[-1].set_xlabel("lambda_sps")
    return figure

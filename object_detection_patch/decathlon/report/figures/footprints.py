"""Footprint of each method by task (SpotPatch, Figure 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import style, svg
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

Shares = Mapping[str, Mapping[str, float]]
"""Method -> task -> percent of the base's bits."""


def footprint_figures(results: Results) -> Iterator[Figure]:
    """Figure 4; FINE_TUNING, which ships everything, is left out."""
    shares, looks = _shares(results), style.looks(results.suite.methods)
    if shares:
        yield svg.figure_of(
            "footprint_by_task",
            "Nominal footprint of each patch (the paper's Figure 4)",
            _in_words(shares),
            lambda: _draw(shares, looks),
        )


def _shares(results: Results) -> Shares:
    found: dict[str, dict[str, float]] = {}
    for method in results.suite.methods:
        for task in results.suite.tasks:
            outcome = results.outcome(method, task.key, seed=cells.SEED)
            if outcome and method != FINE_TUNING:
                share = 100 * cells.footprint_32(outcome)
                found.setdefault(method, {})[task.key] = share
    return found


def _in_words(shares: Shares) -> str:
    rows = []
    for method, by_task in shares.items():
        numbers = [f"{task} {share:.2f}" for task, share in by_task.items()]
        rows.append(f"{method}: {', '.join(numbers)}")
    return (
        "Bits of a patch in percent of the base's, both with 32-bit numbers, "
        f"without the class head's last layer. {'; '.join(rows)}."
    )


def _draw(shares: Shares, looks: Mapping[str, style.Look]) -> Drawing:
    tasks = list(dict.fromkeys(t for row in shares.values() for t in row))
    figure = style.new_figure(1.5 + 0.28 * len(tasks))
    axis = figure.subplots()
    for method, by_task in shares.items():
        axis.plot(
            list(by_task.values()),
            [tasks.index(task) for task in by_task],
            **{**looks[method].joined(), "linewidth": 0.7},
            label=svg.label(method),
        )
    axis.set_yticks(range(len(tasks)), labels=map(svg.label, tasks))
    axis.set_ylim(len(tasks) - 0.5, -0.5)
    axis.set_xlim(left=0)
    axis.set_xlabel("percent of the base's bits")
    style.legend_below(figure)
    return figure

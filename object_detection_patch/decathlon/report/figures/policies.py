"""Which blocks images take tuned (SpotTune, Figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import style, svg
from object_detection_patch.decathlon.report.tables.cells import SEED
from object_detection_patch.decathlon.running.record import Routing
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.pictures import policies

Policies = Mapping[str, Routing]
"""Task -> what its images take."""


def policy_figures(results: Results) -> Iterator[Figure]:
    """A map and histograms for each method that routes, in suite order."""
    methods = runs_lib.all_methods(results.suite)
    looks = style.looks(methods)
    for method in methods:
        found = _policies(results, method)
        if found:
            yield from _figures(method, found, looks[method].colour)


def _policies(results: Results, method: str) -> Policies:
    return {
        task.key: outcome.routing
        for task in results.suite.tasks
        for experiment in (runs_lib.MAIN, runs_lib.FAMILIES)
        if (
            outcome := results.outcome(
                method, task.key, experiment=experiment, seed=SEED
            )
        )
        and outcome.routing
    }


def _figures(method: str, found: Policies, colour: str) -> Iterator[Figure]:
    key = method.lower()
    yield svg.figure_of(
        f"policy_map_{key}",
        f"{method}: share of images that take each block tuned",
        _map_in_words(found),
        lambda: _draw_map(found, colour),
    )
    if any(routing.always_tuned for routing in found.values()):
        yield svg.figure_of(
            f"tuned_blocks_{key}",
            f"{method}: images by the number of blocks that they take tuned",
            _histograms_in_words(found),
            lambda: _draw_histograms(found, colour),
        )


def _map_in_words(found: Policies) -> str:
    rows = []
    for task, routing in found.items():
        shares = [f"{100 * block.share:.0f}" for block in routing.blocks]
        rows.append(f"{task}: {', '.join(shares)}")
    return (
        "A row for each task, a cell for each block of the backbone from input "
        "to output, filled as high as the share of evaluation images that take "
        f"the tuned block. In percent: {'; '.join(rows)}."
    )


def _histograms_in_words(found: Policies) -> str:
    rows = []
    for task, routing in found.items():
        counts = [
            f"{count} with {blocks}"
            for blocks, count in enumerate(routing.histogram)
            if count
        ]
        rows.append(f"{task}: {', '.join(counts)}")
    return f"Images by their number of tuned blocks. {'; '.join(rows)}."


def _draw_map(found: Policies, colour: str) -> Drawing:
    figure = style.new_figure(0.7 + 0.32 * len(found))
    axis = figure.subplots()
    rows = {
        svg.label(task): [block.share for block in routing.blocks]
        for task, routing in found.items()
    }
    policies.draw_map(axis, rows, colour=colour, outline=style.MUTED)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    axis.set_xlabel("blocks from input to output; filled: share of images")
    return figure


def _draw_histograms(found: Policies, colour: str) -> Drawing:
    figure = style.new_figure(0.5 + 1.2 * len(found))
    axes = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axis, (task, routing) in zip(axes, found.items(), strict=True):
        policies.draw_histogram(axis, routing.histogram, colour=colour)
        axis.set_title(svg.label(task))
        axis.set_ylabel("images")
        axis.grid(axis="x", visible=False)
    axes[-1].set_xlabel("blocks that an image takes tuned")
    return figure

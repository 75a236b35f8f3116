"""Charts of which gates of a patch are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.pictures import packages
from object_detection_patch.pictures.colours import PALETTE, fraction
from object_detection_patch.pictures.figures import new_figure, rendered

GateRow = tuple[str, str, bool, int]
"""Layer name, place in the model, gate open, parameters of its kernel."""

_MOST_NAMED_LAYERS = 30  # more names do not fit under the bars of a chart


def gate_chart(rows: Sequence[GateRow], *, title: str) -> np.ndarray:
    """The gates of one patch over the layers, from input to head.

    A bar per layer, its height the logarithm of the kernel's parameters, its
    colour the layer's place. An open gate is a full bar over a black square; a
    closed one is an outline over nothing, so that no colour is needed.

    Args:
      rows: (layer name, place, open, parameters), in order of the network.
      title: stands above; the count of open gates is added.
    Raises:
      ValueError: no rows, or a layer with less than one parameter.
      ImportError: without Matplotlib.
    """
    return gate_comparison({title: rows})


def gate_comparison(charts: Mapping[str, Sequence[GateRow]]) -> np.ndarray:
    """Gates of several patches, one chart above the other, on one scale.

    Args:
      charts: title -> rows as in `gate_chart`, of the same layers.
    Raises:
      ValueError: nothing to draw, rows `gate_chart` refuses, or charts of
        different layers: one below the other they would mislead.
      ImportError: without Matplotlib.
    """
    if not charts:
        raise ValueError("`charts` must hold at least one. Received: none")
    for title, rows in charts.items():
        _check_gates(title, rows)
    layers = _common_layers(charts)
    tallest = max(row[3] for rows in charts.values() for row in rows)
    places = list(dict.fromkeys(r[1] for rows in charts.values() for r in rows))
    named = len(layers) <= _MOST_NAMED_LAYERS
    height = 2.1 * len(charts) + (1.9 if named else 0.9)
    figure = new_figure(10.0, height)
    axes = figure.subplots(len(charts), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, rows) in zip(axes, charts.items(), strict=True):
        _draw_gates(axis, title, rows, places)
        axis.set_xlim(-0.8, len(layers) - 0.2)
        axis.set_ylim(0.12, max(tallest, 10) * 2)
    if named:
        axes[-1].set_xticks(
            range(len(layers)),
            labels=layers,
            rotation=40,
            ha="right",
            fontsize=6.5,
        )
    else:
        axes[-1].set_xlabel("host layer, from input to head", fontsize=8)
    _gate_legend(figure, places)
    return rendered(figure)


def _check_gates(title: str, rows: Sequence[GateRow]) -> None:
    if not rows:
        raise ValueError(
            f"A gate chart needs a layer. Received: none, {title!r}"
        )
    for name, _, _, parameters in rows:
        if not parameters >= 1:
            raise ValueError(
                "A layer's parameters must be at least 1. Received: "
                f"{parameters} for {name!r} in {title!r}"
            )


def _common_layers(charts: Mapping[str, Sequence[GateRow]]) -> list[str]:
    layers = {title: [row[0] for row in rows] for title, rows in charts.items()}
    first, expected = next(iter(layers.items()))
    for title, names in layers.items():
        if names != expected:
            odd = sorted(set(names) ^ set(expected)) or "another order"
            raise ValueError(
                "Gates are compared over the same layers in the same order. "
                f"Received: {title!r} and {first!r} differ in {odd}"
            )
    return expected


def _draw_gates(
    axis: Any, title: str, rows: Sequence[GateRow], places: Sequence[str]
) -> None:
    axis.set_yscale("log")
    for index, (_, place, is_open, parameters) in enumerate(rows):
        colour = fraction(PALETTE[places.index(place) % len(PALETTE)])
        axis.bar(
            index,
            parameters - 0.8,
            bottom=0.8,
            width=0.78,
            facecolor=colour if is_open else "none",
            edgecolor=colour,
            linewidth=1.0,
        )
    opened = [i for i, row in enumerate(rows) if row[2]]
    axis.plot(opened, [0.33] * len(opened), "s", color="black", markersize=4.5)
    axis.axhline(0.8, color="0.6", linewidth=0.6)
    share = 100 * len(opened) / len(rows)
    axis.set_title(
        f"{title}: {len(opened)} of {len(rows)} gates open ({share:.0f} %)",
        loc="left",
        fontsize=10,
    )
    axis.set_ylabel("parameters", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.minorticks_off()
    axis.set_yticks([1, 100, 10_000], labels=["1", "100", "10 k"])


def _gate_legend(figure: Any, places: Sequence[str]) -> None:
    patch = packages.matplotlib("patches").Patch
    handles = [
        patch(color=fraction(PALETTE[i % len(PALETTE)]), label=place)
        for i, place in enumerate(places)
    ]
    handles += [
        patch(facecolor="0.5", edgecolor="0.3", label="gate open (■ below)"),
        patch(facecolor="none", edgecolor="0.3", label="gate closed"),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        fontsize=8,
        frameon=False,
    )

"""Score against what it costs (SpotPatch, Figure 5, and its parts)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import panels, style, svg
from object_detection_patch.decathlon.report.figures.panels import (
    Panel,
    Points,
)
from object_detection_patch.decathlon.report.tables import costing
from object_detection_patch.decathlon.report.tables.comparison import (
    Size,
    compare,
)

_KIBIBYTE = 1024


def score_figures(results: Results) -> Iterator[Figure]:
    """Score over nominal footprint, and over bytes of files."""
    yield from _figure(
        results,
        "score_and_footprint",
        "Score against nominal footprint",
        [_beside_the_paper(results)],
    )
    yield from _figure(
        results,
        "score_and_bytes",
        "Score against bytes of real patches",
        [_in_files(results)],
    )


def precision_figures(results: Results) -> Iterator[Figure]:
    """Figure 5, and the same with what was measured."""
    yield from _figure(
        results,
        "score_and_precision",
        "Score against size with 32 and 8 bits (the paper's Figure 5)",
        [_nominal_precisions(results), _measured_precisions(results)],
    )


def _figure(
    results: Results, key: str, title: str, candidates: Sequence[Panel]
) -> Iterator[Figure]:
    """Of the panels that have a point, if there is one."""
    chosen = [panel for panel in candidates if panel.filled]
    looks = style.looks(results.suite.methods)
    if chosen:
        words = " ".join(panel.in_words() for panel in chosen)
        yield svg.figure_of(
            key, title, words, lambda: panels.draw(chosen, looks)
        )


def _beside_the_paper(results: Results) -> Panel:
    way = costing.nominal(32)
    ours = _points(results, way, way.footprint(results, class_head=False))
    # The paper's sums are over all of its tasks.
    printed = {name.casefold() for name in paper.tasks()}
    comparable = printed == set(compare(results, way.accuracy).tasks)
    return Panel(
        title="Patches of all tasks together, in sizes of the base",
        across="footprint: bits of all patches over bits of one base",
        unit="bases",
        meaning=("ours", "paper"),
        filled=ours,
        hollow={m: p for m in ours if comparable and (p := _printed(m))},
    )


def _printed(method: str) -> tuple[float, float] | None:
    footprint = paper.total(method, "footprint")
    score = paper.total(method, "score")
    return None if footprint is None or score is None else (footprint, score)


def _in_files(results: Results) -> Panel:
    published = costing.files("float32")
    measured = _points(results, published, published.whole, _KIBIBYTE)
    way = published if measured else costing.small_files()
    return Panel(
        title=f"Bytes of all tasks' patches: {way.title}",
        across="KiB of all patches",
        unit="KiB",
        meaning=("whole files", "without the class head"),
        filled=_points(results, way, way.whole, _KIBIBYTE),
        hollow=_points(results, way, way.without_class_head, _KIBIBYTE),
    )


def _nominal_precisions(results: Results) -> Panel:
    wide, narrow = costing.nominal(32), costing.nominal(8)
    bits = 8 * _KIBIBYTE
    return Panel(
        title="Nominal, Score of the float32 model for both",
        across="KiB of all patches, without the class head",
        unit="KiB",
        meaning=("32 bits", "8 bits"),
        filled=_points(results, wide, wide.without_class_head, bits),
        hollow=_points(results, narrow, narrow.without_class_head, bits),
    )


def _measured_precisions(results: Results) -> Panel:
    wide, narrow = costing.files("float32"), costing.files("int8")
    return Panel(
        title="Measured: published files, models run in LiteRT",
        across="KiB of all patches, whole files",
        unit="KiB",
        meaning=("float32", "int8"),
        filled=_points(results, wide, wide.whole, _KIBIBYTE),
        hollow=_points(results, narrow, narrow.whole, _KIBIBYTE),
    )


def _points(
    results: Results, way: costing.Costing, size: Size, unit: float = 1
) -> Points:
    """Of the methods with a Score and a known size; costs in `unit`s."""
    compared = compare(results, way.accuracy)
    found = {}
    for method in compared.methods:
        score, total = compared.score(method), compared.total(method, size)
        if score is not None and total:
            found[method] = (total / unit, score)
    return found

"""Score against bytes of real files: COMPACT, its pieces, the baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import panels, style, svg
from object_detection_patch.decathlon.report.tables import pieces
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
)
from object_detection_patch.decathlon.report.tables.pieces import (
    EXACT,
    FINE,
    HALF,
    MASKS,
    SMALLEST,
    Training,
)
from object_detection_patch.decathlon.suite.suite import Compact

_KIBIBYTE = 1024
_ROOM_ABOVE = 1.1
# In shares of the axes: right of all patches and left of fine-tuning.
_NOTES_AT = 0.56
_HIGHEST_NOTE, _LOWEST_NOTE, _NOTE_HEIGHT = 0.93, 0.05, 0.08


@dataclasses.dataclass(frozen=True)
class Point:
    """A training as one encoding stores it.

    Args:
      kibibytes: of a task's whole file, mean over tasks and seeds.
      score: mean over seeds.
    """

    training: Training
    encoding: str
    kibibytes: float
    score: float

    @property
    def note(self) -> str:
        """What is written beside the point, if others have the same mark."""
        return (
            self.encoding if self.training == MASKS else self.training.variant
        )


@dataclasses.dataclass(frozen=True)
class Seeds:
    """All points with a result on each of some seeds."""

    seeds: tuple[int, ...]
    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        if len(self.seeds) == 1:
            return f"Seed {self.seeds[0]}"
        return f"Mean of {len(self.seeds)} seeds"

    def in_words(self) -> str:
        """Every number."""
        rows = [
            f"{one.training.name} ({one.encoding}) {one.kibibytes:,.2f} KiB, "
            f"Score {one.score:,.0f}"
            for one in self.points
        ]
        return f"{self.title}: {'; '.join(rows)}."


def compact_figures(results: Results) -> Iterator[Figure]:
    """One panel of the trainings on most seeds, one of all on the first."""
    given = results.suite.compact
    drawn = list(_panels(results, given)) if given else []
    if drawn:
        words = " ".join(one.in_words() for one in drawn)
        yield svg.figure_of(
            "score_and_file_bytes",
            "Score against the file that a task downloads",
            words,
            lambda: _draw(drawn),
        )


def frontier(points: Collection[Point]) -> list[Point]:
    """Those that no other beats in one way and equals in the other."""
    best: list[Point] = []
    for one in sorted(points, key=lambda one: (one.kibibytes, -one.score)):
        if not best or one.score > best[-1].score:
            best.append(one)
    return best


def _panels(results: Results, compact: Compact) -> Iterator[Seeds]:
    found = pieces.by_seed(results, compact)
    compacts = pieces.variants(compact)
    if not any(pieces.having(training, found) for training in compacts):
        return
    most = max(
        (tuple(pieces.having(training, found)) for training in compacts),
        key=len,
    )
    for seeds in dict.fromkeys((most, tuple(found)[:1])):
        among = {seed: found[seed] for seed in seeds}
        yield Seeds(seeds, tuple(_points(results, compact, among)))


def _points(
    results: Results, compact: Compact, among: Mapping[int, Comparison]
) -> Iterator[Point]:
    tasks = len(compact.tasks)
    for training, encoding in _drawn(results, compact):
        if len(pieces.having(training, among)) < len(among):
            continue
        every = tuple(among.values())
        size = pieces.mean_bytes(training, encoding, every)
        score = pieces.mean(pieces.scores(training, every))
        if size and score is not None:
            yield Point(training, encoding, size / tasks / _KIBIBYTE, score)


def _drawn(
    results: Results, compact: Compact
) -> Iterator[tuple[Training, str]]:
    """SPOTPATCH rounded afterwards is not: its Score is of other numbers."""
    yield FINE, HALF
    yield MASKS, EXACT
    for training in (MASKS, *pieces.baselines(results)):
        yield training, HALF
    for training in pieces.variants(compact):
        yield training, SMALLEST


def _draw(drawn: Sequence[Seeds]) -> Drawing:
    figure = style.new_figure(0.9 + 2.9 * len(drawn))
    axes = figure.subplots(len(drawn), squeeze=False)[:, 0]
    methods = dict.fromkeys(
        point.training.method for one in drawn for point in one.points
    )
    looks = style.looks(methods)
    for axis, one in zip(axes, drawn, strict=True):
        _draw_points(axis, one.points, looks)
        axis.set_title(one.title)
    panels.add_legend(figure, looks)
    return figure


def _draw_points(
    axis: Axes, points: Sequence[Point], looks: Mapping[str, style.Look]
) -> None:
    _draw_frontier(axis, points)
    for one in points:
        where = one.kibibytes, one.score
        axis.plot(*where, **looks[one.training.method].filled())
        if one.training == MASKS:
            style.write(axis, one.note, where, (4, 8))
    _write_notes(axis, [one for one in points if one.training != MASKS])
    panels.label_axes(axis, "KiB of a task's whole patch file, mean")
    axis.set_ylim(0, _ROOM_ABOVE * max(one.score for one in points))


def _write_notes(axis: Axes, points: Sequence[Point]) -> None:
    """In a column, the highest Score on top: their points lie too close."""
    noted = sorted(
        (one for one in points if one.note), key=lambda one: -one.score
    )
    room = _HIGHEST_NOTE - _LOWEST_NOTE
    height = min(_NOTE_HEIGHT, room / max(len(noted), 1))
    for place, one in enumerate(noted):
        axis.annotate(
            one.note,
            (one.kibibytes, one.score),
            xytext=(_NOTES_AT, _HIGHEST_NOTE - place * height),
            textcoords="axes fraction",
            va="center",
            size=8,
            arrowprops={
                "arrowstyle": "-",
                "color": style.MUTED,
                "linewidth": 0.4,
                "relpos": (0, 0.5),
                "shrinkB": 3,
            },
        )


def _draw_frontier(axis: Axes, points: Sequence[Point]) -> None:
    """What is to be had for so many bytes, as steps up to the largest file."""
    front = frontier(points)
    largest = max(one.kibibytes for one in points)
    axis.step(
        [*(one.kibibytes for one in front), largest],
        [*(one.score for one in front), front[-1].score],
        where="post",
        color=style.MUTED,
        linewidth=0.8,
    )

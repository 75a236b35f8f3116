"""What the base and two patches of it detect, for each task in one image.

The detections lie where the runs took place; a report that is written
elsewhere keeps the images of an earlier one.
"""

from __future__ import annotations

import io
import pathlib
import sys
import zipfile
from collections.abc import Iterator

import numpy as np
from PIL import Image

from object_detection_patch import pictures
from object_detection_patch.decathlon.report import markdown
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure, Section
from object_detection_patch.decathlon.report.figures.gates import gates_of
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import (
    FINE_TUNING,
    SuiteTask,
)
from object_detection_patch.demo import drawn

LARGEST_BYTES = 60_000
"""Of one image, so that a report with ten stays a small file."""

_SIDE = 220
_QUALITIES = (85, 75, 65, 55, 45)
_SHRINK = 0.85
_MEDIA_TYPE = "image/jpeg"
_BASE = "base"


def build_gallery(results: Results) -> tuple[Section, ...]:
    """One section with an image a task, or none if there is no image."""
    figures = tuple(_figures(results))
    if not figures:
        return ()
    return (Section("gallery", "What is detected", figures=figures),)


def _figures(results: Results) -> Iterator[Figure]:
    gates = gates_of(results)
    wanted = [FINE_TUNING, *([gates.method] if gates else [])]
    for task in results.suite.tasks:
        methods = [m for m in wanted if _map(results, m, task) is not None]
        image = _image(results, task, methods)
        if image:
            yield _figure(task, _alternative(results, task, methods), image)


def _figure(task: SuiteTask, alternative: str, image: bytes) -> Figure:
    return Figure(
        key=f"gallery_{task.key}",
        title=f"{task.key}: detections of the base and of its patches",
        alternative=alternative,
        image=image,
        media_type=_MEDIA_TYPE,
    )


def _image(
    results: Results, task: SuiteTask, methods: list[str]
) -> bytes | None:
    """Drawn now, or kept from an earlier report."""
    titles = [_BASE, *(_title(results, m, task) for m in methods)]
    rows = [_detections(path) for path in _paths(results, task, methods)]
    if methods and all(rows):
        return _jpeg(_sheet(rows, titles))
    kept = results.folder / markdown.figure_path(_figure(task, "", b""))
    return kept.read_bytes() if kept.is_file() else None


def _paths(
    results: Results, task: SuiteTask, methods: list[str]
) -> Iterator[pathlib.Path]:
    suite, work = results.suite, results.folder / "work"
    base = suite.base.key
    yield work / "bases" / base / f"drawn_{task.key}.npz"
    for method in methods:
        run = runs_lib.Run(
            runs_lib.MAIN, method, task, cells.SEED, base, suite.methods[method]
        )
        yield work / "runs" / run.id / "drawn.npz"


def _detections(path: pathlib.Path) -> list[np.ndarray]:
    """The images of a file; none if it is missing, or cut short by a kill."""
    # The directory of a zip file, which .npz is, lies at its end.
    if not zipfile.is_zipfile(path):
        if path.exists():
            print(f"Left out, as it is no whole file: {path}", file=sys.stderr)
        return []
    return drawn.draw(str(path))[: drawn.IMAGES]


def _sheet(rows: list[list[np.ndarray]], titles: list[str]) -> np.ndarray:
    columns = min(map(len, rows))
    small = [[_small(image) for image in row[:columns]] for row in rows]
    return pictures.side_by_side(small, [""] * columns, titles)


def _small(image: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(image)
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _jpeg(sheet: np.ndarray) -> bytes:
    """The best of a few qualities that is small enough, else a smaller one."""
    picture = Image.fromarray(sheet)
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= LARGEST_BYTES:
                return file.getvalue()
        smaller = (max(1, round(side * _SHRINK)) for side in picture.size)
        picture = picture.resize(
            (next(smaller), next(smaller)), Image.Resampling.LANCZOS
        )


def _map(results: Results, method: str, task: SuiteTask) -> float | None:
    """In percent."""
    outcome = results.outcome(method, task.key, seed=cells.SEED)
    return cells.percent(cells.keras(outcome)) if outcome else None


def _title(results: Results, method: str, task: SuiteTask) -> str:
    return f"{method}\n{_map(results, method, task):.1f} % mAP"


def _alternative(results: Results, task: SuiteTask, methods: list[str]) -> str:
    rows = [
        f"{method}, mAP@0.5 {_map(results, method, task):.2f} %"
        for method in methods
    ]
    return (
        f"{task.name}: the same evaluation images in every row, with the "
        "detections of the base, which knows the classes of its own task "
        f"only; {'; '.join(rows)}."
    )

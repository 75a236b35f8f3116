"""A directory of runs -> report.md, report.html, tables and figures."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

from object_detection_patch.decathlon.report import (
    build,
    csv_files,
    html,
    markdown,
)
from object_detection_patch.decathlon.report.collect import Results, collect
from object_detection_patch.decathlon.report.contents import Report, Section
from object_detection_patch.decathlon.report.figures import build_figures
from object_detection_patch.decathlon.report.gallery import build_gallery
from object_detection_patch.decathlon.suite.suite import FINE_TUNING


def write_report(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes a report beside the records that it is made of.

    Every file appears whole or not at all, and is the same for the same
    records.

    Returns:
      report.html and report.md.
    Raises:
      RecordError: for a file that is no whole record.
      ValueError: if there is no suite.
      OSError: if a file cannot be written.
    """
    report = build_report(collect(folder))
    csv_files.write(report, folder)
    markdown.write(report, folder)
    html.write(report, folder)
    return [folder / "report.html", folder / "report.md"]


def build_report(results: Results) -> Report:
    """Tables, each section with its figures, and the gallery."""
    suite = results.suite
    runs = results.runs.values()
    failed = sum(run.outcome is None for run in runs)
    return Report(
        title=f"Detection Decathlon: suite {suite.name}",
        paragraphs=(
            f"{len(suite.tasks)} tasks, {len(suite.methods)} methods, "
            f"{len(results.bases)} bases; {len(runs)} runs are recorded, "
            f"{failed} of them failed.",
            "Every number is computed from the records beside this report. "
            "What is called the paper is SpotPatch: Parameter-Efficient "
            "Transfer Learning for Mobile Object Detection. Bold is the best "
            f"of a column or row; {FINE_TUNING}, which Scores are relative "
            "to, does not compete.",
        ),
        sections=_joined(
            build.build_tables(results),
            (*build_figures(results), *build_gallery(results)),
        ),
    )


def _joined(
    tables: Sequence[Section], figures: Sequence[Section]
) -> tuple[Section, ...]:
    """Figures go to the section of their key, if there is one."""
    by_key = {section.key: section.figures for section in figures}
    known = {section.key for section in tables}
    return (
        *(
            dataclasses.replace(section, figures=by_key.get(section.key, ()))
            for section in tables
        ),
        *(section for section in figures if section.key not in known),
    )

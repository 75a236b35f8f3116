"""Tables as CSV files, with every digit."""

from __future__ import annotations

import csv
import io
import pathlib

from object_detection_patch.decathlon.report.contents import Report, Table
from object_detection_patch.patch_file.whole_file import write_whole

_FOLDER = "tables"


def write(report: Report, folder: pathlib.Path) -> None:
    """Writes tables/<key>.csv for every table of a report."""
    tables = folder / _FOLDER
    tables.mkdir(parents=True, exist_ok=True)
    for section in report.sections:
        for table in section.tables:
            # Names in data sets may hold what UTF-8 has no bytes for.
            data = text(table).encode("utf-8", "backslashreplace")
            write_whole(tables / f"{table.key}.csv", data)


def text(table: Table) -> str:
    """A header of titles, then the rows; a gap is an empty field.

    A heading `paper` is joined to the one that it stands beside, so that
    every heading of a file is another.
    """
    file = io.StringIO(newline="")
    # Words in quotes, as they may hold any kind of line break.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(_headings(table))
    writer.writerows(table.rows)
    return file.getvalue()


def _headings(table: Table) -> list[str]:
    titles = [column.title for column in table.columns]
    return [
        f"{titles[index - 1]} ({title})"
        if index and titles.count(title) > 1
        else title
        for index, title in enumerate(titles)
    ]

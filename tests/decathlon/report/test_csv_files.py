"""CSV files read back as what was written, whatever the text."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report import csv_files
from object_detection_patch.decathlon.report.contents import (
    Column,
    Report,
    Section,
    Table,
)

# csv cannot read NUL before Python 3.11.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    max_size=12,
)
CELL = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), TEXT)


def _read(text):
    """Rows, as a file opened with newline="" gives them."""
    return list(csv.reader(io.StringIO(text, newline="")))


def _table(rows, columns, key="some"):
    return Table(key, "Some", tuple(columns), tuple(map(tuple, rows)))


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5))
def test_any_cell_reads_back(rows):
    columns = [Column("a"), Column("b", "1"), Column("c")]
    found = _read(csv_files.text(_table(rows, columns)))
    assert found[0] == ["a", "b", "c"]
    assert found[1:] == [
        ["" if cell is None else str(cell) for cell in row] for row in rows
    ]


def test_every_digit_is_kept():
    (_, row) = _read(
        csv_files.text(_table([["a", 0.1 + 0.2]], [Column("n")] * 2))
    )
    assert float(row[1]) == 0.1 + 0.2


def test_a_heading_that_repeats_says_of_what():
    columns = [
        *(Column("Method"), Column("Score"), Column("paper")),
        *(Column("Footprint"), Column("paper")),
    ]
    (headings,) = _read(csv_files.text(_table([], columns)))
    assert headings == [
        *("Method", "Score", "Score (paper)"),
        *("Footprint", "Footprint (paper)"),
    ]


def test_a_file_for_every_table(tmp_path):
    tables = [_table([[1]], [Column("n")], key) for key in ("one", "two")]
    sections = [Section(table.key, "", tables=(table,)) for table in tables]
    report = Report("", (), tuple(sections))
    csv_files.write(report, tmp_path)
    csv_files.write(report, tmp_path)
    found = {path.name: path.read_bytes() for path in tmp_path.glob("**/*.csv")}
    assert found == {"one.csv": b'"n"\n1\n', "two.csv": b'"n"\n1\n'}
    assert (tmp_path / "tables" / "one.csv").is_file()


def test_text_that_is_no_utf_8_is_written_escaped(tmp_path):
    table = _table([["\udcff"]], [Column("n")])
    csv_files.write(
        Report("", (), (Section("", "", tables=(table,)),)), tmp_path
    )
    assert (tmp_path / "tables/some.csv").read_bytes() == b'"n"\n"\\udcff"\n'

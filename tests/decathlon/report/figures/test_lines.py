"""lines: numbers of a table, words and gaps left out."""

from object_detection_patch.decathlon.report.contents import Column, Table
from object_detection_patch.decathlon.report.figures import lines

_TABLE = Table(
    "t",
    "T",
    (
        Column("Task"),
        Column("a", "1"),
        Column("paper", "1"),
        Column("b", "percent"),
    ),
    (
        ("birds", 1.25, 9.0, 0.5),
        ("cars", "not run", 9.0, 0.25),
        ("pet", None, 9.0, "failed"),
    ),
)


def test_rows_and_columns_with_numbers():
    found = lines.lines_of(_TABLE, {1: "one", 3: "two"})
    assert found == {
        "birds": {"one": 1.25, "two": 50.0},
        "cars": {"two": 25.0},
    }


def test_in_words():
    found = lines.lines_of(_TABLE, {1: "one", 3: "two"})
    assert lines.in_words(found) == (
        "birds: 1.25 at one, 50.00 at two; cars: 25.00 at two"
    )

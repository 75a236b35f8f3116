"""All tables of whole, partial and empty directories."""

import math
import re

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from object_detection_patch.decathlon.report import csv_files, markdown
from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.collect import collect
from object_detection_patch.decathlon.report.contents import Report
from tests.decathlon.report import results as made

_METHODS = ("FINE_TUNING", "BN_PATCH", "WEIGHTTRANS", "SPOTPATCH")
_KEYS = re.compile(r"[a-z0-9_]+")


def _tables(results):
    return [t for section in build_tables(results) for t in section.tables]


def _check(results):
    """What holds for any report."""
    tables = _tables(results)
    keys = [table.key for table in tables]
    assert len(keys) == len(set(keys))
    for table in tables:
        assert _KEYS.fullmatch(table.key)
        for row in table.rows:
            assert len(row) == len(table.columns), table.key
            for cell in row:
                assert not isinstance(cell, float) or math.isfinite(cell)
        for row, column in table.highlights:
            assert isinstance(table.rows[row][column], int | float)
        csv_files.text(table)
    markdown.render(Report("Any", (), build_tables(results)))


@pytest.fixture(scope="module")
def whole():
    return made.whole(made.suite(3, _METHODS), seeds=2)


def test_sections_in_reading_order(whole):
    assert [section.key for section in build_tables(whole)] == [
        *("claims", "decathlon", "scores", "gates", "updating", "sizes"),
        *("sparsity", "spread", "datasets", "costs", "setting"),
    ]
    _check(whole)


def test_an_empty_directory_still_shows_what_is_to_come():
    results = made.of(made.suite())
    _check(results)
    ours = {table.key: table for table in _tables(results)}["table_2"]
    assert {cell for row in ours.rows for cell in row[2:11]} == {"not run"}
    assert any("Nothing has run yet." in note for note in ours.notes)


def test_a_bare_suite_has_no_section_of_other_experiments():
    bare = made.suite(
        2, _METHODS, updating=False, sparsity=False, tuning=False, phone=False
    )
    results = made.whole(bare)
    _check(results)
    keys = [section.key for section in build_tables(results)]
    assert not {"updating", "sparsity"} & set(keys)
    tables = {table.key for table in _tables(results)}
    assert not {"rates", "table_4_int8", "scores_int8_files"} & tables


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.data())
def test_any_part_of_a_directory_makes_a_report(whole, data):
    fates = data.draw(
        st.lists(
            st.sampled_from(["kept", "lost", "failed", "unpublished"]),
            min_size=len(whole.runs),
            max_size=len(whole.runs),
        )
    )
    runs = [
        _after(run, fate)
        for run, fate in zip(whole.runs.values(), fates, strict=True)
        if fate != "lost"
    ]
    bases = data.draw(st.sets(st.sampled_from(sorted(whole.bases))))
    _check(made.of(whole.suite, runs, [whole.bases[key] for key in bases]))


def _after(run, fate):
    if fate == "failed":
        return msgspec.structs.replace(run, outcome=None, error="OSError: |\n")
    if fate == "unpublished":
        outcome = msgspec.structs.replace(run.outcome, float32=None, int8=None)
        return msgspec.structs.replace(run, outcome=outcome)
    return run


def test_settings_and_failures_are_told(whole):
    (setting,) = (s for s in build_tables(whole) if s.key == "setting")
    assert setting.paragraphs[1:] == whole.suite.settings
    failed = _after(next(iter(whole.runs.values())), "failed")
    claims, *_ = build_tables(made.of(whole.suite, [failed]))
    assert claims.tables[-1].key == "failures"
    assert claims.tables[-1].rows[0][-1] == "OSError: |\n"


def test_a_directory_read_back_gives_the_same_report(tmp_path, whole):
    made.write(whole, tmp_path)
    found = {table.key: table for table in _tables(collect(tmp_path))}
    for table in _tables(whole):
        assert found[table.key] == table

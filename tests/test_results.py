"""RESULTS.md and the rendered report say what the records beside them say."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from object_detection_patch.decathlon.report import page

_ROOT = pathlib.Path(__file__).parents[1]
_MINI = _ROOT / "results" / "mini"

pytestmark = pytest.mark.skipif(
    not _MINI.is_dir(), reason="results/ is not in this checkout"
)


def _files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "work" not in path.relative_to(folder).parts
    }


def test_the_kept_report_is_what_the_records_give(tmp_path):
    again = tmp_path / "mini"
    shutil.copytree(_MINI, again, ignore=shutil.ignore_patterns("work"))
    page.write_report(again)

    changed = {
        str(name)
        for name, data in _files(again).items()
        if data != _files(_MINI).get(name)
    }
    assert not changed, "run: od-patch decathlon report results/mini"


def test_every_row_of_the_page_is_one_of_the_report():
    report = (_MINI / "report.md").read_text(encoding="utf-8").splitlines()
    text = (_ROOT / "RESULTS.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]

    assert len(rows) > 10
    assert [row for row in rows if row not in report] == []


def test_records_name_no_directory_of_the_machine_that_made_them():
    for name, data in _files(_MINI).items():
        for folder in (b"/tmp/", b"/home/", b"/root/", b"/work/"):
            assert folder not in data, name

"""RESULTS.md and the rendered report say what the records beside them say."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from object_detection_patch.decathlon.report import page

_ROOT = pathlib.Path(__file__).parents[1]
_KEPT = sorted((_ROOT / "results").glob("*/suite.json"))

pytestmark = pytest.mark.skipif(
    not _KEPT, reason="results/ is not in this checkout"
)


@pytest.fixture(params=_KEPT, ids=lambda path: path.parent.name)
def kept(request):
    """A directory of results."""
    return request.param.parent


def _files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "work" not in path.relative_to(folder).parts
    }


def test_the_kept_report_is_what_the_records_give(kept, tmp_path):
    again = tmp_path / kept.name
    shutil.copytree(kept, again, ignore=shutil.ignore_patterns("work"))
    page.write_report(again)

    changed = {
        str(name)
        for name, data in _files(again).items()
        if data != _files(kept).get(name)
    }
    assert not changed, f"run: od-patch decathlon report results/{kept.name}"


def test_every_row_of_the_page_is_one_of_the_report():
    reports = [path.with_name("report.md").read_text() for path in _KEPT]
    report = "\n".join(reports).splitlines()
    text = (_ROOT / "RESULTS.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]

    assert len(rows) > 10
    assert [row for row in rows if row not in report] == []


def test_records_name_no_directory_of_the_machine_that_made_them(kept):
    for name, data in _files(kept).items():
        for folder in (b"/tmp/", b"/home/", b"/root/", b"/work/"):
            assert folder not in data, name

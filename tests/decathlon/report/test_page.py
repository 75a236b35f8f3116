"""page: a directory of records becomes a directory with a report."""

import dataclasses
import re

import pytest

from object_detection_patch.decathlon.report import page
from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.figures import build_figures
from object_detection_patch.decathlon.running.record import RecordError
from tests.decathlon.report import results as made
from tests.decathlon.report.page_parts import Page

_RESULTS = made.whole(made.suite(3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    made.write(_RESULTS, folder)
    written = page.write_report(folder)
    assert written == [folder / "report.html", folder / "report.md"]
    return folder


def test_every_table_and_figure_has_a_file(folder):
    tables = {
        table.key
        for section in build_tables(_RESULTS)
        for table in section.tables
    }
    figures = {
        figure.key
        for section in build_figures(_RESULTS)
        for figure in section.figures
    }
    assert {path.stem for path in folder.glob("tables/*.csv")} == tables
    assert {path.stem for path in folder.glob("figures/*.svg")} == figures
    text = (folder / "report.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(figures/(\w+)\.svg\)", text))
    assert linked == figures


def test_every_table_and_figure_is_in_the_page(folder):
    parsed = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert len(parsed.named("table")) == len(list(folder.glob("tables/*")))
    assert len(parsed.named("svg")) == len(list(folder.glob("figures/*")))
    links = [a["href"] for a in parsed.named("a")]
    assert len(links) == len(parsed.named("section")) + 1


def test_figures_stand_in_the_section_of_their_key():
    report = page.build_report(_RESULTS)
    expected = {
        section.key: section.figures for section in build_figures(_RESULTS)
    }
    found = {section.key: section.figures for section in report.sections}
    assert len(found) == len(report.sections)
    assert {key: found[key] for key in expected} == expected
    assert all(found[key] == () for key in found.keys() - expected.keys())


def test_figures_of_no_section_get_their_own(folder):
    kept = folder / "figures" / "gallery_birds.jpeg"
    kept.write_bytes(b"\xff\xd8earlier")
    results = dataclasses.replace(_RESULTS, folder=folder)
    report = page.build_report(results)
    kept.unlink()
    assert report.sections[-1].key == "gallery"
    assert report.sections[-1].tables == ()
    assert [f.key for f in report.sections[-1].figures] == ["gallery_birds"]


def test_again_the_same_bytes(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    page.write_report(folder)
    after = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert before == after


def test_failed_runs_are_counted():
    suite = made.suite(1)
    runs = [
        made.run("BN_PATCH", "birds", None),
        made.run("SPOTPATCH", "birds", made.outcome(0.5)),
    ]
    report = page.build_report(made.of(suite, runs))
    assert "2 runs are recorded, 1 of them failed." in report.paragraphs[0]


def test_half_a_record_stops_it_before_anything_is_written(tmp_path):
    made.write(_RESULTS, tmp_path)
    first = next(tmp_path.glob("runs/*.json"))
    first.write_bytes(first.read_bytes()[:100])
    with pytest.raises(RecordError, match=f"{first.name} must hold a whole"):
        page.write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()
    assert not (tmp_path / "tables").exists()


def test_a_directory_without_runs(tmp_path):
    made.write(made.of(made.suite()), tmp_path)
    page.write_report(tmp_path)
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_a_directory_without_a_suite(tmp_path):
    with pytest.raises(ValueError, match=r"suite\.json"):
        page.write_report(tmp_path)

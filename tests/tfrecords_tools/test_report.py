"""Reports read back, refuse damage, and speak plainly."""

import collections
import dataclasses
import json
from pathlib import Path

import pytest

from tfrecords_tools.counts import Counts
from tfrecords_tools.errors import ParseError
from tfrecords_tools.report import Report, describe, read_report, write_report


def counter(**values):
    return collections.Counter(values)


REPORT = Report(
    dataset="pet",
    title="Oxford-IIIT Pet",
    split="train",
    expected_images=3180,
    order="of the list",
    options={"num_shards": 2, "max_side": None},
    shards=["pet_train.record-00000-of-00002", "...-00001-of-00002"],
    images_by_shard=[1590, 1590],
    bytes_by_shard=[10, 20],
    counts=Counts(
        images=counter(annotated=3180, written=3180),
        boxes=counter(annotated=3200, kept=3200),
        classes=counter(beagle=3100, pug=100),
    ),
    identity="0123",
)


def report_of(**fields):
    """REPORT with other counts."""
    named = fields.pop("named", {})
    counts = dataclasses.replace(REPORT.counts, named=named, **fields)
    return dataclasses.replace(REPORT, counts=counts)


def test_reads_back(tmp_path):
    path = tmp_path / "pet_report.json"
    path.write_text("older")
    report = report_of(dropped=counter(odd=3), named={"odd": ["猫/é.jpg"]})
    write_report(path, report)
    assert read_report(path) == report
    assert list(tmp_path.iterdir()) == [path]
    text = path.read_text("utf-8")
    assert text.endswith("}\n") and "猫/é.jpg" in text
    assert json.loads(text)["counts"]["dropped"] == {"odd": 3}


@pytest.mark.parametrize("name", ["caf\udce9.jpg", "\ud800", 'a\n"b".jpg'])
def test_any_file_name_reads_back(tmp_path, name):
    report = report_of(unusable=counter(absent=1), named={"absent": [name]})
    write_report(tmp_path / "report.json", report)
    assert read_report(tmp_path / "report.json") == report


def test_options_may_be_paths(tmp_path):
    report = dataclasses.replace(REPORT, options={"list": Path("a", "b")})
    write_report(tmp_path / "report.json", report)
    found = read_report(tmp_path / "report.json")
    assert found.options == {"list": str(Path("a", "b"))}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"counts": []}',
        '{"counts": {}}',
        '{"counts": {"named": {}}, "dataset": "pet"}',
        '{"counts": {"named": {}, "images": 3}}',
        '{"counts": {"named": 3}}',
        "\udcff",
    ],
)
def test_what_is_no_report_is_named(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ParseError, match="report is damaged: ") as error:
        read_report(path)
    assert str(error.value).endswith(f"({path})")


def test_a_clean_conversion_is_one_line():
    assert list(describe(REPORT)) == [
        "Oxford-IIIT Pet, train: 3,180 images, 3,200 boxes of 2 classes in 2 "
        "files"
    ]


def test_one_of_a_kind_is_singular():
    report = report_of(
        images=collections.Counter({"written": 1, "without boxes": 1}),
        boxes=counter(kept=1, clipped=1),
        classes=counter(cat=1),
        remarks=counter(odd=1),
    )
    text = "\n".join(describe(report))
    assert "1 image, 1 box of 1 class in" in text
    assert "without a box: 1 image\n" in text
    assert "look at 1 image: odd" in text


def test_everything_unusual_has_its_line():
    report = report_of(
        images=counter(**{"annotated": 3180, "written": 3172})
        + collections.Counter({"without boxes": 1234}),
        boxes=counter(annotated=9000, kept=8000, clipped=2000),
        unusable=counter(absent=5) + counter(**{"empty file": 3}),
        dropped=counter(**{"zero width": 400, "unknown class": 600}),
        re_encoded=counter(GIF=7),
        remarks=counter(odd=2),
        named={
            "absent": ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"],
            "empty file": ["6.jpg", "7.jpg", "8.jpg"],
            "unknown class": ["9\n.jpg"],
            "GIF": ["a.jpg"],
            "odd": ["b.jpg", "c.jpg"],
        },
    )
    assert list(describe(report))[1:] == [
        "  the whole dataset has 3,180 images",
        "  without a box: 1,234 images",
        "  5 of 3,180 images left out: absent ('1.jpg', '2.jpg', '3.jpg', ...)",
        "  3 of 3,180 images left out: empty file ('6.jpg', '7.jpg', '8.jpg')",
        "  600 of 9,000 boxes dropped: unknown class ('9\\n.jpg')",
        "  400 of 9,000 boxes dropped: zero width",
        "  clipped to the image: 2,000 boxes",
        "  stored anew as JPEG: 7 images, GIF ('a.jpg')",
        "  look at 2 images: odd ('b.jpg', 'c.jpg')",
    ]


@pytest.mark.parametrize("expected", [None, 3180])
def test_nothing_is_said_of_a_count_that_is_unknown_or_right(expected):
    report = dataclasses.replace(REPORT, expected_images=expected)
    assert len(list(describe(report))) == 1

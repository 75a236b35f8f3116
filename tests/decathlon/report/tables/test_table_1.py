"""Counts from reports that the converters' own writer wrote."""

import collections
import json

from object_detection_patch.decathlon.report.tables import table_1
from tests.decathlon.report import results as made
from tfrecords_tools.counts import Counts
from tfrecords_tools.report import Report, write_report


def _report(path, split, images, boxes, classes):
    counts = Counts(
        images=collections.Counter(annotated=images + 2, written=images),
        boxes=collections.Counter(annotated=boxes + 5, kept=boxes),
        classes=collections.Counter(dict.fromkeys(classes, 1)),
    )
    report = Report(
        dataset="birds",
        title="Birds",
        split=split,
        expected_images=3000,
        order="as listed",
        options={},
        shards=["one"],
        images_by_shard=[images],
        bytes_by_shard=[1],
        counts=counts,
        identity="",
    )
    write_report(path, report)
    return json.loads(path.read_bytes())


def test_what_was_written_beside_the_paper(tmp_path):
    splits = {
        "train": _report(tmp_path / "t", "train", 80, 90, ["wren", "tit"]),
        "eval": _report(tmp_path / "e", "eval", 20, 25, ["tit", "jay"]),
    }
    results = made.of(made.suite(2), conversions={"birds": splits})
    oid, birds, cars = table_1.datasets(results).rows
    assert birds == (
        *("birds", "The birds data set"),
        *(80, 3000, 20, 3033, 3, 200, 90, 25),
    )
    gap = "no report"
    assert cars[2:] == (gap, 8144, gap, 8041, gap, 196, gap, gap)
    assert oid[2:] == (gap, 1_668_276, gap, None, gap, 601, gap, gap)


def test_one_split_alone(tmp_path):
    splits = {"eval": _report(tmp_path / "e", "eval", 20, 25, ["tit"])}
    results = made.of(made.suite(1), conversions={"birds": splits})
    assert table_1.datasets(results).rows[1][2:] == (
        *("no report", 3000, 20, 3033, 1, 200, "no report", 25),
    )

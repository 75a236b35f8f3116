"""Records that a report must not take for results of its suite."""

from __future__ import annotations

import json
import shutil

import pytest

from object_detection_patch.decathlon.report import collect
from object_detection_patch.decathlon.running import record
from tests.decathlon.report import results as made

_METHODS = ("FINE_TUNING", "SPOTPATCH")
_NAME = "main__spotpatch__birds__seed1.json"


@pytest.fixture
def folder(tmp_path):
    suite = made.suite(2, _METHODS)
    runs = [made.run(m, "birds", made.outcome(0.5)) for m in _METHODS]
    conversions = {"birds": {"train": made.conversion("birds", "train", 6)}}
    made.write(made.of(suite, runs, conversions=conversions), tmp_path)
    return tmp_path


def _change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_what_a_run_wrote_is_taken(folder):
    assert len(collect.collect(folder).runs) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"config_sha256": "00"}, "settings in the suite are no longer"),
        ({"steps": 3}, "Received: `steps` 3 in place of 300 in"),
        ({"rate": 0.5}, "Received: `rate` 0.5 in place of"),
        ({"suite": "other"}, "Received: `suite` 'other' in place of"),
        ({"base": "coco_10"}, "Received: `base` 'coco_10' in"),
        ({"method": "FINE_TUNING"}, "which is of main__fine_tuning__birds"),
    ],
)
def test_a_changed_record_is_refused(folder, fields, message):
    path = folder / "runs" / _NAME
    _change(path, **fields)

    with pytest.raises(ValueError, match=message) as raised:
        collect.collect(folder)
    assert str(path) in str(raised.value)


def test_a_changed_suite_is_refused(folder):
    suite = json.loads((folder / "suite.json").read_text())
    suite["methods"]["SPOTPATCH"]["rate"] = 0.5
    (folder / "suite.json").write_text(json.dumps(suite))

    with pytest.raises(
        ValueError, match=rf"no longer those of .*{_NAME} \(there `rate` .* 0.5"
    ):
        collect.collect(folder)


def test_a_second_record_of_a_run_is_refused(folder):
    shutil.copy(folder / "runs" / _NAME, folder / "runs" / "zz.json")

    with pytest.raises(ValueError, match="zz.json, which is of main__spotp"):
        collect.collect(folder)


def test_results_that_the_suite_has_no_more_stay(folder):
    suite = json.loads((folder / "suite.json").read_text())
    del suite["methods"]["SPOTPATCH"]
    suite["sparsity"] = suite["tuning"] = None
    (folder / "suite.json").write_text(json.dumps(suite))

    assert len(collect.collect(folder).runs) == 2


@pytest.mark.parametrize("text", ['{"images": 4', "images", ""])
def test_half_a_converters_report_is_named(folder, text):
    path = folder / "conversion" / "birds_train_report.json"
    path.write_text(text)

    with pytest.raises(record.RecordError, match="birds_train_report.json"):
        collect.collect(folder)

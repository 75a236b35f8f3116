"""Records: what is written is read back; anything else is refused."""

from __future__ import annotations

import json
import math

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs
from tests.decathlon.running.records_to_test import (
    base_record,
    outcome,
    run_record,
)
from tests.decathlon.suite.suites_to_test import suite

_RUN = runs.select(suite())[0]


@pytest.fixture
def path(tmp_path):
    record.write_json(tmp_path / "a.json", run_record(suite(), _RUN))
    return tmp_path / "a.json"


def test_a_run_is_read_back(path):
    assert record.read_run(path) == run_record(suite(), _RUN)


def test_a_failed_run_is_read_back(tmp_path):
    failed = run_record(suite(), _RUN, outcome=None, error="x\n\u2028y")
    record.write_json(tmp_path / "a.json", failed)

    assert record.read_run(tmp_path / "a.json") == failed


def test_a_base_and_a_suite_are_read_back(tmp_path):
    record.write_json(tmp_path / "b.json", base_record(suite(), "source"))
    record.write_json(tmp_path / "s.json", suite())

    assert record.read_base(tmp_path / "b.json").key == "source"
    assert record.read_suite(tmp_path / "s.json") == suite()


def test_any_json_tool_reads_it(path):
    content = json.loads(path.read_bytes())

    assert content["outcome"]["accuracy"] == {"coco": 0.5, "pascal": 0.6}
    assert content["outcome"]["float32"] is None


def test_a_file_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        with pytest.raises(record.RecordError, match="may be removed"):
            record.read_run(path)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("schema",), 2, "schema 1. Received: 2"),
        (("extra",), 1, "unknown field `extra`"),
        (("outcome", "accuracy", "coco"), 1.5, "<= 1.0"),
        (("outcome", "accuracy", "coco"), "0.5", "Expected `float`"),
        (("outcome", "gates", 0, "open"), 1, "Expected `bool`"),
        (("outcome", "footprint", "base_parameters"), 0, ">= 1"),
        (("seed",), -1, ">= 0"),
        (("seconds", "train"), -1, ">= 0"),
    ],
)
def test_a_changed_value_is_refused_by_its_place(path, keys, value, message):
    content = json.loads(path.read_bytes())
    at = content
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(record.RecordError, match=message) as raised:
        record.read_run(path)
    assert str(path) in str(raised.value)


def test_a_missing_field_is_refused(path):
    content = json.loads(path.read_bytes())
    del content["outcome"]["footprint"]["bits_8"]
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(record.RecordError, match="bits_8"):
        record.read_run(path)


def test_a_base_is_no_run(tmp_path):
    record.write_json(tmp_path / "b.json", base_record(suite(), "source"))

    with pytest.raises(record.RecordError, match="RunRecord"):
        record.read_run(tmp_path / "b.json")


@hypothesis.given(st.binary(max_size=200))
def test_whatever_is_no_record_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "a.json"
    path.write_bytes(data)

    with pytest.raises(record.RecordError):
        record.read_run(path)


@hypothesis.given(st.floats(0, 1), st.floats(0, 1))
def test_numbers_survive_to_the_last_bit(tmp_path_factory, coco, pascal):
    path = tmp_path_factory.mktemp("any") / "a.json"
    accuracy = record.Accuracy(coco=coco, pascal=pascal)
    changed = msgspec.structs.replace(outcome(), accuracy=accuracy)
    record.write_json(path, run_record(suite(), _RUN, outcome=changed))

    read = record.read_run(path).outcome.accuracy
    assert math.copysign(1, read.coco) == math.copysign(1, coco)
    assert (read.coco, read.pascal) == (coco, pascal)


def test_a_directory_is_no_record(tmp_path):
    with pytest.raises(record.RecordError, match="RunRecord is read from a f"):
        record.read_run(tmp_path)

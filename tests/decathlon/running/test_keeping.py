"""Records of processes that ended without a word."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.decathlon.running import keeping, record
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.suite import runs
from tests.decathlon.running.records_to_test import outcome, run_record
from tests.decathlon.suite.suites_to_test import suite

_SUITE = suite()
_RUN = runs.select(_SUITE)[1]
_UNMEASURED = msgspec.structs.replace(outcome(), int8=None)


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path)


def _held(folder):
    return record.read_run(folder.run_record(_RUN.id))


def _keep(folder, **changes):
    path = folder.run_record(_RUN.id)
    record.write_json(path, run_record(_SUITE, _RUN, **changes))


def _die(folder, *, on_phone=False):
    return keeping.keep_death(
        folder, _SUITE, _RUN, "ended by signal 9", on_phone=on_phone
    )


def test_a_run_is_recorded_with_its_settings(folder):
    keeping.keep_run(folder, _SUITE, _RUN, Phases(), outcome(), None)
    held = _held(folder)

    same = run_record(_SUITE, _RUN)
    measured = ("seconds", "peak_bytes", "environment", "started")
    assert msgspec.structs.replace(
        held, **{name: getattr(same, name) for name in measured}
    ) == msgspec.structs.replace(same, steps=4, rate=1e-2)
    assert held.peak_bytes > 2**20


def test_a_death_is_recorded(folder):
    assert _die(folder)

    held = _held(folder)
    assert (held.outcome, held.error) == (None, "ended by signal 9")
    # That of the process that writes it would be somebody else's.
    assert held.peak_bytes == 0


def test_a_death_takes_the_place_of_an_older_failure(folder):
    _keep(folder, outcome=None, error="older")

    assert _die(folder)
    assert _held(folder).error == "ended by signal 9"


@pytest.mark.parametrize("on_phone", [False, True])
def test_a_result_outlasts_a_death(folder, on_phone):
    _keep(folder)

    assert not _die(folder, on_phone=on_phone)
    assert _held(folder) == run_record(_SUITE, _RUN)


def test_a_death_on_the_phone_leaves_the_training_its_result(folder):
    _keep(folder, outcome=_UNMEASURED)
    assert not _die(folder)

    assert _die(folder, on_phone=True)
    assert _held(folder) == run_record(
        _SUITE, _RUN, outcome=_UNMEASURED, error="ended by signal 9"
    )


def test_what_a_phone_made_is_added(folder):
    _keep(folder, outcome=_UNMEASURED, error="failed before")
    phases = Phases()
    phases.seconds["int8"] = 2.5
    keeping.keep_phone(folder, _RUN, outcome(), None, phases)

    assert _held(folder) == run_record(
        _SUITE, _RUN, seconds={"train": 1.5, "int8": 2.5}
    )

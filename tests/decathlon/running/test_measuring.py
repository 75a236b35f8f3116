"""What is kept of a trained run, against its patch built another way."""

from __future__ import annotations

import dataclasses

import pytest

from object_detection_patch import patch_file
from object_detection_patch.checkpoints import extract
from object_detection_patch.decathlon.running import measuring, record
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.training import cost
from tests.decathlon.running.records_to_test import outcome
from tests.decathlon.suite.suites_to_test import suite

_RUN = runs.select(suite())[1]


@pytest.fixture(scope="module")
def patch_and_method(trained):
    found = extract.extract(*trained)
    return found.patch, found.model.patch


def _file_bytes(method, patch):
    return measuring._file_bytes(patch, cost.uncounted_names(method.hosts))


def test_file_bytes_are_those_of_files(patch_and_method, tmp_path):
    patch, method = patch_and_method
    found = _file_bytes(method, patch)

    assert set(found) == set(patch_file.ENCODINGS)
    for name, encoding in patch_file.ENCODINGS.items():
        path = tmp_path / name
        path.write_bytes(patch_file.to_bytes(patch, encoding=encoding))
        assert found[name].whole == path.stat().st_size


def _of_class_head(edit):
    """Whether the number of classes decides its shape: weights and biases."""
    is_depthwise = "depthwise" in edit.target
    return "ClassPredictor" in edit.target and not is_depthwise


def test_without_class_head_is_a_patch_built_without_it(patch_and_method):
    patch, method = patch_and_method
    edits = tuple(edit for edit in patch.edits if not _of_class_head(edit))
    assert len(patch.edits) - len(edits) == 2
    headless = dataclasses.replace(patch, edits=edits)

    for name, found in _file_bytes(method, patch).items():
        size = len(
            patch_file.to_bytes(headless, encoding=patch_file.ENCODINGS[name])
        )
        assert found.without_class_head == size < found.whole


def test_footprint_counts_values_and_masks(patch_and_method):
    patch, method = patch_and_method
    found = measuring._footprint(method)

    assert found.bits_32 == patch.metadata["nominal_bits"]
    assert found.base_parameters == patch.metadata["base_parameters"]
    # One bit a weight under an open gate; the rest are values.
    bits = sum(gate.weights for gate in method.gates() if gate.is_open)
    assert found.bits_32 - bits == 4 * (found.bits_8 - bits) > 0
    # 64 weights and a bias for each class and the background, at each of 6
    # anchors.
    classes = len(patch.label_map) + 1
    assert found.class_head_values == (64 + 1) * 6 * classes


def test_each_precision_is_measured_in_turn(tmp_path, monkeypatch):
    folder = open_folder(tmp_path)
    asked = []

    def measure(folder_, run, patch, precision):
        asked.append((run.id, patch, precision))
        accuracy = record.Accuracy(coco=0.1, pascal=0.2)
        return record.OnPhone(
            patch_bytes=1, model_bytes=len(precision), accuracy=accuracy
        )

    monkeypatch.setattr(measuring.phone, "measure", measure)
    phases = Phases()
    found = measuring.on_phone(folder, _RUN, outcome(), phases)

    patch = folder.run_patch(_RUN)
    assert asked == [(_RUN.id, patch, "int8"), (_RUN.id, patch, "float32")]
    assert (found.int8.model_bytes, found.float32.model_bytes) == (4, 7)
    assert found.accuracy == outcome().accuracy
    assert set(phases.seconds) == {"int8", "float32"}

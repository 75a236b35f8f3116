import dataclasses

import msgspec

from object_detection_patch.decathlon.report.tables import setting
from object_detection_patch.decathlon.suite.suite import Schedule
from tests.decathlon.report import results as made


def test_one_sentence_from_the_suite():
    note = setting.setting_note(made.of(made.suite(2)))
    assert (
        "mini, 2 tasks, images drawn at 96 px, 300 steps of 16 images" in note
    )


def test_a_span_of_schedules_on_real_data():
    suite = made.suite(2)
    longer = msgspec.structs.replace(
        suite.tasks[1], schedule=Schedule(steps=900, batch_size=32)
    )
    suite = msgspec.structs.replace(
        suite, tasks=(suite.tasks[0], longer), drawn=None
    )
    note = setting.setting_note(made.of(suite))
    assert "data sets, 300 to 900 steps of 16 to 32 images" in note


def test_what_each_task_and_method_was_trained_with():
    results = made.of(made.suite(1, ["BN_PATCH", "SPOTPATCH"]))
    task = msgspec.structs.replace(
        results.suite.tasks[0], crop=False, honoured_flags=("difficult",)
    )
    results = dataclasses.replace(
        results, suite=msgspec.structs.replace(results.suite, tasks=(task,))
    )
    assert setting.tasks_table(results).rows == (
        ("birds", 4, 300, 16, "flip", "difficult"),
    )
    assert setting.methods_table(results).rows == (
        ("BN_PATCH", "0.001", None),
        (
            "SPOTPATCH",
            "0.001",
            "part { binary_mask { lambda_sps: 0.0001 } }",
        ),
    )

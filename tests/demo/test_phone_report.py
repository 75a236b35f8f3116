"""The phone's table and picture from results written by hand."""

from object_detection_patch.demo import phone_report
from object_detection_patch.demo.plan import PHONE_METHODS, TARGETS, Plan


def _table(plan: Plan) -> str:
    keras = {"map": {"coco": 0.8}}
    return phone_report.table(
        phone_report.numbers(plan),
        {"map": {"coco": 0.5}},
        {task: dict.fromkeys(PHONE_METHODS, keras) for task in TARGETS},
    )


def test_numbers_and_times_are_apart(finished: Plan) -> None:
    phone = phone_report.numbers(finished)
    assert set(phone) == {"base", "tasks", "milliseconds"}
    assert phone["base"]["sidecar_bytes"] == 700
    assert list(phone["tasks"]) == list(TARGETS)
    spot = phone["tasks"]["digits"]["SPOTPATCH"]
    assert spot["patch_bytes"] == 30
    assert "apply" not in spot
    times = phone["milliseconds"]
    assert times["base"] == {"inference": 0.75}
    assert times["tasks"]["stripes"]["SPOTPATCH"]["apply"] == 20.04


def test_the_table_holds_the_base_and_every_task(finished: Plan) -> None:
    text = _table(finished)
    assert "base.tflite, 5,000 bytes (float32), and base.odpatch, 700," in text
    rows = [line.split() for line in text.splitlines()]
    (base,) = (row for row in rows if row[:2] == ["shapes", "BASE"])
    assert base[2:] == ["-", "-", "-", "0.75", "0.500", "0.400", "-"]
    for job in finished.phone_jobs():
        (row,) = (row for row in rows if row[:2] == [job.task, job.method])
        assert row[2:8] == ["30", "0.60%", "20.0", "0.50", "0.800", "0.700"]
        assert row[8] == ("yes" if job.task == TARGETS[0] else "NO")


def test_one_line_says_why_the_map_is_lower(finished: Plan) -> None:
    last = _table(finished).splitlines()[-1]
    assert "lower without any patch too" in last
    assert "10 detections" in last


def test_the_picture_has_a_column_for_each_model(finished: Plan) -> None:
    picture = phone_report.picture(finished)
    # 32 pixels enlarged by 4, three times side by side.
    assert picture.shape[1] > 3 * 128
    assert picture.std() > 5

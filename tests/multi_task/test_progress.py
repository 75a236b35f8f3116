"""One line every so many steps, with means by task."""

from object_detection_patch.multi_task import progress


def test_lines_have_the_mean_since_the_last(capsys):
    told = progress.Progress(steps=1003, every=2)
    for step, losses in (
        (999, {"pets": 1.0, "cars": 4.0}),
        (1000, {"pets": 2.0, "cars": 5.0}),
        (1001, {"pets": 7.0}),
        (1002, {"pets": 8.0}),
        (1003, {}),
    ):
        told.after(step, losses)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" (")[0] for line in lines] == [
        "step 1,000 of 1,003: loss pets 1.500, cars 4.500",
        "step 1,002 of 1,003: loss pets 7.500",
        "step 1,003 of 1,003: loss of no task",
    ]
    assert all(line.endswith(" s a step)") for line in lines)


def test_the_first_step_is_that_of_tracing(capsys, monkeypatch):
    clock = iter([0.0, 90.0, 90.0, 90.0, 94.0, 94.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    told = progress.Progress(steps=5, every=1)
    told.after(1, {"pets": 1.0})
    told.after(2, {"pets": 1.0})
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("(90 s to begin)")
    assert second.endswith("(4.00 s a step)")

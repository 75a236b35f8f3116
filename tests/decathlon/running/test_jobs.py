"""Processes side by side: logs, steps, failures, and being stopped."""

from __future__ import annotations

import os
import sys
import time

import pytest

from object_detection_patch.decathlon.running.jobs import Job, Jobs


def _job(tmp_path, name, code, steps=0):
    return Job(
        name, (sys.executable, "-c", code), tmp_path / f"{name}.txt", steps
    )


@pytest.fixture
def counted():
    return []


@pytest.fixture
def jobs(counted):
    return Jobs(2, counted.append)


def test_each_job_has_its_output_in_its_log(tmp_path, jobs):
    ended = list(
        jobs.run(
            [
                _job(tmp_path, name, f"print('said by {name}')")
                for name in ("one", "two", "three")
            ]
        )
    )

    assert {one.code for one in ended} == {0}
    for one in ended:
        assert one.tail() == f"said by {one.job.title}"


def test_errors_and_their_last_words_are_kept(tmp_path, jobs):
    code = (
        "import sys\nfor i in range(99): print(i)\n"
        "sys.stderr.write('broken')\nsys.exit(3)"
    )
    (ended,) = jobs.run([_job(tmp_path, "bad", code)])

    assert ended.code == 3
    assert ended.tail().splitlines()[-1] == "broken"
    assert len(ended.tail().splitlines()) == 30


def test_steps_are_counted_to_the_last(tmp_path, jobs, counted):
    said = "Step {} per-step time 0.1s loss=0.5"
    code = f"print({said.format(10)!r}); print({said.format(20)!r})"
    list(jobs.run([_job(tmp_path, "steps", code, steps=25)]))

    assert counted == [10, 10, 5]


def test_steps_of_joint_trainings_are_counted_too(tmp_path, jobs, counted):
    said = "step {} of 1,200: loss voc 0.812, kitti 0.944 (0.55 s a step)"
    code = f"print({said.format('100')!r}); print({said.format('1,100')!r})"
    list(jobs.run([_job(tmp_path, "steps", code, steps=1200)]))

    assert counted == [100, 1000, 100]


def test_a_pool_runs_one_batch_after_another(tmp_path, jobs):
    for name in ("first", "second"):
        (ended,) = jobs.run([_job(tmp_path, name, "print(1)")])
        assert ended.code == 0


def test_two_run_side_by_side(tmp_path, jobs):
    # Each waits for the other's file: one after the other they never end.
    code = (
        "import os, sys, time\n"
        "open(sys.argv[1], 'w').close()\n"
        "while not os.path.exists(sys.argv[2]): time.sleep(0.01)\n"
    )
    names = [str(tmp_path / name) for name in ("a", "b")]
    batch = [
        Job(
            mine,
            (sys.executable, "-c", code, mine, other),
            tmp_path / f"log_{index}",
        )
        for index, (mine, other) in enumerate([names, names[::-1]])
    ]

    assert [one.code for one in jobs.run(batch)] == [0, 0]


def test_cores_are_shared_out(tmp_path, jobs):
    code = "import os; print(os.environ['TF_NUM_INTRAOP_THREADS'])"
    (alone,) = jobs.run([_job(tmp_path, "alone", code)])
    pair = list(jobs.run([_job(tmp_path, f"{i}", code) for i in range(2)]))

    cores = os.cpu_count() or 1
    assert alone.tail() == str(cores)
    assert [one.tail() for one in pair] == [str(max(1, cores // 2))] * 2


def test_whoever_stops_listening_ends_the_processes(tmp_path, jobs):
    marker = tmp_path / "alive"
    sleeper = (
        "import sys, time\nfor _ in range(600):\n"
        f"    open({str(marker)!r}, 'a').write('.')\n    time.sleep(0.05)\n"
    )
    running = jobs.run(
        [
            _job(tmp_path, "sleeper", sleeper),
            _job(tmp_path, "quick", "import time; time.sleep(0.5)"),
            _job(tmp_path, "never", f"open({str(marker)!r} + '2', 'w')"),
        ]
    )
    next(running)
    running.close()
    size = marker.stat().st_size
    time.sleep(0.3)

    assert marker.stat().st_size == size


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("import sys; sys.exit(3)", "the process ended with exit code 3"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "the process was ended by signal 9 (Killed)",
        ),
    ],
)
def test_how_a_process_ended_is_said(tmp_path, jobs, code, ending):
    (ended,) = jobs.run([_job(tmp_path, "bad", code)])

    assert ended.ending == ending


def test_more_at_once_than_there_are_jobs(tmp_path, counted):
    jobs = Jobs(100, counted.append)
    code = "import os; print(os.environ['TF_NUM_INTRAOP_THREADS'])"
    (ended,) = jobs.run([_job(tmp_path, "alone", code)])

    assert ended.tail() == str(os.cpu_count() or 1)
    assert list(jobs.run([])) == []


def test_processes_hold_what_they_are_given(tmp_path, counted):
    reading, writing = os.pipe()
    code = f"import os; os.write({writing}, b'held')"
    (ended,) = Jobs(1, counted.append, hold=[writing]).run(
        [_job(tmp_path, "holder", code)]
    )
    os.close(writing)

    assert ended.code == 0
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"held"


def test_a_process_whose_log_cannot_be_written_is_ended(tmp_path):
    def full(steps):
        raise OSError(28, "No space left on device")

    code = (
        "import time\nprint('Step 1 per-step time 0.1s', flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    with pytest.raises(OSError, match="No space left"):
        list(Jobs(1, full).run([_job(tmp_path, "slow", code, steps=9)]))
    assert time.monotonic() - began < 30


def test_whatever_a_process_prints_is_logged(tmp_path, jobs):
    code = r"import sys; sys.stdout.buffer.write(b'\xff\xc3\xa9 \x00\n')"
    (ended,) = jobs.run([_job(tmp_path, "bytes", code)])

    assert ended.code == 0
    assert ended.tail() == "\ufffd\u00e9 \x00"

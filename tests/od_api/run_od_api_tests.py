"""Runs the OD API's own TF2 tests for what we touch, under our compat.

    python -m tests.od_api.run_od_api_tests [--jobs 2] [--pattern builders/*]

The test modules are found in the installed `object_detection`. Each runs in a
process of its own (some define the same flags twice), with two logical CPU
devices, because the OD API's training-loop test asks for both. The outcome
must equal `known_failures.json`, which maps a test's id to the cause of its
failure: exit status 0 only if exactly those tests fail.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import dataclasses
import importlib
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator, Sequence
from typing import Any

REPOSITORY = pathlib.Path(__file__).parents[2]
KNOWN_FAILURES = pathlib.Path(__file__).with_name("known_failures.json")
TIME_LIMIT = 1800  # seconds a module; the longest took 7 minutes, shared cores

# What we touch, relative to the package's folder. TF1-only modules are named
# *_tf1_test.py and left out.
PATTERNS = (
    "anchor_generators/*_test.py",
    "box_coders/*_test.py",
    "builders/*_test.py",
    "core/*_test.py",
    "data_decoders/*_test.py",
    "dataset_tools/*_test.py",
    "eval_util_test.py",
    "export_tflite_graph_lib_tf2_test.py",
    "exporter_lib_tf2_test.py",
    "inputs_test.py",
    "matchers/argmax_matcher_test.py",
    "meta_architectures/ssd_meta_arch_test.py",
    "metrics/coco_*_test.py",
    "model_lib_tf2_test.py",
    "models/feature_map_generators_test.py",
    "models/keras_models/mobilenet_*_test.py",
    "models/keras_models/resnet_*_test.py",
    "models/ssd_*_test.py",
    "predictors/convolutional_keras_box_predictor_tf2_test.py",
    "predictors/heads/keras_*_test.py",
    "utils/*_test.py",
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one test: 'passed', 'failed' or 'skipped'."""

    test: str
    status: str
    detail: str = ""


def find_modules(patterns: Sequence[str]) -> list[str]:
    """Dotted names of the installed test modules, in order.

    Left out: TF1-only ones, and those that only hold base classes for other
    modules' tests, which one knows by their not being runnable.
    """
    root = _package_root()
    files = {
        file
        for pattern in patterns
        for file in root.glob(pattern)
        if file.name.endswith("_test.py")
        and not file.name.endswith("_tf1_test.py")
        and "__main__" in file.read_text(encoding="utf-8")
    }
    return [
        ".".join(("object_detection", *file.relative_to(root).parts))[:-3]
        for file in sorted(files)
    ]


def _package_root() -> pathlib.Path:
    spec = importlib.util.find_spec("object_detection")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "`object_detection` is not importable. Mend: "
            "od-patch install-od-api"
        )
    return pathlib.Path(next(iter(spec.submodule_search_locations))).resolve()


def run_module(name: str, time_limit: float) -> list[Outcome]:
    """Runs one test module in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.jsonl")
        report.touch()
        command = [sys.executable, "-m", "tests.od_api.run_od_api_tests"]
        command += ["--child", name, "--report", str(report)]
        log = pathlib.Path(folder, "log")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=_child_environment(folder),
                start_new_session=True,
            )
            ended = _wait(process, time_limit)
        tail = log.read_text(errors="replace")[-2000:]
        return read_report(name, report.read_text(), ended, tail)


def _child_environment(folder: str) -> dict[str, str]:
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {**os.environ, **quiet, "TMPDIR": folder, "MPLBACKEND": "agg"}


def _wait(process: subprocess.Popen[bytes], time_limit: float) -> str:
    """Waits for the end; says how it ended, '' if well."""
    try:
        status = process.wait(timeout=time_limit)
    except subprocess.TimeoutExpired:
        # The module's own children share its session.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"stopped after {time_limit:g} s"
    return "" if status == 0 else f"process ended with status {status}"


def read_report(
    module: str, lines: str, ended: str, tail: str
) -> list[Outcome]:
    """Outcomes from a child's report, one JSON object a line.

    A process that did not end well fails the test it was in, or the module.
    """
    running, outcomes = module, []
    for line in lines.splitlines():
        entry = json.loads(line)
        if entry["status"] == "started":
            running = entry["test"]
        else:
            running = module
            outcomes.append(Outcome(**entry))
    if ended:
        outcomes.append(Outcome(running, "failed", f"{ended}\n{tail}"))
    return outcomes


class _Reporter(unittest.TestResult):
    """Writes a line when a test starts and one when it ends."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._status = ("passed", "")

    def write(self, test: str, status: str, detail: str = "") -> None:
        entry = {"test": test, "status": status, "detail": detail}
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self._status = ("passed", "")
        self.write(test.id(), "started")

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self.write(test.id(), *self._status)

    def _failed(self, test: Any, error: Any) -> None:
        detail = self._exc_info_to_string(error, test)
        if isinstance(test, unittest.TestCase):
            self._status = ("failed", detail)
        else:  # setUpClass or setUpModule: no test was started
            self.write(test.id(), "failed", detail)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            self._failed(test, err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self._status = ("skipped", reason)


def run_child(module: str, report: str) -> None:
    """In the child: prepares TensorFlow, runs the module, writes the report."""
    from object_detection_patch.od_api import compat

    compat.enable()
    import tensorflow as tf
    from absl import flags

    cpu = tf.config.list_physical_devices("CPU")[0]
    # Some tests name their images from the folder above the package.
    os.chdir(_package_root().parent)
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    with open(report, "w", encoding="utf-8") as stream:
        reporter = _Reporter(stream)
        importlib.import_module(module)
        # What tf.test.main does, minus its command line.
        flags.FLAGS([module])
        suite = unittest.defaultTestLoader.loadTestsFromName(module)
        unittest.TestSuite(_tests(suite)).run(reporter)
    # Threads of a test that failed half-way must not keep the process alive.
    os._exit(0)


def _tests(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _tests(item)
        # A helper every tf.test.TestCase inherits, no test.
        elif not item.id().endswith(".test_session"):
            yield item


def read_known_failures(path: pathlib.Path = KNOWN_FAILURES) -> dict[str, str]:
    """Maps test id to cause; every entry must lie outside what we use."""
    table = json.loads(path.read_text(encoding="utf-8"))
    for test, entry in table.items():
        if entry.get("used_by_us") is not False or not entry.get("cause"):
            raise ValueError(
                "A known failure needs a cause and `used_by_us` false. "
                f"Received: {test}: {entry} ({path.name})"
            )
    return {test: entry["cause"] for test, entry in table.items()}


def compare(
    outcomes: Sequence[Outcome], known: dict[str, str], modules: Sequence[str]
) -> list[str]:
    """Complaints: failures nobody expects, and expected ones that are gone."""
    failed = {o.test: o.detail for o in outcomes if o.status == "failed"}
    passed = {o.test for o in outcomes if o.status == "passed"}
    complaints = [
        f"FAILED {test}\n{detail}"
        for test, detail in failed.items()
        if test not in known
    ]
    ran = tuple(f"{module}." for module in modules)
    for test in known:
        if f"{test}.".startswith(ran) and test not in failed:
            fate = "passes now" if test in passed else "was not run"
            complaints.append(
                f"UNEXPECTED {test} {fate}: delete it from "
                f"{KNOWN_FAILURES.name}"
            )
    return complaints


def summary(outcomes: Sequence[Outcome]) -> str:
    counts = collections.Counter(outcome.status for outcome in outcomes)
    return (
        f"{counts['passed']} passed, {counts['failed']} failed, "
        f"{counts['skipped']} skipped"
    )


def _timed(module: str, limit: float) -> tuple[list[Outcome], float]:
    start = time.monotonic()
    return run_module(module, limit), time.monotonic() - start


def _run_all(
    modules: Sequence[str], jobs: int, time_limit: float
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(_timed, m, time_limit): m for m in modules}
        done = concurrent.futures.as_completed(futures)
        for number, future in enumerate(done, 1):
            found, seconds = future.result()
            outcomes += found
            print(
                f"[{number}/{len(modules)}] {futures[future]}: "
                f"{summary(found)} ({seconds:.0f} s)",
                flush=True,
            )
    return outcomes


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--pattern",
        action="append",
        help="files below the package, e.g. 'builders/*'; may be repeated",
    )
    parser.add_argument("--time_limit", type=float, default=TIME_LIMIT)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if options.child:
        run_child(options.child, options.report)
        return 0
    known = read_known_failures()
    modules = find_modules(options.pattern or PATTERNS)
    outcomes = _run_all(modules, options.jobs, options.time_limit)
    for complaint in (complaints := compare(outcomes, known, modules)):
        print(complaint)
    print(summary(outcomes))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

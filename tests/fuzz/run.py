"""Runs the fuzzers one after the other: `make fuzz`.

    python tests/fuzz/run.py [--seconds N] [--only NAME...]

Exit status 1 if one of them found something or was stopped; what was found
lies in build/fuzz/found.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from fuzz import fuzzers  # noqa: E402

_FOLDER = fuzzers.ROOT / "build" / "fuzz"
_SECONDS_AN_INPUT = 5
_MOST_MIB = 2048
_MOST_INPUT_BYTES = 8192
# libFuzzer's, for one that somebody has stopped.
_VERDICTS = {0: "sound", 72: "STOPPED"}
_STATE = re.compile(rb"^#(\d+)\s.* cov: (\d+) ft: (\d+) corp: (\d+)/", re.M)


@dataclasses.dataclass(frozen=True)
class Run:
    """What a fuzzer did; `status` is 0 unless it found something."""

    name: str
    status: int
    executions: int
    coverage: int
    features: int
    inputs: int

    def row(self) -> str:
        numbers = f"{self.executions:12,} {self.coverage:9,} "
        numbers += f"{self.features:9,} {self.inputs:7,}"
        verdict = _VERDICTS.get(self.status, "FOUND SOMETHING")
        return f"{self.name:20} {numbers}  {verdict}"


_TITLE = f"{'fuzzer':20} {'executions':>12} {'coverage':>9} "
_TITLE += f"{'features':>9} {'inputs':>7}"


def main() -> None:
    arguments = _arguments()
    chosen = [
        fuzzer
        for fuzzer in fuzzers.all_fuzzers(_FOLDER)
        if not arguments.only or fuzzer.name in arguments.only
    ]
    if any(fuzzer.language == "cpp" for fuzzer in chosen):
        fuzzers.build_cpp(_FOLDER)
    print(_TITLE, flush=True)
    runs = []
    for fuzzer in chosen:
        runs.append(run(fuzzer, arguments.seconds))
        print(runs[-1].row(), flush=True)
    sys.exit(any(done.status for done in runs))


def run(fuzzer: fuzzers.Fuzzer, seconds: int) -> Run:
    """Starts from the fixed corpus, and from what earlier runs have found."""
    grown = _FOLDER / "corpus" / fuzzer.name
    found = _FOLDER / "found" / fuzzer.name
    for folder in (grown, found):
        folder.mkdir(parents=True, exist_ok=True)
    log = _FOLDER / f"{fuzzer.name}.log"
    command = [
        *fuzzer.command,
        f"-max_total_time={seconds}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-rss_limit_mb={_MOST_MIB}",
        f"-max_len={_MOST_INPUT_BYTES}",
        f"-artifact_prefix={found}/",
        *map(str, (grown, fuzzers.CORPUS / fuzzer.target)),
    ]
    with open(log, "wb") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT)
    if done.returncode:
        print(f"{fuzzer.name}: see {log} and {found}", file=sys.stderr)
    states = _STATE.findall(log.read_bytes()) or [(0, 0, 0, 0)]
    return Run(fuzzer.name, done.returncode, *map(int, states[-1]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Runs the fuzzers, one after the other."
    )
    names = [fuzzer.name for fuzzer in fuzzers.all_fuzzers(_FOLDER)]
    parser.add_argument(
        "--seconds", type=int, default=600, help="for each fuzzer"
    )
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=str(names)
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

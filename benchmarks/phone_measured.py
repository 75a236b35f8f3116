"""Times and peaks of applying: ours, other tools', and a plain copy's."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import phone_peers
from phone_files import Application, Files, say
from phone_timing import (
    CHECKED,
    UNCHECKED,
    Lines,
    Timed,
    python,
    summary,
    take_turns,
)

COPY = "copy"
CPP_UNCHECKED = "C++, unverified"
CPP = "C++, verified"
PYTHON_TRUSTING = "Python, base trusted"
PYTHON = "Python, verified"
CPP_TOOL = "od_patch_apply"
PYTHON_TOOL = "od-patch apply"
# (precision, gates, encoding)
_APPLICATIONS = (
    ("float32", "all", "small"),
    ("float32", "all", "exact"),
    ("int8", "all", "small"),
    ("int8", "all", "exact"),
    ("int8", "30 %", "small"),
)
# The tools' own files do not depend on how our patch is encoded.
_WITH_TOOLS = "small"


@dataclasses.dataclass(frozen=True)
class Bench:
    """What measuring needs.

    Args:
      programs: phone_native and od_patch_apply.
      output: folder to write to, on the disk to measure.
      deltas: where the other tools' files are kept.
    """

    files: Files
    programs: tuple[pathlib.Path, pathlib.Path]
    output: pathlib.Path
    deltas: pathlib.Path
    rounds: int
    import_folders: Sequence[str]

    def measure(self) -> list[dict[str, Any]]:
        return [self._measure(*names) for names in _APPLICATIONS]

    def _measure(
        self, precision: str, gates: str, encoding: str
    ) -> dict[str, Any]:
        say(f"applying: {precision}, {gates} open, {encoding}")
        files = self.files.application(precision, gates, encoding)
        found = {
            "precision": precision,
            "gates": gates,
            "encoding": encoding,
            "base": files.base.stat().st_size,
            "result": files.result.stat().st_size,
            "warm": self._warm(files),
            "warm_without_disk": self._without_disk(files),
            "peaks": self._peaks(files),
        }
        if encoding == _WITH_TOOLS:
            found |= self._processes(files)
        return found

    def _warm(self, files: Application) -> dict[str, Any]:
        with self._native() as native, python(self.import_folders) as script:
            actions = self._native_actions(native, files)
            actions[PYTHON_TRUSTING] = self._script(script, files, "trust")
            actions[PYTHON] = self._script(script, files, "check")
            if phone_peers.has_hdiffpatch():
                actions[phone_peers.HDIFFPATCH] = self._hdiffpatch(
                    script, files
                )
            found = summary(take_turns(actions, self.rounds), COPY)
        self._check(files)
        return found

    def _without_disk(self, files: Application) -> dict[str, Any]:
        with self._native() as native:
            native.ask("wait_for_disk", 0)
            actions = self._native_actions(native, files)
            return summary(take_turns(actions, 3 * self.rounds), COPY)

    def _processes(self, files: Application) -> dict[str, Any]:
        """Whole processes, from their start until their file is synced."""
        peaks: dict[str, float] = {}
        with self._native() as native:

            def timed(name: str, output: str, command: Sequence[str]) -> float:
                seconds, peak = native.ask("run", output, *command)
                peaks[name] = peak
                return seconds

            actions = {
                name: functools.partial(timed, name, output, command)
                for name, (output, command) in self._commands(files).items()
            }
            seconds = take_turns(actions, self.rounds)
        self._check(files)
        return {"processes": summary(seconds, COPY), "process_peaks": peaks}

    def _commands(
        self, files: Application
    ) -> dict[str, tuple[str, Sequence[str]]]:
        """Name -> the file that is written, the command that writes it."""
        copied, ours = self._out("copied"), self._out("ours")
        options = [
            *("--base", str(files.base), "--sidecar", str(files.sidecar)),
            *("--patch", str(files.patch), "--output", ours),
        ]
        module = [sys.executable, "-m", "object_detection_patch.cli"]
        commands: dict[str, tuple[str, Sequence[str]]] = {
            COPY: (copied, ["cp", str(files.base), copied]),
            CPP_TOOL: (ours, [str(self.programs[1]), *options]),
            PYTHON_TOOL: (ours, [*module, "apply", *options]),
        }
        for number, tool in enumerate(phone_peers.available()):
            new = self._out(f"other_{number}")
            delta = self._delta(tool.name, files)
            commands[tool.name] = (
                new,
                tool.apply(str(files.base), delta, new),
            )
        return commands

    def _peaks(self, files: Application) -> dict[str, dict[str, float]]:
        """Peak bytes of a process before and after one application."""
        found = {}
        with self._native() as native:
            found[CPP] = self._peak(
                native, self._native_actions(native, files)[CPP]
            )
        with python(self.import_folders) as script:
            found[PYTHON] = self._peak(
                script, self._script(script, files, "check")
            )
        return found

    @staticmethod
    def _peak(process: Lines, action: Timed) -> dict[str, float]:
        idle = process.seconds("peak")
        action()
        return {"idle": idle, "peak": process.seconds("peak")}

    def _native_actions(
        self, native: Lines, files: Application
    ) -> dict[str, Timed]:
        applied = ["apply", files.base, files.sidecar, files.patch]
        return {
            COPY: functools.partial(
                native.seconds, "copy", files.base, self._out("copied")
            ),
            CPP_UNCHECKED: functools.partial(
                native.seconds, *applied, self._out("ours"), UNCHECKED
            ),
            CPP: functools.partial(
                native.seconds, *applied, self._out("ours"), CHECKED
            ),
        }

    def _script(self, script: Lines, files: Application, how: str) -> Timed:
        return functools.partial(
            script.seconds,
            *("apply", files.base, files.sidecar, files.patch),
            self._out("ours"),
            how,
        )

    def _hdiffpatch(self, script: Lines, files: Application) -> Timed:
        delta = self._delta(phone_peers.HDIFFPATCH, files)
        return functools.partial(
            script.seconds,
            *("hdiffpatch", files.base, delta, self._out("other")),
        )

    def _native(self) -> Lines:
        return Lines([str(self.programs[0])])

    def _out(self, name: str) -> str:
        return str(self.output / name)

    def _delta(self, name: str, files: Application) -> str:
        path = phone_peers.delta(name, files.base, files.result, self.deltas)
        return str(path)

    def _check(self, files: Application) -> None:
        """What was timed must have written the model, byte for byte.

        Raises:
          RuntimeError: if it has not.
        """
        wanted = files.result.read_bytes()
        for path in self.output.iterdir():
            copied = path.name == "copied"
            if not copied and path.read_bytes() != wanted:
                raise RuntimeError(
                    "Everything must write the same file. Received: another "
                    f"one in {path.name}."
                )
            path.unlink()

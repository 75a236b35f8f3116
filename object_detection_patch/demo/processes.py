"""Runs one command of the demo as a process and keeps what it says."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable


class JobFailed(RuntimeError):
    """A process of the demo ended with an error."""


def execute(
    command: list[str],
    *,
    title: str,
    log: str,
    threads: int,
    on_line: Callable[[str], None] = lambda line: None,
) -> None:
    """Runs a command to its end, under the environment of this process.

    Args:
      title: what it does, for the error.
      log: file that the command and its output are appended to.
      threads: TensorFlow's threads in it.
      on_line: called with each line of its output.

    Raises:
      JobFailed: naming the log.
    """
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
    }
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"$ {shlex.join(command)}\n")
        file.flush()
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as process:
            for line in process.stdout or ():
                file.write(line)
                on_line(line)
    if process.returncode != 0:
        raise JobFailed(
            f"{title} ended with exit code {process.returncode}; "
            f"{log} tells why."
        )

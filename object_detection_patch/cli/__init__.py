"""od-patch: one file per verb, thin.

A verb's file has `add`, which declares its options, and `run`, which takes
them, does the work and returns the exit code. Heavy imports happen inside
`run`, so that every `--help`, `inspect` and `doctor` work with numpy alone.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from object_detection_patch.cli import (
    adapters,
    apply,
    cascade,
    configure,
    decathlon,
    demo,
    diff,
    doctor,
    draw,
    export_base,
    export_trainable,
    extract,
    extract_trained,
    footprint,
    inspect,
    install,
    keygen,
    merge,
    profile,
    publish,
    store,
    train_multitask,
)

_INTERRUPTED = 130
# In the order of `od-patch --help`: from a config to a phone.
_VERBS = (
    configure,
    train_multitask,
    extract,
    inspect,
    merge,
    diff,
    adapters,
    footprint,
    profile,
    draw,
    cascade,
    export_base,
    publish,
    apply,
    export_trainable,
    extract_trained,
    store,
    keygen,
    decathlon,
    demo,
    doctor,
    install,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `od-patch`; returns 0 (good), 1 (findings) or 2 (refused)."""
    options = _parser().parse_args(arguments)
    # TensorFlow's start-up messages would bury what a verb has to say.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of the output has seen enough; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ImportError as error:
        _say(f"{error}. `od-patch doctor` tells what is missing.")
    except (ValueError, OSError, RuntimeError) as error:
        _say(str(error))
    except MemoryError:
        _say("There is not enough memory for this.")
    except KeyboardInterrupt:
        _say("interrupted")
        return _INTERRUPTED
    return 2


def program() -> int:
    """`main` as a process: what was begun is removed if it is terminated."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end a listing.
            stream.reconfigure(errors="backslashreplace")
    return main()


def _terminate(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def _say(message: str) -> None:
    print(f"od-patch: {message}", file=sys.stderr)
    # At exit TensorFlow would warn of every tensor of a checkpoint that was
    # not restored, and bury the error.
    logging.getLogger("tensorflow").setLevel(logging.CRITICAL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="od-patch",
        description="Task patches for detectors of the TF2 Object Detection "
        "API. Training runs through `python -m "
        "object_detection_patch.model_main_tf2`.",
        epilog="Exit codes: 0 good; 1 findings, as of `doctor`; 2 refused, "
        "with the reason on stderr.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in _VERBS:
        verb.add(verbs)
    return parser

"""Command line: python -m tfrecords_tools <verb>; see `commands/`."""

import argparse
import importlib
import io
import pkgutil
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from tfrecords_tools import commands
from tfrecords_tools.errors import UsageError

_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Refuses with a single line; the usage is one `--help` away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 data or disk are at fault; 2 bad arguments."""
    try:
        parser = _make_parser()
    except ModuleNotFoundError as error:
        print(f"error: {_what_to_install(error)}", file=sys.stderr)
        return 1
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except UsageError as error:
        parser.error(str(error))
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _prepare_process() -> None:
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end a conversion.
            stream.reconfigure(errors="backslashreplace")


def _terminate(number: int, frame: object) -> NoReturn:
    """Ends as an exception, so that temporary files are removed."""
    sys.exit(128 + number)


def _what_to_install(error: ModuleNotFoundError) -> str:
    return (
        f"the package {error.name!r} is not installed; `pip install "
        f"'object_detection_patch[convert]'` brings all that is needed"
    )


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tfrecords_tools",
        description="Makes TFRecords for the TF2 Object Detection API.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for module_info in pkgutil.iter_modules(commands.__path__):
        name = f"{commands.__name__}.{module_info.name}"
        command = importlib.import_module(name)
        verb = verbs.add_parser(
            module_info.name,
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_flags(verb)
        verb.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    _prepare_process()
    sys.exit(main())

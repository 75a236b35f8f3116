"""Command line: python -m tfrecords_tools <verb>; see `commands/`."""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import NoReturn

from tfrecords_tools import commands

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
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return _INTERRUPTED


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
    sys.exit(main())

"""How faults are worded: the rule, then what was received, on one line."""

import reprlib
from typing import Any

from tfrecords_tools.reader import Column

_WIDTH = 120
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = _WIDTH


def fault(rule: str, received: Any) -> str:
    """`<rule>. Received: <received>`; long values are cut in the middle."""
    return f"{rule}. Received: {_short.repr(received)}"


def shorten(text: str) -> str:
    """The text on one line of moderate length."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..."


def is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def describe_kind(column: Column) -> str:
    """`2 float values`."""
    plural = "" if len(column.values) == 1 else "s"
    kind = f"{column.kind} " if column.kind else ""
    return f"{len(column.values)} {kind}value{plural}"

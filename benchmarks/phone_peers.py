"""Tools that make a new file of an old one and know nothing of detectors."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import pathlib
import shutil
import subprocess
from collections.abc import Callable, Sequence

from phone_files import say

Command = Callable[[str, str, str], Sequence[str]]
WHOLE_FILE = "brotli -q 11, whole file"
HDIFFPATCH = "HDiffPatch, brotli"


@dataclasses.dataclass(frozen=True)
class Tool:
    """A command line tool at its smallest.

    Args:
      make: old, new, delta -> the command that writes the delta.
      apply: old, delta, new -> the command that writes the new file.
    """

    name: str
    program: str
    make: Command
    apply: Command


TOOLS = (
    Tool(
        "bsdiff",
        "bsdiff",
        lambda old, new, delta: ["bsdiff", old, new, delta],
        lambda old, delta, new: ["bspatch", old, new, delta],
    ),
    Tool(
        "xdelta3 -9 -S lzma",
        "xdelta3",
        lambda old, new, delta: [
            *("xdelta3", "-e", "-9", "-S", "lzma", "-f"),
            *("-s", old, new, delta),
        ],
        lambda old, delta, new: ["xdelta3", "-d", "-f", "-s", old, delta, new],
    ),
    Tool(
        "zstd -22 --patch-from",
        "zstd",
        lambda old, new, delta: [
            *("zstd", "-q", "-f", "--ultra", "-22", "--long=27"),
            *(f"--patch-from={old}", new, "-o", delta),
        ],
        lambda old, delta, new: [
            *("zstd", "-q", "-f", "-d", "--long=27"),
            *(f"--patch-from={old}", delta, "-o", new),
        ],
    ),
    Tool(
        WHOLE_FILE,
        "brotli",
        lambda old, new, delta: [
            *("brotli", "-f", "-q", "11", "--lgwin=24", "-o", delta, new)
        ],
        lambda old, delta, new: ["brotli", "-f", "-d", "-o", new, delta],
    ),
)


def names() -> list[str]:
    return [tool.name for tool in TOOLS] + [HDIFFPATCH]


def available() -> list[Tool]:
    """The command line tools that are installed here."""
    return [tool for tool in TOOLS if shutil.which(tool.program)]


def has_hdiffpatch() -> bool:
    """Whether Python's package of that name can be imported."""
    return importlib.util.find_spec("hdiffpatch") is not None


def delta(
    name: str, old: pathlib.Path, new: pathlib.Path, folder: pathlib.Path
) -> pathlib.Path:
    """The file that a tool would ship, kept in `folder` for the next run."""
    tool = next((tool for tool in TOOLS if tool.name == name), None)
    digest = hashlib.sha256()
    for part in (name.encode(), old.read_bytes(), new.read_bytes()):
        digest.update(hashlib.sha256(part).digest())
    path = folder / digest.hexdigest()[:24]
    if path.exists():
        return path
    say(f"{name}: {old.name} to {new.name}")
    folder.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    if tool is None:
        beside.write_bytes(_hdiffpatch(old.read_bytes(), new.read_bytes()))
    else:
        subprocess.run(
            tool.make(str(old), str(new), str(beside)),
            check=True,
            capture_output=True,
        )
    beside.rename(path)
    return path


def _hdiffpatch(old: bytes, new: bytes) -> bytes:
    import hdiffpatch

    # Of its codecs the one that makes these files smallest.
    codec = hdiffpatch.BrotliConfig.best_compression()
    return hdiffpatch.diff(old, new, compression=codec)

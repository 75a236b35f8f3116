"""Finding record files by pattern, and telling which shards are missing."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfrecords_tools.files import is_local, to_path

_MAGIC = re.compile(r"[*?[]")
_SHARD = re.compile(
    r"(?P<base>.+)-(?P<index>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)?"
)
_DIGITS = re.compile(r"(\d+)")
_SHOWN = 5


@dataclasses.dataclass(frozen=True, slots=True)
class ShardName:
    """Parts of `<base>-00003-of-00010`; a lone file is all base.

    Args:
        split: path of the file without index and count: what its shards have
            in common, and within what a source_id is unique.
        index: None for a file whose name has no index and count.
        count: None likewise.
    """

    split: str
    index: int | None = None
    count: int | None = None


def find_record_files(patterns: Iterable[str | Path]) -> list[Path]:
    """Files that the patterns match, each once, `shard-2` before `shard-10`.

    A pattern may hold `?`, `*`, `[...]` and `**`. A path that exists is taken
    as it is, even if it looks like a pattern. Hidden files are left out.

    Raises: ValueError if a pattern matches no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = _match(to_path(pattern))
        if not matches:
            raise ValueError(
                f"GLOB must match at least one file (quote it, so that the "
                f"shell leaves it alone). Received: {pattern}"
            )
        found.update(dict.fromkeys(matches))
    return sorted(found, key=_natural_key)


def parse_shard_name(path: Path) -> ShardName:
    """`d/a.record-00000-of-00002` is shard 0 of 2 of `d/a.record`."""
    match = _SHARD.fullmatch(path.name)
    if match is None:
        return ShardName(str(path))
    base = match["base"] + (match["suffix"] or "")
    split = str(path.with_name(base))
    return ShardName(split, int(match["index"]), int(match["count"]))


def find_shard_faults(paths: Sequence[Path]) -> list[str]:
    """One sentence per split whose shards are not `0..count-1`, each once."""
    shards: dict[str, dict[int, set[int]]] = {}
    for path in paths:
        name = parse_shard_name(path)
        if name.index is not None and name.count is not None:
            by_count = shards.setdefault(name.split, {})
            by_count.setdefault(name.count, set()).add(name.index)
    faults = []
    for split, by_count in shards.items():
        faults += _mixed_counts(split, by_count)
        for count, indexes in by_count.items():
            faults += _wrong_indexes(split, count, indexes)
    return faults


def _match(path: Path) -> list[Path]:
    if is_local(path):
        path = path.expanduser()  # The shell leaves quoted tildes alone.
    if path.is_file():
        return [path]
    parts = path.parts
    magic = [i for i, part in enumerate(parts) if _MAGIC.search(part)]
    if not magic:
        return []
    folder = path.parents[len(parts) - magic[0] - 1]
    pattern = "/".join(parts[magic[0] :])
    hidden = parts[-1].startswith(".")
    return [
        match
        for match in folder.glob(pattern)
        if match.is_file() and match.name.startswith(".") == hidden
    ]


def _natural_key(path: Path) -> list[tuple[int, str]]:
    """Compares runs of digits as numbers, the rest as text."""
    pieces = _DIGITS.split(str(path))
    return [
        (int(piece), piece) if piece.isdecimal() else (-1, piece)
        for piece in pieces
    ]


def _mixed_counts(split: str, by_count: dict[int, set[int]]) -> list[str]:
    if len(by_count) == 1:
        return []
    counts = " and ".join(f"-of-{count:05d}" for count in sorted(by_count))
    return [
        f"The shards of a split must come from one run. Received: {counts} "
        f"({split})"
    ]


def _wrong_indexes(split: str, count: int, indexes: set[int]) -> list[str]:
    wanted = set(range(count))
    faults = []
    if wanted - indexes:
        faults.append(
            f"A split must have all its {count} shards. Received: "
            f"{len(wanted & indexes)}, without number "
            f"{_list(wanted - indexes)} ({split})"
        )
    if indexes - wanted:
        faults.append(
            f"The index of a shard must be less than {count}. Received: "
            f"{_list(indexes - wanted)} ({split})"
        )
    return faults


def _list(indexes: set[int]) -> str:
    shown = ", ".join(map(str, sorted(indexes)[:_SHOWN]))
    return shown + (", ..." if len(indexes) > _SHOWN else "")

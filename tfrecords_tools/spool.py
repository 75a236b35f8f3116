"""Records on disk between reading annotations and reading images.

One file a shard, compressed JSON lines. So annotations are read once, in one
place, whatever writes the shards later; and memory stays flat.
"""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.files import is_local
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule

SCRATCH_PREFIX = "scratch-"
_TAB = b"\t"  # JSON escapes it, so it can stand between two values.
_BUFFERED_BYTES = 32 * 2**20


class Spool:
    """Spreads records over one file a shard; to be used with `with`.

    The files are there when the block has ended without an exception.

    Args:
        paths: one a shard; existing files are replaced.
        data_dir: image paths are kept relative to it.
    """

    def __init__(self, paths: list[Path], data_dir: Path):
        self._paths = paths
        self._data_dir = data_dir
        self._lines: list[list[bytes]] = [[] for _ in paths]
        self._bytes = 0
        self._digest = hashlib.sha256()
        self.counts = [0] * len(paths)
        # Files are appended to, which object stores do not offer. Beside the
        # target, what a killed run leaves is found by the next one.
        self._folder = tempfile.TemporaryDirectory(
            prefix=SCRATCH_PREFIX,
            dir=paths[0].parent if is_local(paths[0]) else None,
        )

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._folder:
            if kind is None:
                self._write_files()

    def add(self, shard: int, image: AnnotatedImage) -> None:
        """Appends a record to the shard's file, sooner or later."""
        content = _to_json(_values(image))
        # Where an image lies changes no byte of what is written.
        self._digest.update(shard.to_bytes(4, "little") + content)
        path = image.path.relative_to(self._data_dir).as_posix()
        line = _to_json(path) + _TAB + content + b"\n"
        self._lines[shard].append(line)
        self.counts[shard] += 1
        self._bytes += len(line)
        if self._bytes > _BUFFERED_BYTES:
            self._flush()

    @property
    def digest(self) -> str:
        """SHA-256 over all records and their shards, in hex."""
        return self._digest.hexdigest()

    def _write_files(self) -> None:
        self._flush()
        for index, path in enumerate(self._paths):
            scratch = self._scratch(index)
            data = scratch.read_bytes() if scratch.is_file() else b""
            with replace_together([path], durable=False) as (file,):
                file.write(data)

    def _flush(self) -> None:
        for index, lines in enumerate(self._lines):
            if lines:
                # Appended gzip members read back as one file. Opened and
                # closed each time: there may be more shards than handles.
                with self._scratch(index).open("ab") as file:
                    file.write(gzip.compress(b"".join(lines), 1, mtime=0))
                lines.clear()
        self._bytes = 0

    def _scratch(self, index: int) -> Path:
        return Path(self._folder.name) / str(index)


def read_spool(path: Path, data_dir: Path) -> Iterator[AnnotatedImage]:
    """The shard's records, in the order in which they were added."""
    with path.open("rb") as raw, gzip.open(raw) as file:
        for line in file:
            yield _from_line(line, data_dir)


def _values(image: AnnotatedImage) -> list[object]:
    return [
        image.filename,
        image.source_id,
        [_object_values(box) for box in image.objects],
        image.edge_rule.value,
        image.size,
        dict(image.dropped),
        image.remarks,
        dict(image.extra),
    ]


def _to_json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # File names that are no UTF-8 hold lone surrogates.
    return text.encode("utf-8", "surrogatepass")


def _object_values(box: AnnotatedObject) -> list[object]:
    return [
        box.name,
        box.label,
        *box.edges,
        box.area,
        int(box.difficult),
        int(box.truncated),
        box.occluded,
        int(box.is_crowd),
        int(box.group_of),
        dict(box.extra),
    ]


def _from_line(line: bytes, data_dir: Path) -> AnnotatedImage:
    path, content = map(json.loads, line.split(_TAB, 1))
    filename, source_id, boxes, rule, size, dropped, *rest = content
    remarks, extra = rest
    return AnnotatedImage(
        path=data_dir / path,
        filename=filename,
        source_id=source_id,
        objects=tuple(_from_values(*values) for values in boxes),
        edge_rule=EdgeRule(rule),
        size=None if size is None else tuple(size),
        dropped=dropped,
        remarks=tuple(remarks),
        extra=extra,
    )


def _from_values(name, label, xmin, ymin, xmax, ymax, area, *rest):
    difficult, truncated, occluded, is_crowd, group_of, extra = rest
    return AnnotatedObject(
        name=name,
        label=label,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        area=area,
        difficult=bool(difficult),
        truncated=bool(truncated),
        occluded=occluded,
        is_crowd=bool(is_crowd),
        group_of=bool(group_of),
        extra=extra,
    )

"""Whether records keep every rule that trainings and evaluators rely on."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.faults import fault, shorten
from tfrecords_tools.look.image_rules import find_image_faults, single_values
from tfrecords_tools.look.object_rules import ObjectRules, count_boxes
from tfrecords_tools.reader import (
    Column,
    RecordError,
    parse_example,
    read_frames,
    record_size,
)
from tfrecords_tools.record_files import find_shard_faults, parse_shard_name

SHOWN_FAULTS = 10


@dataclasses.dataclass(slots=True, kw_only=True)
class Verdict:
    """What was found.

    Args:
        files, images, boxes: numbers of what was read.
        num_faults: all of them.
        faults: the first ten, a line each.
        num_crowded: images with more than `max_number_of_boxes`.
        most_boxes: in one image.
    """

    files: int = 0
    images: int = 0
    boxes: int = 0
    num_faults: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)
    num_crowded: int = 0
    most_boxes: int = 0

    def add(self, line: str) -> None:
        """Counts a fault, and keeps it if it is among the first."""
        self.num_faults += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(line)


class Verifier:
    """Reads files one after the other and collects a verdict.

    Args:
        label_map: what class texts and labels are compared with.
        decode_pixels: decode whole images, rather than their headers alone.
        max_number_of_boxes: of the training; more are no fault, but counted.
    """

    def __init__(
        self,
        label_map: Sequence[LabelMapItem],
        *,
        decode_pixels: bool = True,
        max_number_of_boxes: int = 100,
    ):
        self._rules = ObjectRules(label_map)
        self._decode_pixels = decode_pixels
        self._max_number_of_boxes = max_number_of_boxes
        self._seen_ids: dict[str, set[bytes]] = {}
        self.verdict = Verdict()

    def verify(
        self, paths: Sequence[Path], progress: Callable[[int], object]
    ) -> Verdict:
        """Checks all files; `progress` is called with numbers of bytes read.

        Raises: OSError if a file cannot be read.
        """
        for line in find_shard_faults(paths):
            self.verdict.add(line)
        for path in paths:
            self.verdict.files += 1
            self._verify_file(path, progress)
        if not self.verdict.images and not self.verdict.num_faults:
            self.verdict.add("There must be a record. Received: none")
        return self.verdict

    def _verify_file(
        self, path: Path, progress: Callable[[int], object]
    ) -> None:
        """A broken frame ends the file, as it ends a training."""
        seen = self._seen_ids.setdefault(parse_shard_name(path).split, set())
        try:
            for number, payload in enumerate(read_frames(path), 1):
                place = f"{path}, record {number}"
                self._verify_record(payload, place, seen)
                progress(record_size(payload))
        except RecordError as error:
            self.verdict.add(
                f"{path}, record {error.number} (byte {error.offset}): "
                f"{error.problem}; the rest of the file was not read"
            )

    def _verify_record(
        self, payload: bytes, place: str, seen: set[bytes]
    ) -> None:
        self.verdict.images += 1
        try:
            columns = parse_example(payload)
        except ValueError as error:
            self.verdict.add(f"{place}: {error}")
            return
        source_id = single_values(columns).get("image/source_id", b"")
        shown = shorten(source_id.decode("utf-8", "backslashreplace"))
        for line in self._find_faults(columns, source_id, seen):
            self.verdict.add(f"{place} ({shown}): {line}")
        self._count_boxes(count_boxes(columns))

    def _find_faults(
        self, columns: Mapping[str, Column], source_id: bytes, seen: set[bytes]
    ) -> Iterator[str]:
        yield from find_image_faults(columns, decode_pixels=self._decode_pixels)
        yield from self._rules.find_faults(columns)
        if source_id in seen:
            yield fault(
                "image/source_id must be unique within a split", source_id
            )
        elif source_id:
            seen.add(source_id)

    def _count_boxes(self, count: int) -> None:
        verdict = self.verdict
        verdict.boxes += count
        verdict.num_crowded += count > self._max_number_of_boxes
        verdict.most_boxes = max(verdict.most_boxes, count)

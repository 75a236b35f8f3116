"""What a conversion did: a JSON file for machines, a few lines for people."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.counts import Counts
from tfrecords_tools.errors import ParseError

_SHOWN = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was counted while a split was converted.

    Args:
        expected_images: by the paper's Table 1; None where that has none.
        order: of the images in the records, in plain words.
        options: flags that change the bytes.
        shards: file names.
        images_by_shard: annotated images, by shard.
        bytes_by_shard: sizes of the files.
        identity: digest of annotations and options.
    """

    dataset: str
    title: str
    split: str
    expected_images: int | None
    order: str
    options: Mapping[str, object]
    shards: Sequence[str]
    images_by_shard: Sequence[int]
    bytes_by_shard: Sequence[int]
    counts: Counts
    identity: str


def write_report(path: Path, report: Report) -> None:
    """Writes JSON; an older file stays if that fails."""
    data = dataclasses.asdict(report) | {"counts": report.counts.to_json()}
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    with replace_together([path]) as (file,):
        # File names that are no UTF-8 come back from their JSON escapes.
        file.write(text.encode("utf-8", "backslashreplace") + b"\n")


def read_report(path: Path) -> Report:
    """Inverse of `write_report`.

    Raises: ParseError if the file is no such report.
    """
    try:
        data = json.loads(path.read_bytes())
        return Report(**data | {"counts": Counts.from_json(data["counts"])})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ParseError(
            path, "", f"A conversion report is damaged: {error}"
        ) from error


def describe(report: Report) -> Iterator[str]:
    """The report in plain language, line by line."""
    counts = report.counts
    images, boxes = counts.images, counts.boxes
    yield (
        f"{report.title}, {report.split}: "
        f"{_number(images['written'], 'image')}, "
        f"{_number(boxes['kept'], 'box')} of "
        f"{_number(len(counts.classes), 'class')} in "
        f"{_number(len(report.shards), 'file')}"
    )
    if report.expected_images not in (None, images["written"]):
        yield f"  the whole dataset has {report.expected_images:,} images"
    if images["without boxes"]:
        yield f"  without a box: {_number(images['without boxes'], 'image')}"
    for reason, number in counts.unusable.most_common():
        yield (
            f"  {number:,} of {images['annotated']:,} images left out: "
            f"{reason}{_examples(counts, reason)}"
        )
    for reason, number in counts.left_out.most_common():
        yield f"  not part of the split: {_number(number, 'image')}, {reason}"
    for reason, number in counts.dropped.most_common():
        yield (
            f"  {number:,} of {boxes['annotated']:,} boxes dropped: "
            f"{reason}{_examples(counts, reason)}"
        )
    if boxes["clipped"]:
        yield f"  clipped to the image: {_number(boxes['clipped'], 'box')}"
    for kind, number in counts.re_encoded.most_common():
        yield (
            f"  stored anew as JPEG: {_number(number, 'image')}, "
            f"{kind}{_examples(counts, kind)}"
        )
    for remark, number in counts.remarks.most_common():
        names = _examples(counts, remark)
        yield f"  look at {_number(number, 'image')}: {remark}{names}"


def _number(count: int, noun: str) -> str:
    """`1 box`, `2,000 boxes`."""
    plural = "es" if noun.endswith(("x", "s")) else "s"
    return f"{count:,} {noun}{'' if count == 1 else plural}"


def _examples(counts: Counts, reason: str) -> str:
    names = counts.named.get(reason, [])
    if not names:
        return ""
    more = ", ..." if len(names) > _SHOWN else ""
    return f" ({', '.join(map(repr, names[:_SHOWN]))}{more})"

"""From what annotations say, and an image's bytes, to a finished example."""

import dataclasses

from tfrecords_tools import images
from tfrecords_tools.boxes import BoxConvention, Edges, frame_of, place
from tfrecords_tools.counts import Counts
from tfrecords_tools.example import Example, ExampleObject
from tfrecords_tools.images import StoredImage
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject

SIZE_DIFFERS = "annotated size differs from the image's"
EXIF_TURNED = "stored turned or mirrored (EXIF)"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the user may choose for every dataset.

    Args:
        convention: of boxes whose numbers name pixels.
        max_side: larger images are scaled down to it; None keeps all.
    """

    convention: BoxConvention = BoxConvention.STRICT
    max_side: int | None = None


def prepare(
    image: AnnotatedImage, data: bytes, rules: Rules, counts: Counts
) -> Example:
    """Reads the image, places the boxes, and counts what it did.

    Raises: ImageError if the bytes cannot be decoded; nothing is counted.
    """
    stored = images.store(data, max_side=rules.max_side)
    _count_image(image, stored, counts)
    frame = frame_of(image, stored.original_size)
    boxes = []
    for box in image.objects:
        placed = place(box, image.edge_rule, frame, rules.convention)
        counts.boxes["clipped"] += placed.clipped
        if placed.edges is None:
            counts.drop({placed.lost: 1}, image.filename)
        else:
            boxes.append(_finish(box, placed.edges, stored, frame))
    _count_boxes(boxes, counts)
    return Example(
        encoded=stored.encoded,
        encoding=stored.encoding,
        width=stored.width,
        height=stored.height,
        filename=image.filename,
        source_id=image.source_id,
        objects=boxes,
        extra=image.extra,
    )


def _finish(
    box: AnnotatedObject,
    edges: Edges,
    stored: StoredImage,
    frame: tuple[int, int],
) -> ExampleObject:
    xmin, ymin, xmax, ymax = edges
    if box.area is None:
        sides = (xmax - xmin) * stored.width, (ymax - ymin) * stored.height
        area = sides[0] * sides[1]
    else:
        width, height = frame
        area = box.area * (stored.width / width) * (stored.height / height)
    return ExampleObject(
        name=box.name,
        label=box.label,
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        area=area,
        difficult=box.difficult,
        truncated=box.truncated,
        occluded=box.occluded,
        is_crowd=box.is_crowd,
        group_of=box.group_of,
        extra=box.extra,
    )


def _count_image(
    image: AnnotatedImage,
    stored: StoredImage,
    counts: Counts,
) -> None:
    remarks = list(image.remarks)
    if image.size is not None and image.size != stored.original_size:
        remarks.append(SIZE_DIFFERS)
    if stored.exif_turned:
        remarks.append(EXIF_TURNED)
    for remark in remarks:
        counts.remarks[remark] += 1
        counts.name(remark, image.filename)
    if stored.re_encoded is not None:
        counts.re_encoded[stored.re_encoded] += 1
        counts.name(stored.re_encoded, image.filename)
    counts.drop(image.dropped, image.filename)


def _count_boxes(boxes: list[ExampleObject], counts: Counts) -> None:
    counts.images["written"] += 1
    counts.images["without boxes"] += not boxes
    counts.boxes["kept"] += len(boxes)
    counts.boxes["annotated"] += len(boxes)
    counts.classes.update(box.name for box in boxes)

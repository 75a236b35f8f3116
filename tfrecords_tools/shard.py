"""One shard: its spooled records in, a TFRecord file and its counts out.

The unit of work of every way to run a conversion; whichever process writes
it, the bytes are the same.
"""

import dataclasses
import json
import stat
from collections.abc import Callable, Iterator, Mapping

from tfrecords_tools import tf_example
from tfrecords_tools.atomic import replace_together
from tfrecords_tools.counts import Counts
from tfrecords_tools.example import Example
from tfrecords_tools.files import to_path
from tfrecords_tools.images import ImageError
from tfrecords_tools.prepare import Rules, prepare
from tfrecords_tools.record import AnnotatedImage
from tfrecords_tools.spool import read_spool
from tfrecords_tools.work_folder import WorkFolder
from tfrecords_tools.writer import check_classes, frame

ABSENT = "absent"
_OF_UNUSABLE = "its image cannot be used"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShardJob:
    """What a process needs to know to write any shard of a split.

    Args:
        data_dir, work_dir: as text, so that any process can open them.
        ids: label map, id by name.
        columns: the dataset's further features.
        rules: the user's choices.
        may_be_absent: whether absent image files are counted and left out.
        may_be_unusable: whether all unusable image files are.
    """

    data_dir: str
    work_dir: str
    ids: Mapping[str, int]
    columns: tf_example.Columns
    rules: Rules
    may_be_absent: bool
    may_be_unusable: bool


def write_shard(
    job: ShardJob, index: int, on_image: Callable[[], object]
) -> None:
    """Writes shard and counts into the work folder, or what is wrong.

    A shard that needs an image which cannot be used is not written; its
    counts tell which. `on_image` is called after each image.

    Raises: OSError if the shard cannot be written; ValueError if a converter
        contradicts its own label map.
    """
    work = WorkFolder(to_path(job.work_dir))
    counts = Counts()
    with replace_together([work.shard(index)]) as (file,):
        for example in _examples(job, index, counts, on_image):
            check_classes(example, job.ids)
            file.write(frame(tf_example.serialize(example, job.columns)))
    is_good = is_acceptable(job, counts)
    if not is_good:
        work.shard(index).unlink()
    text = json.dumps(counts.to_json(), indent=1).encode()
    target = work.counts(index) if is_good else work.faults(index)
    with replace_together([target], durable=False) as (file,):
        file.write(text)


def is_acceptable(job: ShardJob, counts: Counts) -> bool:
    """Whether a shard with these counts may be part of the records."""
    return job.may_be_unusable or not refused_images(counts, job.may_be_absent)


def refused_images(counts: Counts, may_be_absent: bool) -> int:
    """Number of images that a complete conversion must not lack."""
    absent = counts.unusable[ABSENT] if may_be_absent else 0
    return counts.unusable.total() - absent


def _examples(
    job: ShardJob, index: int, counts: Counts, on_image: Callable[[], object]
) -> Iterator[Example]:
    data_dir = to_path(job.data_dir)
    spooled = WorkFolder(to_path(job.work_dir)).spool(index)
    for image in read_spool(spooled, data_dir):
        counts.images["annotated"] += 1
        try:
            yield prepare(image, _read(image), job.rules, counts)
        except ImageError as error:
            counts.unusable[str(error)] += 1
            counts.name(str(error), image.filename)
            counts.drop({_OF_UNUSABLE: len(image.objects)}, image.filename)
            counts.drop(image.dropped, image.filename)
        on_image()


def _read(image: AnnotatedImage) -> bytes:
    """Bytes of the file; raises ImageError for whatever prevents it."""
    try:
        # A pipe would be waited for.
        if not stat.S_ISREG(image.path.stat().st_mode):
            raise ImageError("not a file")
        return image.path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(ABSENT) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ImageError(f"unreadable: {reason}") from error

"""A split of a dataset, from its annotations to files that are complete.

plan     annotations -> spooled records, by shard
write    images + spooled records -> shards, in a hidden folder
finish   checks the counts, gives shards their names, writes the report
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tfrecords_tools import beam_runner, local_runner
from tfrecords_tools.converters import Converter
from tfrecords_tools.counts import Counts, total
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.outputs import Outputs
from tfrecords_tools.prepare import Rules
from tfrecords_tools.report import Report
from tfrecords_tools.shard import ShardJob, is_acceptable, refused_images
from tfrecords_tools.spool import Spool
from tfrecords_tools.tf_example import Columns
from tfrecords_tools.work_folder import WorkFolder
from tfrecords_tools.writer import check_new

# Part of every conversion's identity: raise it when equal data and options
# begin to give other bytes.
_BYTES_VERSION = 1


class Progress(Protocol):
    """What a conversion tells while it runs."""

    def start(self, activity: str, total: int | None) -> None:
        """A phase begins; `total` images, if that is known."""

    def advance(self, images: int) -> None:
        """So many more images are done."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user may choose for every dataset.

    Args:
        num_shards: files a split; None takes the converter's own number.
        rules: for boxes and images.
        allow_count_mismatch: whether a split may have another size than the
            paper's, or lack images that cannot be used.
        overwrite: whether a finished conversion may be replaced.
        may_replace_label_map: whether another label map may be replaced,
            because the records of all splits are.
        jobs: processes.
        beam_arguments: flags for Apache Beam; None converts without it.
    """

    num_shards: int | None = None
    rules: Rules = Rules()
    allow_count_mismatch: bool = False
    overwrite: bool = False
    may_replace_label_map: bool = False
    jobs: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    beam_arguments: Sequence[str] | None = None


def convert(
    converter: Converter,
    split: str,
    output_dir: Path,
    choices: Choices,
    progress: Progress,
) -> Report:
    """Converts one split; goes on where an interrupted run stopped.

    Returns: the report; that of the earlier run if nothing was left to do.
    Raises: DatasetError if the data break a rule, if the count is wrong, or
        if the folder holds the files of another conversion; OSError.
    """
    label_map = converter.label_map()
    outputs = Outputs.of(converter, split, output_dir, choices.num_shards)
    with outputs.work.locked():
        outputs.check_label_map(
            converter, label_map, may_replace=choices.may_replace_label_map
        )
        plan = _plan(converter, split, outputs, progress)
        identity = _identity(converter, choices, plan)
        if not choices.overwrite:
            earlier = outputs.finished_earlier(identity)
            if earlier is not None:
                _check_complete(earlier, converter, choices)
                outputs.work.remove()
                return earlier
        _check_count(converter, split, sum(plan.counts), choices)
        outputs.work.start(identity)
        job = _job(converter, label_map, outputs, choices)
        _write(job, outputs, plan.counts, choices, progress)
        counts = _gather(job, outputs, converter)
        report = Report(
            dataset=converter.key,
            title=converter.title,
            split=split,
            expected_images=converter.expected_images[split],
            order=converter.order,
            options=_options(converter, choices, len(outputs.shards)),
            shards=[path.name for path in outputs.shards],
            images_by_shard=plan.counts,
            bytes_by_shard=outputs.sizes(),
            counts=counts,
            identity=identity,
        )
        outputs.finish(
            label_map, report, converter.derived_ids(split), converter
        )
    return report


def _plan(
    converter: Converter,
    split: str,
    outputs: Outputs,
    progress: Progress,
) -> Spool:
    """Spreads the split's records over spool files, one a shard."""
    num_shards = len(outputs.shards)
    paths = [outputs.work.spool(index) for index in range(num_shards)]
    seen: set[bytes] = set()
    progress.start(f"{converter.key} {split}: annotations", None)
    with Spool(paths, converter.data_dir) as spool:
        for index, image in enumerate(converter.annotated_images(split)):
            check_new(image.source_id, str(image.path), seen)
            spool.add(converter.shard(image, index, num_shards), image)
            progress.advance(1)
    return spool


def _options(
    converter: Converter, choices: Choices, num_shards: int
) -> dict[str, object]:
    """Whatever may change the bytes, by the name of its flag."""
    return {
        **vars(converter.options),
        "num_shards": num_shards,
        "box_convention": choices.rules.convention.value,
        "max_side": choices.rules.max_side,
    }


def _identity(converter: Converter, choices: Choices, plan: Spool) -> str:
    options = _options(converter, choices, len(plan.counts))
    parts = [_BYTES_VERSION, options, plan.digest]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_complete(
    earlier: Report, converter: Converter, choices: Choices
) -> None:
    """An earlier run may have been allowed to leave images out."""
    counts = earlier.counts
    _check_count(converter, earlier.split, counts.images["annotated"], choices)
    left_out = refused_images(counts, converter.may_lack_images)
    if left_out and not choices.allow_count_mismatch:
        raise DatasetError(
            f"A conversion must have all images. Received one that left some "
            f"out: {left_out:,} ({', '.join(counts.unusable)}). To try them "
            f"again add --overwrite, to leave it so --allow_count_mismatch"
        )


def _check_count(
    converter: Converter, split: str, number: int, choices: Choices
) -> None:
    expected = converter.expected_images[split]
    if choices.allow_count_mismatch or expected in (None, number):
        return
    raise DatasetError(
        f"The {split} split of {converter.title} must have {expected:,} "
        f"images. Received: {number:,} ({converter.data_dir}). For a part of "
        f"the dataset add --allow_count_mismatch"
    )


def _job(
    converter: Converter,
    label_map: list[LabelMapItem],
    outputs: Outputs,
    choices: Choices,
) -> ShardJob:
    return ShardJob(
        data_dir=str(converter.data_dir),
        work_dir=str(outputs.work.path),
        ids={item.name: item.id for item in label_map},
        columns=Columns(
            object=dict(converter.object_columns),
            image=dict(converter.image_columns),
        ),
        rules=choices.rules,
        may_be_absent=converter.may_lack_images,
        may_be_unusable=choices.allow_count_mismatch,
    )


def _write(
    job: ShardJob,
    outputs: Outputs,
    images_by_shard: Sequence[int],
    choices: Choices,
    progress: Progress,
) -> None:
    """Writes the shards that an earlier run has not completed."""
    work = outputs.work
    missing = [
        index
        for index in range(len(outputs.shards))
        if not _is_done(job, work, index)
    ]
    for index in missing:
        work.faults(index).unlink(missing_ok=True)
    progress.start(
        f"{outputs.report.name.removesuffix('_report.json')}: images",
        sum(images_by_shard[index] for index in missing),
    )
    if choices.beam_arguments is None:
        local_runner.run_locally(
            job, missing, jobs=choices.jobs, progress=progress.advance
        )
    elif missing:
        beam_runner.run_on_beam(
            job,
            {index: images_by_shard[index] for index in missing},
            arguments=choices.beam_arguments,
            jobs=choices.jobs,
            progress=progress.advance,
        )


def _is_done(job: ShardJob, work: WorkFolder, index: int) -> bool:
    """Whether an earlier run wrote the shard, by rules no laxer than ours."""
    if not work.counts(index).is_file():
        return False
    return is_acceptable(job, work.read_counts(work.counts(index)))


def _gather(job: ShardJob, outputs: Outputs, converter: Converter) -> Counts:
    """Counts of all shards; refuses if one of them could not be written."""
    work = outputs.work
    indices = range(len(outputs.shards))
    faulty = [i for i in indices if work.faults(i).is_file()]
    if faulty:
        faults = total(work.read_counts(work.faults(i)) for i in faulty)
        raise DatasetError(_describe_faults(job, faults, len(faulty)))
    counts = total(work.read_counts(work.counts(i)) for i in indices)
    if not counts.images["written"]:
        raise DatasetError(
            f"A split must have an image that can be used. Received none of "
            f"{counts.images['annotated']:,}: "
            f"{', '.join(counts.unusable) or 'the list is empty'} "
            f"({converter.data_dir})"
        )
    for reason, number in converter.left_out_boxes.items():
        counts.dropped[reason] += number
        counts.boxes["annotated"] += number
    counts.left_out.update(converter.left_out_images)
    return counts


def _describe_faults(job: ShardJob, faults: Counts, shards: int) -> str:
    lines = [
        f"{number:,} x {reason}: {', '.join(faults.named[reason])}"
        for reason, number in faults.unusable.most_common()
    ]
    number = refused_images(faults, job.may_be_absent)
    return (
        f"Every image must be there and readable. Received {number:,} that "
        f"are not:\n  "
        + "\n  ".join(lines)
        + f"\nMend them and run the same command again ({shards} files are "
        f"left to write), or add --allow_count_mismatch to leave them out. "
        f"Images: {job.data_dir}"
    )

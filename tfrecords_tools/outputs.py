"""The finished files of a split, and how they get their names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.converters import Converter
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.files import move
from tfrecords_tools.label_map import (
    LabelMapItem,
    read_label_map,
    write_label_map,
)
from tfrecords_tools.report import Report, read_report, write_report
from tfrecords_tools.work_folder import WorkFolder
from tfrecords_tools.writer import shard_paths

_SHARD_ENDING = re.compile(r"-[0-9]{5}-of-[0-9]{5}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outputs:
    """Paths in the output folder.

    Args:
        folder: the output folder.
        shards: final names.
        ids: for splits that a rule of ours chose.
        work: hidden folder of what is not finished.
    """

    folder: Path
    shards: Sequence[Path]
    label_map: Path
    report: Path
    ids: Path
    work: WorkFolder

    @classmethod
    def of(
        cls,
        converter: Converter,
        split: str,
        folder: Path,
        num_shards: int | None,
    ) -> Outputs:
        """Names by dataset and split; touches no disk."""
        key = converter.key
        number = (
            converter.num_shards[split] if num_shards is None else num_shards
        )
        return cls(
            folder=folder,
            shards=shard_paths(folder, key=key, split=split, num_shards=number),
            label_map=folder / f"{key}_label_map.pbtxt",
            report=folder / f"{key}_{split}_report.json",
            ids=folder / f"{key}_{split}_ids.txt",
            work=WorkFolder(folder / f".{key}_{split}.partial"),
        )

    def check_label_map(
        self,
        converter: Converter,
        label_map: list[LabelMapItem],
        *,
        may_replace: bool,
    ) -> None:
        """Splits share the map; another one belongs to other records.

        Args:
            may_replace: whether the records of all splits are replaced too.
        Raises: DatasetError if the folder has another one that must stay.
        """
        if may_replace or not self.label_map.is_file():
            return
        there = read_label_map(
            self.label_map, allow_gaps=converter.label_map_has_gaps
        )
        if there != label_map:
            raise DatasetError(
                f"All splits in a folder must share one label map. Received a "
                f"folder with another one; take a new --output_dir, or "
                f"--overwrite both splits in one run, without --split "
                f"({self.label_map})"
            )

    def finished_earlier(self, identity: str) -> Report | None:
        """Report of an equal conversion, if there was one.

        Raises: DatasetError if the records of another one are in the way.
        """
        if self.report.is_file():
            report = read_report(self.report)
            if report.identity == identity:
                self._check_sizes(report)
                return report
        there = self._records()
        # A run that was killed may have named some of its shards already.
        if there and not self.work.is_finishing(identity):
            raise DatasetError(
                f"Records of another conversion are never replaced unasked: "
                f"annotations or options differ. Take a new --output_dir, or "
                f"--overwrite. Received: {there[0]}"
            )
        return None

    def _check_sizes(self, report: Report) -> None:
        """Whether the shards are still what the report says."""
        for path, size in zip(self.shards, report.bytes_by_shard, strict=True):
            found = path.stat().st_size if path.is_file() else None
            if found != size:
                raise DatasetError(
                    f"A finished shard must have {size:,} bytes, as the "
                    f"report says; convert again with --overwrite. Received: "
                    f"{'no file' if found is None else f'{found:,}'} ({path})"
                )

    def sizes(self) -> list[int]:
        """Bytes of each shard, wherever it is at the moment."""
        return [
            (source if source.exists() else target).stat().st_size
            for source, target in (
                (self.work.shard(index), target)
                for index, target in enumerate(self.shards)
            )
        ]

    def finish(
        self,
        label_map: list[LabelMapItem],
        report: Report,
        derived_ids: list[str] | None,
        converter: Converter,
    ) -> None:
        """Gives everything its name; may be killed and repeated anywhere.

        The report comes last: where it is, all is there.
        """
        self.work.begin_finishing(report.identity)
        self.report.unlink(missing_ok=True)
        for stale in set(self._records()) - set(self.shards):
            stale.unlink()
        for index, target in enumerate(self.shards):
            source = self.work.shard(index)
            if source.exists():
                move(source, target)
            elif not target.exists():
                raise DatasetError(
                    f"A shard went missing while the shards were named; run "
                    f"the same command with --overwrite. Received no {target}"
                )
        write_label_map(
            self.label_map,
            label_map,
            allow_gaps=converter.label_map_has_gaps,
        )
        if derived_ids is not None:
            with replace_together([self.ids]) as (file,):
                file.write("".join(f"{n}\n" for n in derived_ids).encode())
        write_report(self.report, report)
        self.work.remove()

    def _records(self) -> list[Path]:
        """Shards of the split, whatever their number; no file of others."""
        stem = self.shards[0].name.split("-")[0]
        return sorted(
            path
            for path in self.folder.glob(f"{stem}-*")
            if _SHARD_ENDING.fullmatch(path.name.removeprefix(stem))
            and path.is_file()
        )

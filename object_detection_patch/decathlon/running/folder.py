"""Where everything of a decathlon lies: records to keep, and work."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil

from object_detection_patch.decathlon.suite.runs import (
    HELD_OUT_FOLDER,
    Run,
)
from object_detection_patch.decathlon.suite.suite import GivenBase
from object_detection_patch.patch_file.whole_file import write_whole

PRECISIONS = ("int8", "float32")
"""Of published bases, in the order of publishing: int8 mends more."""

# Paths become patterns of files and quoted texts of a pipeline.config.
_UNFIT = re.compile(r"[*?\[\]'\\\n]")


class FolderError(ValueError):
    """A directory that cannot take these runs."""


@dataclasses.dataclass(frozen=True)
class Folder:
    """A decathlon's directory.

    `suite.json`, `runs/`, `bases/`, `conversion/` and what `report` writes
    are small and worth keeping; `work/` holds data, checkpoints, patches and
    logs.

    Args:
      data: where a suite's relative paths begin; `work/data` unless given.
    """

    root: pathlib.Path
    data: pathlib.Path

    @property
    def suite(self) -> pathlib.Path:
        return self.root / "suite.json"

    @property
    def conversion(self) -> pathlib.Path:
        """Reports of the converters."""
        return self.root / "conversion"

    def run_record(self, run_id: str) -> pathlib.Path:
        return self.root / "runs" / f"{run_id}.json"

    def base_record(self, key: str) -> pathlib.Path:
        return self.root / "bases" / f"{key}.json"

    def run_work(self, run: Run) -> pathlib.Path:
        return self.root / "work" / "runs" / run.id

    def training_work(self, run: Run) -> pathlib.Path:
        """Of the training that gives a run: mostly `run_work`."""
        return self.root / "work" / "runs" / run.training_id

    def run_patch(self, run: Run) -> pathlib.Path:
        """The patch that a run learned, in exact numbers."""
        return self.patch_of(run.id)

    def patch_of(self, run_id: str) -> pathlib.Path:
        """The same, of the run of an id."""
        return self.root / "work" / "runs" / run_id / "task.patch"

    def run_start(self, run: Run) -> pathlib.Path:
        """The patch that a run's training starts from, if it has one."""
        return self.run_work(run) / "start.patch"

    def base_work(self, key: str) -> pathlib.Path:
        return self.root / "work" / "bases" / key

    def drawn_by_base(self, key: str, task: str) -> pathlib.Path:
        """What a base finds in a task's images, for the report to draw."""
        return self.base_work(key) / f"drawn_{task}.npz"

    def published(self, key: str, precision: str) -> pathlib.Path:
        """Directory that export-base wrote."""
        return self.base_work(key) / precision

    def checkpoint(self, key: str) -> pathlib.Path:
        """What tasks are trained on, with pipeline.config and label map."""
        return self.base_work(key) / "checkpoint"

    def path(self, relative: str) -> str:
        """A path or pattern of a suite, as it is to be opened."""
        if relative.startswith(f"{HELD_OUT_FOLDER}/"):
            return os.path.join(self.root, "work", relative)
        return os.path.join(self.data, relative)

    def given(self, base: GivenBase) -> tuple[str, str]:
        """Config and checkpoint of a base that exists."""
        return self.path(base.pipeline_config), self.path(base.checkpoint)


def open_folder(
    root: str | os.PathLike[str], data_dir: str | None = None
) -> Folder:
    """The folder at `root`, which may be yet to come.

    Raises:
      FolderError: for a path with a character that patterns or configs give
        another meaning.
    """
    path = pathlib.Path(root).resolve()
    data = pathlib.Path(data_dir).resolve() if data_dir else None
    for option, value in (("--out_dir", path), ("--data_dir", data)):
        if _UNFIT.search(str(value)):
            raise FolderError(
                f"`{option}` must be a path without any of * ? [ ] ' \\ and "
                f"line breaks. Received: {str(value)!r}."
            )
    return Folder(path, data or path / "work" / "data")


def empty_unless(work: pathlib.Path, identity: str) -> None:
    """Makes `work` a directory of this work and no other.

    A training goes on from the checkpoints that it finds. Those of other
    settings, or on another base, would be gone on from without a word, so
    they are removed.

    Args:
      identity: digest of whatever decides what comes to lie in it.
    """
    stamp = work / "identity"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == identity:
        return
    if work.exists():
        stamp.unlink(missing_ok=True)  # Killed here, it would vouch for a part.
        shutil.rmtree(work)
    work.mkdir(parents=True)
    write_whole(stamp, identity.encode())

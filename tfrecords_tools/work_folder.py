"""The hidden folder in which a conversion grows until it is complete."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.counts import Counts
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.files import is_local
from tfrecords_tools.spool import SCRATCH_PREFIX


class WorkFolder:
    """Names of what lies in `<output_dir>/.<key>_<split>.partial/`."""

    def __init__(self, path: Path):
        self.path = path

    def spool(self, index: int) -> Path:
        """Annotations of a shard, see `spool.py`."""
        return self.path / f"annotations-{index:05d}.jsonl.gz"

    def shard(self, index: int) -> Path:
        """The shard's records; complete if it exists."""
        return self.path / f"shard-{index:05d}"

    def counts(self, index: int) -> Path:
        """What was counted on the way; written after the shard."""
        return self.path / f"counts-{index:05d}.json"

    def faults(self, index: int) -> Path:
        """The same for a shard that could not be written."""
        return self.path / f"faults-{index:05d}.json"

    def read_counts(self, path: Path) -> Counts:
        """Counts or faults of a shard."""
        return Counts.from_json(json.loads(path.read_bytes()))

    def start(self, identity: str) -> None:
        """Makes the folder, or goes on in it if it is of the same work.

        Args:
            identity: digest of annotations and options. Shards of another
                identity are thrown away; nobody has seen them yet.
        """
        for stale in self.path.glob(".*.partial"):
            stale.unlink()
        stamp = self.path / "identity"
        if stamp.is_file() and stamp.read_text() == identity:
            return
        stamp.unlink(missing_ok=True)  # Killed here, it would vouch for holes.
        for stale in [*self.path.glob("shard-*"), *self.path.glob("counts-*")]:
            stale.unlink()
        stamp.write_text(identity)

    def begin_finishing(self, identity: str) -> None:
        """From here on shards leave the folder for their final names."""
        (self.path / "finishing").write_text(identity)

    def is_finishing(self, identity: str) -> bool:
        """Whether a run was stopped while shards of this work were named."""
        stamp = self.path / "finishing"
        return stamp.is_file() and stamp.read_text() == identity

    def remove(self) -> None:
        """Deletes the folder with all that is in it."""
        if is_local(self.path):
            shutil.rmtree(self.path)
            return
        for child in list(self.path.iterdir()):
            child.unlink()
        with contextlib.suppress(OSError):  # Many stores have no folders.
            self.path.rmdir()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second conversion out of the folder, where locks exist.

        The lock ends with the process, however that ends.

        Raises: DatasetError if another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            import fcntl
        except ImportError:  # Not on Windows.
            fcntl = None  # type: ignore[assignment]
        if fcntl is None or not is_local(self.path):
            yield
            return
        with (self.path / "lock").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DatasetError(
                    f"Only one conversion at a time may write a split. "
                    f"Received a folder in which another one works: "
                    f"{self.path}"
                ) from error
            for stale in self.path.glob(f"{SCRATCH_PREFIX}*"):
                shutil.rmtree(stale)
            yield

"""Writes shards with Apache Beam, on whatever runner its flags name.

A shard is an element: its annotations and images are read, and its file
written, by the worker that gets its number. So image bytes never pass through
a shuffle, and a worker holds one image at a time.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from tfrecords_tools.errors import DatasetError
from tfrecords_tools.files import to_path
from tfrecords_tools.shard import ShardJob, write_shard
from tfrecords_tools.work_folder import WorkFolder

DIRECT_RUNNER = "DirectRunner"
_POLL_SECONDS = 1.0


def run_on_beam(
    job: ShardJob,
    shards: Mapping[int, int],
    *,
    arguments: Sequence[str],
    jobs: int,
    progress: Callable[[int], object],
) -> None:
    """Writes the shards on the runner that `arguments` name.

    Args:
        shards: number of images by shard; calls progress with it when the
            shard is complete.
        arguments: Beam's own flags, `--runner=...` among them. Workers must
            see data and output under the same paths as this process.
        jobs: processes of the direct runner; others have flags of their own.
    Raises: ValueError if Beam is not installed; DatasetError with the last
        line of what the runner says if it fails.
    """
    try:
        import apache_beam  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "`--runner` needs Apache Beam, which the extra `convert` brings: "
            "pip install 'object_detection_patch[convert]'"
        ) from error
    try:
        _run(job, shards, arguments, jobs, progress)
    # Runners raise whatever they like, with the workers' tracebacks in it.
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else type(error).__name__
        raise DatasetError(
            f"The Beam runner failed; run the same command again when it is "
            f"mended. Received: {reason}"
        ) from error


def _run(
    job: ShardJob,
    shards: Mapping[int, int],
    arguments: Sequence[str],
    jobs: int,
    progress: Callable[[int], object],
) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    options = PipelineOptions(
        [*arguments, *_direct_runner_flags(arguments, jobs)]
    )
    with (
        _watching(job, shards, progress),
        beam.Pipeline(options=options) as pipeline,
    ):
        (
            pipeline
            | "Shards" >> beam.Create(list(shards))
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.Map(functools.partial(_write, job))
        )


@contextlib.contextmanager
def _watching(
    job: ShardJob,
    shards: Mapping[int, int],
    progress: Callable[[int], object],
) -> Iterator[None]:
    """Reports shards as their counts appear, wherever they are written."""
    work = WorkFolder(to_path(job.work_dir))
    waiting = set(shards)
    ended = threading.Event()

    def look() -> None:
        done = {i for i in waiting if work.counts(i).is_file()}
        waiting.difference_update(done)
        progress(sum(shards[index] for index in done))

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        look()


def _direct_runner_flags(arguments: Sequence[str], jobs: int) -> list[str]:
    """Processes, unless the user chose otherwise: threads share one core."""
    if f"--runner={DIRECT_RUNNER}" not in arguments:
        return []
    given = {argument.split("=")[0] for argument in arguments}
    wanted = {
        "--direct_running_mode": "multi_processing",
        "--direct_num_workers": str(jobs),
    }
    return [f"{k}={v}" for k, v in wanted.items() if k not in given]


def _write(job: ShardJob, index: int) -> None:
    from apache_beam.metrics import Metrics

    images = Metrics.counter("tfrecords_tools", "images")
    write_shard(job, index, images.inc)

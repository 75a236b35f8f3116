"""Writes shards with the processes of this machine."""

import concurrent.futures.process
import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from tfrecords_tools.errors import DatasetError
from tfrecords_tools.processes import make_pool
from tfrecords_tools.shard import ShardJob, write_shard

_POLL_SECONDS = 0.2
_images_done: Any = None


def run_locally(
    job: ShardJob,
    shards: Sequence[int],
    *,
    jobs: int,
    progress: Callable[[int], object],
) -> None:
    """Writes the shards, `jobs` at a time; calls progress(new images).

    If one fails, or the user interrupts, the others are stopped: what they
    were writing is thrown away, complete shards stay.

    Raises: whatever `write_shard` raised first.
    """
    if jobs == 1 or len(shards) <= 1:
        for index in shards:
            write_shard(job, index, lambda: progress(1))
        return
    done = multiprocessing.get_context("spawn").Value("Q", 0)
    pool = make_pool(min(jobs, len(shards)), _keep, (done,))
    try:
        futures = [pool.submit(_write, job, index) for index in shards]
        _wait(futures, lambda: done.value, progress)
    except concurrent.futures.process.BrokenProcessPool as error:
        raise DatasetError(
            "A process that wrote shards was killed, perhaps for want of "
            "memory. Run the same command again, with fewer --jobs"
        ) from error
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _wait(
    futures: list[concurrent.futures.Future[None]],
    images_done: Callable[[], int],
    progress: Callable[[int], object],
) -> None:
    reported = 0
    pending = set(futures)
    while pending:
        ended, pending = concurrent.futures.wait(
            pending, _POLL_SECONDS, concurrent.futures.FIRST_EXCEPTION
        )
        for future in ended:
            future.result()
        now = images_done()
        progress(now - reported)
        reported = now


def _keep(done: Any) -> None:
    global _images_done
    _images_done = done


def _write(job: ShardJob, index: int) -> None:
    write_shard(job, index, _count_image)


def _count_image() -> None:
    with _images_done.get_lock():
        _images_done.value += 1

"""Writes shards with the processes of this machine."""

import concurrent.futures
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

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
    # Not forked: a child would inherit the progress bar's threads and locks.
    context = multiprocessing.get_context("spawn")
    done = context.Value("Q", 0)
    pool = concurrent.futures.ProcessPoolExecutor(
        min(jobs, len(shards)), context, _start_worker, (done,)
    )
    try:
        futures = [pool.submit(_write, job, index) for index in shards]
        _wait(futures, lambda: done.value, progress)
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


def _start_worker(done: Any) -> None:
    global _images_done
    _images_done = done
    # The parent decides what an interrupt means for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot stop its workers; they notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _write(job: ShardJob, index: int) -> None:
    write_shard(job, index, _count_image)


def _count_image() -> None:
    with _images_done.get_lock():
        _images_done.value += 1

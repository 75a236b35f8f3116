"""Worker processes that end when they should."""

import concurrent.futures
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable
from typing import Any


def make_pool(
    jobs: int,
    initializer: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
) -> concurrent.futures.ProcessPoolExecutor:
    """Processes that leave interrupts to the parent and end with it.

    Not forked: a child would inherit the threads and locks of progress bars.

    Args:
        initializer: called in each process with `arguments`.
    """
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(
        jobs, context, _start, (initializer, arguments)
    )


def _start(
    initializer: Callable[..., object] | None, arguments: tuple[Any, ...]
) -> None:
    # The parent decides what an interrupt means for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with_parent() -> None:
    """A parent that was killed cannot stop its workers; they notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

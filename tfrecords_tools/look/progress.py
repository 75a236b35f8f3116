"""A bar of the bytes read, on standard error."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm


def byte_bar(paths: Sequence[Path], verb: str) -> tqdm:
    """A context manager whose `update` takes numbers of bytes.

    Raises: OSError if a file is gone.
    """
    return tqdm(
        desc=verb,
        total=sum(path.stat().st_size for path in paths),
        unit="B",
        unit_scale=True,
        leave=False,
        disable=None,  # Where nobody watches, logs stay free of it.
    )

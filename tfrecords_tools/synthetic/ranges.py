"""Arguments that must lie in a range."""

from tfrecords_tools.errors import UsageError


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Raises: UsageError unless low <= value <= high."""
    if not low <= value <= high:
        raise UsageError(
            f"`{name}` must lie in [{low}, {high}]. Received: {value}"
        )

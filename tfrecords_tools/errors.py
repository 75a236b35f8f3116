"""What can be wrong with data on disk; each message is one line."""

from pathlib import Path


class UsageError(ValueError):
    """A value on the command line that cannot be meant."""


class DatasetError(ValueError):
    """The data cannot be converted as they are."""


class MissingDataError(DatasetError):
    """A file or folder of a dataset's official tree is not there."""


class ParseError(DatasetError):
    """An annotation breaks its format.

    Args:
        path: the file.
        where: line, record or key in it, as `line 12`; empty for the file.
        problem: rule and received value, ending without a full stop.
    """

    def __init__(self, path: Path | str, where: str, problem: str):
        place = f"{path}, {where}" if where else str(path)
        super().__init__(f"{problem} ({place})")

"""Finding the files of a dataset in the trees that people really have."""

from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.errors import MissingDataError


class Tree:
    """A dataset's folder: official, or one level deeper as re-packed.

    Args:
        root: what the user gave as `--data_dir`.
    Raises: MissingDataError if it is no folder.
    """

    def __init__(self, root: Path):
        if not root.is_dir():
            raise MissingDataError(
                f"`--data_dir` must name a folder. Received: {root}"
            )
        self.root = root

    def file(self, *alternatives: str, archive: str) -> Path:
        """The first of the relative paths that is a file.

        Raises: MissingDataError naming all of them and the archive.
        """
        found = self.optional_file(*alternatives)
        return found or self._miss("file", alternatives, archive)

    def folder(self, *alternatives: str, archive: str) -> Path:
        """The first of the relative paths that is a folder.

        Raises: MissingDataError naming all of them and the archive.
        """
        found = self.optional_folder(*alternatives)
        return found or self._miss("folder", alternatives, archive)

    def optional_file(self, *alternatives: str) -> Path | None:
        """The first of the relative paths that is a file, or None."""
        for path in self._candidates(alternatives):
            if path.is_file():
                return path
        return None

    def optional_folder(self, *alternatives: str) -> Path | None:
        """The first of the relative paths that is a folder, or None."""
        for path in self._candidates(alternatives):
            if path.is_dir():
                return path
        return None

    def _candidates(self, alternatives: tuple[str, ...]) -> Iterator[Path]:
        """In the root, then in each of its folders, in alphabetical order."""
        for relative in alternatives:
            yield self.root / relative
        folders = sorted(p for p in self.root.iterdir() if p.is_dir())
        for relative in alternatives:
            for folder in folders:
                yield folder / relative

    def _miss(
        self, kind: str, alternatives: tuple[str, ...], archive: str
    ) -> Path:
        raise MissingDataError(
            f"`--data_dir` must hold the {kind} {' or '.join(alternatives)}, "
            f"which comes in {archive}. Received: {self.root}"
        )

"""Where the image files are, for datasets too large for a dict of paths."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".JPG", ".JPEG")


class ImageIndex:
    """JPEG files named by 16 hex digits, anywhere below a folder.

    12 bytes a file stay in memory: the name as a number, and its folder and
    suffix as another. Of files of one name the first counts, by the
    alphabetical order of folders.
    """

    def __init__(self, root: Path):
        self._folders = list(_folders(root, set()))
        numbers, places = array("Q"), array("I")
        for folder_number, folder in enumerate(self._folders):
            for name in (path.name for path in folder.iterdir()):
                stem, suffix = name[:16], name[16:]
                if suffix in SUFFIXES and is_image_id(stem):
                    numbers.append(int(stem, 16))
                    places.append(
                        folder_number * len(SUFFIXES) + SUFFIXES.index(suffix)
                    )
        order = np.lexsort((places, numbers))
        self._numbers = array("Q", np.asarray(numbers)[order].tobytes())
        self._places = array("I", np.asarray(places)[order].tobytes())

    def __len__(self) -> int:
        return len(self._numbers)

    def find(self, image_id: str) -> Path | None:
        """The file of the image, or None."""
        number = int(image_id, 16)
        index = bisect_left(self._numbers, number)
        if index == len(self._numbers) or self._numbers[index] != number:
            return None
        folder, suffix = divmod(self._places[index], len(SUFFIXES))
        return self._folders[folder] / f"{image_id}{SUFFIXES[suffix]}"


def is_image_id(text: str) -> bool:
    """Whether the text is 16 hex digits in lower case."""
    return len(text) == 16 and not text.strip("0123456789abcdef")


def _folders(folder: Path, visited: set[Path]) -> Iterator[Path]:
    """The folder and all below, by name; a link back is not followed."""
    real = folder.resolve()
    if real in visited:
        return
    visited.add(real)
    yield folder
    # Asking each of 1.7 million files whether it is a folder takes minutes.
    inner = [p for p in folder.iterdir() if p.suffix not in SUFFIXES]
    for path in sorted(inner):
        if path.is_dir():
            yield from _folders(path, visited)

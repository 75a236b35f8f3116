"""Lists of Oxford-IIIT Pet: `Image CLASS-ID SPECIES BREED-ID` a line.

`list.txt` names all images after some comment lines; `trainval.txt` and
`test.txt` have the same columns. BREED-ID counts within a species.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.text import numbered_lines

_SPECIES = {"1": "cat", "2": "dog"}
_ROW = re.compile(
    r"(?P<stem>(?P<breed>\w+)_[0-9]+) +(?P<label>[0-9]{1,6}) +"
    r"(?P<species>[12]) +[0-9]{1,6} *",
    re.ASCII,
)


@dataclasses.dataclass(frozen=True, slots=True)
class PetEntry:
    """A line of a list.

    Args:
        stem: name of the image file without extension.
        breed: the stem without its last "_" and number.
        label: CLASS-ID, 1 or more.
        species: "cat" or "dog".
    """

    stem: str
    breed: str
    label: int
    species: str


def read_class_list(path: Path) -> dict[str, int]:
    """Labels by breed, in the order of the labels, from `list.txt`.

    Raises: ParseError for an id below 1, and where a breed has two ids or an
        id two breeds.
    """
    labels: dict[str, int] = {}
    breeds: dict[int, str] = {}
    for number, entry in _entries(path):
        if entry.label < 1:
            raise ParseError(
                path,
                f"line {number}",
                f"A CLASS-ID must be 1 or more. Received: {entry.label}",
            )
        label = labels.setdefault(entry.breed, entry.label)
        breed = breeds.setdefault(entry.label, entry.breed)
        if (breed, label) != (entry.breed, entry.label):
            raise ParseError(
                path,
                f"line {number}",
                f"A breed must have one CLASS-ID, and an id one breed. "
                f"Received: {entry.breed} {entry.label} after {breed} {label}",
            )
    if not breeds:
        raise ParseError(path, "", "A list must name a class. Received: none")
    return {breeds[label]: label for label in sorted(breeds)}


def read_image_list(
    path: Path, labels: Mapping[str, int]
) -> tuple[PetEntry, ...]:
    """Entries of `trainval.txt` in its order.

    Raises: ParseError for an image listed twice, or a class that is not the
        one of the class list.
    """
    entries: dict[str, PetEntry] = {}
    for number, entry in _entries(path):
        where = f"line {number}"
        if entry.stem in entries:
            raise ParseError(
                path,
                where,
                f"An image must be listed once. Received again: {entry.stem}",
            )
        if labels.get(entry.breed) != entry.label:
            raise ParseError(
                path,
                where,
                f"A breed must have the CLASS-ID of the class list, "
                f"{labels.get(entry.breed, 'which lacks it')}. Received: "
                f"{entry.breed} {entry.label}",
            )
        entries[entry.stem] = entry
    if not entries:
        raise ParseError(
            path, "", "A list must name at least one image. Received: none"
        )
    return tuple(entries.values())


def _entries(path: Path) -> Iterator[tuple[int, PetEntry]]:
    """(line number, entry) of each line that is no comment."""
    for number, line in numbered_lines(path):
        if line.startswith("#"):
            continue
        match = _ROW.fullmatch(line)
        if match is None:
            raise ParseError(
                path,
                f"line {number}",
                f"A line must be `<Breed>_<number> CLASS-ID SPECIES BREED-ID`, "
                f"with species 1 or 2. Received: {line[:80]!r}",
            )
        yield (
            number,
            PetEntry(
                stem=match["stem"],
                breed=match["breed"],
                label=int(match["label"]),
                species=_SPECIES[match["species"]],
            ),
        )

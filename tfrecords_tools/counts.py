"""What a conversion saw, kept and left out, counted by plain-word reasons."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

EXAMPLES = 100
"""Images named for each thing that was counted."""


def _no_counts() -> collections.Counter[str]:
    counter: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    return counter


@dataclasses.dataclass
class Counts:
    """Numbers of images and boxes; adds up over shards.

    Args:
        images: "annotated", "written", "without boxes".
        boxes: "annotated", "kept", "clipped".
        unusable, re_encoded, remarks: images by reason.
        left_out: images that do not belong to the split, by reason.
        dropped: boxes by reason.
        classes: boxes kept, by class name.
        named: the first images counted for a reason, by reason.
    """

    images: collections.Counter[str] = _no_counts()
    boxes: collections.Counter[str] = _no_counts()
    unusable: collections.Counter[str] = _no_counts()
    left_out: collections.Counter[str] = _no_counts()
    re_encoded: collections.Counter[str] = _no_counts()
    remarks: collections.Counter[str] = _no_counts()
    dropped: collections.Counter[str] = _no_counts()
    classes: collections.Counter[str] = _no_counts()
    named: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def name(self, reason: str, filename: str) -> None:
        """Remembers the image as an example of the reason, if one of few."""
        names = self.named.setdefault(reason, [])
        if len(names) < EXAMPLES and filename not in names:
            names.append(filename)

    def drop(self, reasons: Mapping[str, int], filename: str) -> None:
        """Counts annotated boxes that are not written."""
        for reason, number in reasons.items():
            if number:
                self.dropped[reason] += number
                self.boxes["annotated"] += number
                self.name(reason, filename)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, keys in alphabetical order."""
        return {
            field.name: dict(sorted(getattr(self, field.name).items()))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Counts":
        """Inverse of `to_json`."""
        counters = {
            key: collections.Counter(value)
            for key, value in data.items()
            if key != "named"
        }
        return cls(**counters, named=dict(data["named"]))


def total(parts: Iterable[Counts]) -> Counts:
    """Sum over shards; the named images are the first in order of shards."""
    whole = Counts()
    for part in parts:
        for field in dataclasses.fields(Counts):
            if field.name != "named":
                getattr(whole, field.name).update(getattr(part, field.name))
        for reason, names in part.named.items():
            for name in names:
                whole.name(reason, name)
    return whole

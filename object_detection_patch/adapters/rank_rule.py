"""Which adapters become products, and of which rank."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from object_detection_patch.patch_file import errors


@dataclasses.dataclass(frozen=True)
class RankRule:
    """One rank for all adapters, or a share of each one's channels.

    The channels of a matrix are the fewer of its rows and columns.

    Args:
      rank: 1 or more; 0 where `share` is given.
      share: of an adapter's channels, rounded down to a rank of at least 1;
        in (0, 1]; 0 where `rank` is given.

    Raises:
      ValueError: for both, neither, or one out of its range.
    """

    rank: int = 0
    share: float = 0.0

    def __post_init__(self) -> None:
        if bool(self.rank) == bool(self.share):
            raise ValueError(
                "Compression needs a `rank` of 1 or more, or a `share` above "
                f"0. Received: rank {self.rank} and share {self.share:g}."
            )
        if self.rank < 0:
            raise ValueError(
                f"`rank` must be 1 or more. Received: {self.rank}."
            )
        if not 0 <= self.share <= 1:
            raise ValueError(
                "`share` must be above 0 and at most 1. Received: "
                f"{self.share:g}."
            )

    def of(self, shape: tuple[int, int]) -> int:
        """K for a matrix (rows, columns)."""
        return self.rank or max(1, int(self.share * min(shape)))

    def products(
        self, shapes: Mapping[str, tuple[int, int]], *, tasks: int
    ) -> dict[str, int]:
        """Target -> K, of the adapters that take fewer numbers as products.

        Args:
          shapes: target -> (rows, columns), at least one.
          tasks: that share the right factor; 1 if nobody does.

        Raises:
          ValueError: if K is above the channels of every adapter, or none
            takes fewer numbers.
        """
        self._refuse_above(shapes)
        found = {}
        for target, (rows, columns) in shapes.items():
            rank = self.of((rows, columns))
            numbers = rank * (columns + tasks * rows)
            if rank <= min(rows, columns) and numbers < tasks * rows * columns:
                found[target] = rank
        if not found:
            raise ValueError(
                "Products must take fewer numbers than the adapters that they "
                f"stand for. Received: {self}, with which none of "
                f"{len(shapes)} does; choose less."
            )
        return found

    def __str__(self) -> str:
        return f"rank {self.rank}" if self.rank else f"share {self.share:g}"

    def _refuse_above(self, shapes: Mapping[str, tuple[int, int]]) -> None:
        widest = max(shapes, key=lambda target: min(shapes[target]))
        channels = min(shapes[widest])
        if self.rank > channels:
            raise ValueError(
                "`rank` must be at most the channels of an adapter. Received: "
                f"{self.rank}, and the widest, {errors.shown(widest)}, has "
                f"{channels}."
            )

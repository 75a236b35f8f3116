"""What a drawn picture hands to the writers of native layouts."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NativeObject:
    """A drawn object, as exactly as it can be known.

    Args:
        name: class, one of the world's `CLASS_NAMES`.
        xmin, ymin, xmax, ymax: whole-pixel edges of the visible part;
            `xmax - xmin` is the width.
        outline: corners (x, y) in pixels of a polygon around it.
        visible: share of its area that is neither hidden nor cut off.
        truncated: whether the frame cuts it.
        flags: what only one dataset asks for, such as {"blur": 2}.
    """

    name: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    outline: tuple[tuple[float, float], ...] = ()
    visible: float = 1.0
    truncated: bool = False
    flags: dict[str, float | str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NativeImage:
    """An encoded picture with its objects.

    Args:
        encoded: bytes of the file as the dataset ships it, JPEG mostly.
        width, height: pixels.
        objects: in the order of painting.
        owners: (height, width) uint8, 0 for background, i + 1 where
            objects[i] is what one sees.
        flags: what only one dataset asks for, such as {"level": "easy"}.
    """

    encoded: bytes
    width: int
    height: int
    objects: tuple[NativeObject, ...]
    owners: np.ndarray
    flags: dict[str, float | str] = dataclasses.field(default_factory=dict)


class NativeWriter(Protocol):
    """`write` of each module beside this one."""

    def __call__(
        self,
        root: Path,
        train: Sequence[NativeImage],
        eval: Sequence[NativeImage],
        *,
        class_names: Sequence[str],
    ) -> None:
        """Writes the tree that the dataset's archives unpack to.

        The root is an empty folder. Equal arguments give equal bytes.

        Args:
            class_names: all classes, in the order of their labels.
        """

"""Which blocks a routed model's images take: the base's or the task's."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from object_detection_patch.methods import PatchMethod
from object_detection_patch.methods.instance_routing import Router


@dataclasses.dataclass(frozen=True)
class BlockUse:
    """What images chose.

    Args:
      blocks: names, in network order.
      taken: bool [images, blocks], True for a tuned block.
    """

    blocks: tuple[str, ...]
    taken: np.ndarray

    @property
    def shares(self) -> tuple[float, ...]:
        """Of images that take each tuned block (SpotTune, Figure 3)."""
        return tuple(float(share) for share in self.taken.mean(axis=0))

    @property
    def histogram(self) -> tuple[int, ...]:
        """Images that take 0, 1, ... all tuned blocks (SpotTune, Figure 4)."""
        counts = np.bincount(
            self.taken.sum(axis=1), minlength=len(self.blocks) + 1
        )
        return tuple(int(count) for count in counts)


def require_router(method: PatchMethod) -> Router:
    """What routes the blocks of a patched model.

    Raises:
      ValueError: if nothing does.
    """
    router = _router_of(method)
    if router is None:
        raise ValueError(
            "Blocks are routed by the part `instance_routing`. Received: "
            f"{method.method}, which is without it."
        )
    return router


@contextlib.contextmanager
def watched(method: PatchMethod) -> Iterator[list[np.ndarray]]:
    """Yields the choices of images that are evaluated within, batch by batch.

    Nothing is ever added for a patch that routes nothing.
    """
    router = _router_of(method)
    if router is None:
        yield []
        return
    with router.watched() as seen:
        yield seen


def gathered(router: Router, seen: Sequence[np.ndarray]) -> BlockUse:
    """What `Router.watched` collected, at least one batch."""
    return BlockUse(tuple(router.blocks), np.concatenate(seen))


def block_use(
    method: PatchMethod, seen: Sequence[np.ndarray]
) -> BlockUse | None:
    """What `watched` collected; None of no image."""
    router = _router_of(method)
    return gathered(router, seen) if router is not None and seen else None


def decided_use(method: PatchMethod, images: int) -> BlockUse | None:
    """Of so many images that all take the blocks that ship; None unless
    something routes."""
    router = _router_of(method)
    if router is None:
        return None
    shipped = set(router.shipped_blocks())
    row = np.array([block in shipped for block in router.blocks])
    return gathered(router, [np.tile(row, (images, 1))])


def _router_of(method: PatchMethod) -> Router | None:
    found = (p for p in method.model_patches if isinstance(p, Router))
    return next(found, None)

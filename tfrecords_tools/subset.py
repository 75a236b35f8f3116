"""Choosing a part of a dataset by a rule that anyone can repeat.

Ids are ordered by a hash of their text: no random generator, no file order,
and no order by class or time, which official lists have.
"""

import hashlib
from collections.abc import Iterable, Sequence


def hash_order(ids: Iterable[str]) -> list[str]:
    """Ids sorted by the hex SHA-256 of their UTF-8 bytes."""
    return sorted(ids, key=_digest)


def eval_subset(ids: Sequence[str], count: int) -> frozenset[str]:
    """The `count` ids that come first in `hash_order`.

    Raises: ValueError if there are fewer ids, or one occurs twice.
    """
    distinct = frozenset(ids)
    if len(distinct) != len(ids):
        raise ValueError(
            f"Ids to choose from must be unique. Received: {len(ids)} ids, "
            f"{len(distinct)} of them distinct."
        )
    if not 0 <= count <= len(ids):
        raise ValueError(
            f"The eval set must have between 0 and {len(ids)} images, all "
            f"that there are. Received: {count}"
        )
    return frozenset(hash_order(ids)[:count])


def share(total: int, of: int, part: int) -> int:
    """As large a part of `total` as `part` is of `of`; at least 1."""
    return max(1, round(total * part / of))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

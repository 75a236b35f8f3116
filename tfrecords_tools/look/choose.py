"""Which of many records are looked at."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Example = Mapping[str, Sequence[Any]]


def choose_first(
    examples: Iterable[Example],
    count: int,
    *,
    offset: int = 0,
    keep: Callable[[Example], bool],
) -> list[Example]:
    """`count` examples that `keep` accepts, after `offset` of them.

    Reads no further than it must.
    """
    chosen: list[Example] = []
    passed = 0
    for example in examples:
        if not keep(example):
            continue
        if passed >= offset:
            chosen.append(example)
        if len(chosen) == count:
            break
        passed += 1
    return chosen


def choose_at_random(
    examples: Iterable[Example],
    count: int,
    *,
    seed: int,
    keep: Callable[[Example], bool],
) -> list[Example]:
    """`count` examples out of all that `keep` accepts, in their order.

    Each has the same chance; only those chosen so far are in memory.
    Reference: Vitter, "Random Sampling with a Reservoir", 1985, algorithm R.
    """
    generator = random.Random(seed)
    reservoir: list[tuple[int, Example]] = []
    accepted = (example for example in examples if keep(example))
    for position, example in enumerate(accepted):
        if position < count:
            reservoir.append((position, example))
            continue
        place = generator.randrange(position + 1)
        if place < count:
            reservoir[place] = (position, example)
    reservoir.sort(key=lambda pair: pair[0])
    return [example for _, example in reservoir]

"""Python and C++ accept and refuse the same mutated files, for one reason.

Where both accept, they give the same bytes. Mutations are made field by
field (mutations.py), from fixed seeds.
"""

from __future__ import annotations

import collections
import re

import applied
import mutations
import numpy as np
import outcomes
import parts as parts_lib
import pytest
import worlds

_SEEDS = range(12)
_PRECISIONS = (worlds.FLOAT32, worlds.FLOAT16, worlds.INT8)
_SIZES = (None, 0, None, 1)
_FILES = 5000
_DIGEST = re.compile("Received: ([0-9a-f]{64})")
# The C++ looks at numbers while it inflates them, the Python behind that: of
# two faults in one section each may name another.
_OF_A_SECTION = {"compression", "not_finite", "grid_step", "padding"}
# Of quoted values and of numbers, what is left says which rule was broken.
_VALUES = re.compile(r"[0-9a-f]{64}|'.*?'|\(.*?\)|\d+|`.*?`")


@pytest.fixture(scope="module")
def cases() -> list[applied.Case]:
    """Sound ones of all precisions, versions, classes and input sizes."""
    return [_case(seed, p) for seed in _SEEDS for p in _PRECISIONS]


def _case(seed: int, precision: int) -> applied.Case:
    version = 2 + seed % 3 if precision == worlds.INT8 else 1 + seed % 4
    return applied.make_case(
        seed,
        precision,
        classes=1 + (seed + precision) % 6,
        version=version,
        # Patches of version 1 say nothing of bases.
        size=_SIZES[seed % len(_SIZES)] if version > 1 else None,
    )


def test_mutated_files(cases, library):
    """Prints how many files were refused by which rule: `pytest -s`."""
    in_cpp = outcomes.InCpp(library)
    reasons: collections.Counter[str] = collections.Counter()
    for seed in range(_FILES):
        rng = np.random.default_rng([7, seed])
        case, donor = (cases[int(rng.integers(len(cases)))] for _ in range(2))
        parts = mutations.mutated(case, donor, rng)
        found = _same(parts, in_cpp, seed)
        reasons[_rule(found)] += 1
    for rule, count in reasons.most_common():
        print(f"{count:5} {rule}")
    print(f"{len(reasons)} outcomes")
    assert 0.1 < reasons["ok"] / _FILES < 0.9
    assert len(reasons) > 100


def _same(
    parts: parts_lib.Parts, in_cpp: outcomes.InCpp, seed: int
) -> outcomes.Outcome:
    """What both say. Where only the release's digest is wrong, it is mended."""
    three = parts.base, parts.sidecar(), parts.patch()
    expected, found = outcomes.in_python(*three), in_cpp(*three)
    assert _alike(found.status, expected.status), (seed, found, expected)
    assert found.model == expected.model, seed
    if expected.status != "result_mismatch":
        return expected
    digest = _DIGEST.findall(expected.message)
    assert digest == _DIGEST.findall(found.message), seed
    mended = parts_lib.with_result(parts, bytes.fromhex(digest[0]))
    again = _same(mended, in_cpp, seed)
    assert again.status == "ok", (seed, again)
    return again


def _alike(one: str, other: str) -> bool:
    return one == other or {one, other} <= _OF_A_SECTION


def _rule(found: outcomes.Outcome) -> str:
    message = found.message.split(" Received")[0]
    return f"{found.status} {_VALUES.sub('..', message)}".strip()

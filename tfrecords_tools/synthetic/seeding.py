"""Randomness that depends on an image's place and on nothing before it."""

import hashlib

import numpy as np


def generator(
    world: str, split: str, index: int, seed: int
) -> np.random.Generator:
    """Seeded with SHA-256 of its arguments.

    More images, or other splits, never change those already drawn.
    """
    digest = hashlib.sha256(f"{world}/{split}/{index}/{seed}".encode())
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))

"""Applying by the tool, and what it says."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

import oracle
import worlds

OWN = -1


@dataclasses.dataclass(frozen=True)
class Case:
    """Three files that go together, and the model that they make."""

    base: bytes
    sidecar: bytes
    patch: bytes
    model: bytes


def make_case(
    seed: int,
    precision: int,
    *,
    classes: int | None = None,
    version: int = 2,
    width: int = 1,
    size: int | None = None,
) -> Case:
    """A case of the drawn world of a seed, whose base has 1 to 5 classes.

    Args:
      classes: of the task.
      size: which of the base's other sizes the patch is published for; OWN
        for the base's own beside others, None for a base of one size.
    """
    world = worlds.make_world(
        seed, precision, classes=1 + seed % 5, width=width
    )
    patch = worlds.make_patch(
        world, seed + 1000, classes=classes, version=version
    )
    at_size = world
    if size is not None:
        worlds.add_sizes(world, seed)
        made_for = hashlib.sha256(world.base()).digest()
        if size != OWN:
            at_size = world.at_size(world.sizes[size])
            made_for = world.sizes[size].digest
        patch.releases = [
            (made_for, result, ranges) for _, result, ranges in patch.releases
        ] or [(made_for, b"", [])]
    model = oracle.patched(at_size, patch)
    digest = hashlib.sha256(model).digest()
    patch.releases = [(b, digest, a) for b, _, a in patch.releases]
    return Case(world.base(), world.sidecar(), patch.to_bytes(), model)


def write(folder: pathlib.Path, case: Case) -> list[str]:
    """Writes the files; the arguments that apply them to folder/model."""
    arguments = []
    for name in ("base", "sidecar", "patch"):
        path = folder / name
        path.write_bytes(getattr(case, name))
        arguments += [f"--{name}", str(path)]
    return [*arguments, "--output", str(folder / "model")]

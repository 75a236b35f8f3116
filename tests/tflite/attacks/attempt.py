"""One attempt to abuse the formats: how it is made and what becomes of it."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Callable

from attacks.small_world import SmallWorld, small_world

FILES = pathlib.Path(__file__).parent / "files"
PATCH, SIDECAR, BASE = ".patch", ".odpatch", ".tflite"
PRECISIONS = ("float32", "int8")
LITTLE_MEMORY = 2**20


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A broken file that meets two sound ones.

    Args:
      name: of the file, without its suffix.
      suffix: `PATCH`, `SIDECAR` or `BASE`: which of the three is broken.
      what: the attempt in words.
      precision: of the world that it is made from and applied with.
      error: what Python raises; None for what is accepted and harmless.
      message: regular expression that the error's message holds.
      make: the broken file, from a small world of its own.
      memory: bytes that Python may take to refuse it.
    """

    name: str
    suffix: str
    what: str
    precision: str
    error: type[ValueError] | None
    message: str
    make: Callable[[SmallWorld], bytes]
    memory: int

    @property
    def status(self) -> str:
        """What the C++ calls it."""
        return "ok" if self.error is None else status_of(self.error)

    @property
    def path(self) -> pathlib.Path:
        return FILES / f"{self.name}{self.suffix}"

    def made(self) -> bytes:
        return self.make(small_world(self.precision))

    def paths(self) -> dict[str, pathlib.Path]:
        """The three files to apply, by suffix."""
        sound = {
            suffix: FILES / f"sound_{self.precision}{suffix}"
            for suffix in (PATCH, SIDECAR, BASE)
        }
        return {**sound, self.suffix: self.path}


def status_of(error: type[ValueError]) -> str:
    """The status of the C API for an error: `LengthError` is "length"."""
    words = error.__name__.removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", words).lower()


class Attempts(list[Attempt]):
    """A list that functions enter by decoration, under their own names.

    What they say of themselves is the attempt in words.
    """

    def __init__(self, suffix: str) -> None:
        super().__init__()
        self._suffix = suffix

    def add(
        self,
        error: type[ValueError] | None,
        message: str = "",
        precision: str = "float32",
        memory: int = LITTLE_MEMORY,
    ) -> Callable[[Callable[[SmallWorld], bytes]], None]:
        def enter(make: Callable[[SmallWorld], bytes]) -> None:
            what = re.sub(r"\s+", " ", make.__doc__ or "").strip()
            self.append(
                Attempt(
                    make.__name__.lstrip("_"),
                    self._suffix,
                    what,
                    precision,
                    error,
                    message,
                    make,
                    memory,
                )
            )

        return enter


def sound_files() -> dict[str, bytes]:
    """Name -> bytes of the files that are as they should be."""
    files = {}
    for precision in PRECISIONS:
        small = small_world(precision)
        files[f"sound_{precision}{PATCH}"] = small.patch_bytes()
        files[f"sound_{precision}{SIDECAR}"] = small.sidecar_bytes()
        files[f"sound_{precision}{BASE}"] = small.model()
    return files

"""What a patch knows about one published base.tflite, and of its result."""

from __future__ import annotations

import dataclasses
import math
import operator
import re

import numpy as np

from object_detection_patch.patch_file import errors, layout

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class Release:
    """The result of applying a patch to one base file.

    Args:
      base_sha256: of base.tflite, 64 lower-case hexadecimal digits.
      result_sha256: of the file that applying must give.
      activations: (scale, zero point) of each activation of the result, in
        the order of the base's sidecar; scales are rounded to float32. None
        for a base of floats.
    """

    base_sha256: str
    result_sha256: str
    activations: tuple[tuple[float, int], ...] = ()

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            rounded = tuple(
                (float(np.float32(scale)), operator.index(zero_point))
                for scale, zero_point in self.activations
            )
        # The way to set a field of a frozen dataclass while it is being built.
        object.__setattr__(self, "activations", rounded)


def check_releases(releases: tuple[Release, ...]) -> None:
    """Raises ReleaseError for what no file may hold, counts apart."""
    bases: set[str] = set()
    for release in releases:
        _check_digests(release)
        for scale, zero_point in release.activations:
            _check_activation(scale, zero_point)
        if release.base_sha256 in bases:
            raise errors.ReleaseError(
                "A patch has one release for each base file. Received: "
                f"{release.base_sha256} twice."
            )
        bases.add(release.base_sha256)


def _check_digests(release: Release) -> None:
    for name in ("base_sha256", "result_sha256"):
        digest = getattr(release, name)
        if not _SHA256.fullmatch(digest):
            raise errors.ReleaseError(
                f"`{name}` of a release is 64 lower-case hexadecimal digits. "
                f"Received: {errors.shown(digest)}."
            )


def _check_activation(scale: float, zero_point: int) -> None:
    if not (math.isfinite(scale) and scale > 0):
        raise errors.ReleaseError(
            "The scale of an activation must be a finite number above 0. "
            f"Received: {scale:g} in a release."
        )
    if zero_point not in layout.ZERO_POINTS:
        raise errors.ReleaseError(
            f"The zero point of an activation must lie between "
            f"{layout.ZERO_POINTS[0]} and {layout.ZERO_POINTS[-1]}. Received: "
            f"{zero_point} in a release."
        )

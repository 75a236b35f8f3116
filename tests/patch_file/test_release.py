"""Releases: what a file may hold, and that it comes back."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    Patch,
    Release,
    errors,
    from_bytes,
    to_bytes,
)

A, B = "0a" * 32, "0b" * 32


def _patch(*releases: Release, model_metadata: bytes = b"") -> Patch:
    return Patch("X", "ab" * 32, (), (), {}, releases, model_metadata)


@pytest.mark.parametrize("digest", ["", "0A" * 32, "0a" * 31, "0g" * 32])
def test_digests(digest):
    with pytest.raises(errors.ReleaseError, match="`base_sha256` .* 64 lower"):
        to_bytes(_patch(Release(digest, A)))
    with pytest.raises(errors.ReleaseError, match="`result_sha256` .* Recei"):
        to_bytes(_patch(Release(A, digest)))


def test_one_release_for_each_base():
    with pytest.raises(errors.ReleaseError, match=f"Received: {A} twice"):
        to_bytes(_patch(Release(A, B), Release(A, A)))


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ((0.0, 0), "above 0. Received: 0 "),
        ((1e-60, 0), "above 0. Received: 0 "),
        ((1e60, 0), "above 0. Received: inf"),
        ((float("nan"), 0), "above 0. Received: nan"),
        ((1.0, 128), "-128 and 127. Received: 128"),
    ],
)
def test_activations(activation, message):
    with pytest.raises(errors.ReleaseError, match=message):
        to_bytes(_patch(Release(A, B, (activation,))))


def test_zero_point_that_is_no_integer():
    with pytest.raises(TypeError, match="integer"):
        Release(A, B, ((1.0, 0.5),))


def test_numbers_of_numpy():
    release = Release(A, B, [(np.float64(0.1), np.int8(-128))])

    assert release == Release(A, B, ((0.1, -128),))
    assert release.activations == ((float(np.float32(0.1)), -128),)
    assert hash(release) == hash(Release(A, B, ((0.1, -128),)))


def test_as_many_as_a_file_may_hold():
    releases = tuple(
        Release(f"{i:064x}", B, ((0.5 + i, i),) * 1024) for i in range(64)
    )
    patch = _patch(*releases, model_metadata=bytes(2**16))
    assert from_bytes(to_bytes(patch)) == patch

    more = Release("f" * 64, B)
    with pytest.raises(errors.LimitError, match="64 releases. Received: 65"):
        to_bytes(_patch(*releases, more))
    one = Release(A, B, ((1, 0),) * 1025)
    with pytest.raises(errors.LimitError, match="activations. Received: 65537"):
        to_bytes(_patch(*releases[1:], one))
    with pytest.raises(errors.LimitError, match="65536 bytes of model"):
        to_bytes(_patch(model_metadata=bytes(2**16 + 1)))

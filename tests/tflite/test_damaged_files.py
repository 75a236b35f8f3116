"""Damaged bases, sidecars and patches: a documented error, or no harm."""

from __future__ import annotations

import dataclasses
import hashlib
import random

import pytest
import slow_apply
import tiny_base

from object_detection_patch import patch_file, tflite
from object_detection_patch.patch_file import FingerprintError, PatchFileError
from object_detection_patch.tflite import errors, sidecar_file
from object_detection_patch.tflite.sidecar_body import written_body

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
ALLOWED = (PatchFileError, FingerprintError, errors.ApplyError)


def published(precision, kind):
    """A base, a patch with the result that it states, and that result."""
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, kind)
    expected = slow_apply.model_of(tiny.model, tiny.sidecar, patch)
    return tiny, tiny_base.with_result(patch, tiny, expected), expected


def files_of(tiny, patch):
    return (
        tiny.model,
        sidecar_file.to_bytes(tiny.sidecar),
        patch_file.to_bytes(patch),
    )


def _damaged(data, chosen):
    """Random changes of a few bytes, lengths or pieces."""
    out = bytearray(data)
    for _ in range(chosen.choice([1, 1, 2, 5])):
        at = chosen.randrange(len(out))
        way = chosen.randrange(4)
        if way == 0:
            out[at] ^= 1 << chosen.randrange(8)
        elif way == 1:
            out[at] = chosen.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif way == 2:
            out[at : at + 4] = chosen.choice(
                [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\x80\x7f"]
            )
        else:
            piece = out[at : at + chosen.randrange(1, 9)]
            out[at : at + len(piece)] = chosen.randbytes(len(piece))
    return bytes(out)


@PRECISION
@pytest.mark.parametrize("kind", ["add_signed", "affine_mask", "replace"])
def test_damaged_files(precision, kind):
    """Each of the three, with and without its checksum mended."""
    tiny, patch, expected = published(precision, kind)
    whole = files_of(tiny, patch)
    chosen = random.Random(f"{precision} {kind}")
    refused_ones = 0
    for _ in range(300):
        which = chosen.randrange(3)
        one = list(whole)
        one[which] = _damaged(one[which], chosen)
        if which and chosen.random() < 0.7:
            body = one[which][:-32]
            one[which] = body + hashlib.sha256(body).digest()
        try:
            found = tflite.apply_bytes(*one, trust_base=chosen.random() < 0.5)
        except ALLOWED:
            refused_ones += 1
            continue
        # The release says what comes out, so only what does not matter, as
        # the labels of a trusted base, was damaged.
        assert found == expected
    assert refused_ones > 200


@PRECISION
@pytest.mark.parametrize("kind", tiny_base.KINDS)
def test_damaged_bodies(precision, kind):
    """Of sidecars, behind zlib and checksum; and bases with their digest.

    The patch states no result, so that nothing but the checks protects.
    """
    tiny, patch, _ = published(precision, kind)
    chosen = random.Random(f"{precision} {kind} bodies")
    body = written_body(tiny.sidecar)
    if precision != "int8":
        patch = dataclasses.replace(patch, releases=())
    counts = {"model": 0, "error": 0}
    for _ in range(200):
        model_bytes = tiny.model
        damaged = body
        if chosen.random() < 0.5:
            model_bytes = _damaged(model_bytes, chosen)
        else:
            damaged = _damaged(body, chosen)
        digest = hashlib.sha256(model_bytes).digest()
        damaged = damaged[:32] + digest + damaged[64:]
        release = [
            dataclasses.replace(one, base_sha256=digest.hex())
            for one in patch.releases
        ]
        task = dataclasses.replace(patch, releases=tuple(release))
        try:
            tflite.apply_bytes(
                model_bytes,
                tiny_base.framed(damaged),
                patch_file.to_bytes(task),
            )
            counts["model"] += 1
        except ALLOWED:
            counts["error"] += 1
    assert counts["error"] > 20
    if precision != "int8":
        assert counts["model"] > 20


@PRECISION
def test_damaged_sizes(precision):
    """Of the input sizes of a sidecar, and a patch for one of them."""
    tiny = tiny_base.with_sizes(tiny_base.make(precision))
    exported = tiny_base.at_size(tiny, tiny.sidecar.sizes[0])
    patch = tiny_base.patch_for(exported, result="0" * 64)
    model = slow_apply.model_of(exported.model, exported.sidecar, patch)
    patch = tiny_base.with_result(patch, exported, model)
    body = written_body(tiny.sidecar)
    start = len(written_body(tiny_base.make(precision).sidecar))
    chosen = random.Random(f"{precision} sizes")
    counts = {"model": 0, "error": 0}
    for _ in range(300):
        damaged = body[:start] + _damaged(body[start:], chosen)
        try:
            found = tflite.apply_bytes(
                tiny.model,
                tiny_base.framed(damaged, version=2),
                patch_file.to_bytes(patch),
            )
        except ALLOWED:
            counts["error"] += 1
            continue
        counts["model"] += 1
        # Damage of the other size does not matter; a release that is found
        # no more leaves a float patch to the base's own size.
        if _digest_of_base(patch) in damaged:
            assert found == model
    assert min(counts.values()) > 20


def _digest_of_base(patch):
    return bytes.fromhex(patch.releases[0].base_sha256)


def test_every_prefix_of_every_file():
    tiny, patch, _ = published("float32", "add_signed")
    whole = files_of(tiny, patch)
    for which in range(3):
        step = max(1, len(whole[which]) // 150)
        for length in range(0, len(whole[which]), step):
            short = list(whole)
            short[which] = short[which][:length]
            with pytest.raises(ALLOWED):
                tflite.apply_bytes(*short, trust_base=True)

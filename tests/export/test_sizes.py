"""Bases of several sizes become one, or are refused: tiny ones, no TensorFlow.

The whole way, with the converter, is in test_export.py.
"""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest
import tiny_base

from object_detection_patch.export import filling, sizes
from object_detection_patch.export.assembly import NO_DIGEST
from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.structure import Structure
from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite.layout import base_places

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
_EPSILON = 1e-3
_SIZE = (96, 96)


def _tensors(sidecar, seed=0):
    """Numbers of a whole base, by stable name."""
    random = np.random.default_rng(seed)

    def draw(shape):
        return random.uniform(0.5, 2, shape).astype(np.float32)

    tensors = {kernel.name: draw(kernel.shape) for kernel in sidecar.kernels}
    tensors |= {bias.name: draw(bias.values.shape) for bias in sidecar.biases}
    for norm in sidecar.norms:
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[f"{norm.name}/{part}"] = draw((norm.channels,))
    return tensors


def _published(tiny, *, metadata=b"metadata", seed=0):
    """What `fill` makes of a tiny base's structure."""
    labels = [LabelMapItem(n + 1, "x", "") for n in range(tiny_base.CLASSES)]
    count = len(tiny.sidecar.activations)
    # A probe is laid out without sharing.
    vectors = tuple(
        dataclasses.replace(vector, shared=False)
        for vector in tiny.sidecar.vectors
    )
    data = bytearray(tiny.model[: tiny_base.SKELETON_BYTES])
    for vector, place in zip(vectors, base_places(tiny.sidecar), strict=True):
        content = tiny.model[place.start : place.end]
        tiny_base.append_vector(data, vector.item_bytes, content)
    sidecar = tiny.with_sidecar(
        vectors=vectors, sizes=(), base_sha256=NO_DIGEST
    ).sidecar
    return filling.fill(
        Structure(sidecar, bytes(data), 1.0),
        tensors=_tensors(sidecar, seed),
        epsilons={norm.name: _EPSILON for norm in sidecar.norms},
        label_map=labels,
        metadata=metadata,
        activations=[(0.5 + seed, 3)] * count,
    )


@pytest.fixture(params=tiny_base.PRECISIONS)
def pair(request):
    """A base and itself at another size, each exported by itself."""
    tiny = tiny_base.with_sizes(tiny_base.make(request.param))
    other = tiny_base.at_size(tiny, tiny.sidecar.sizes[0])
    return (
        _published(tiny),
        _published(other, metadata=b"metadata of another size"),
        tiny.sidecar.sizes[0],
    )


def test_what_differs_is_found(pair):
    published, other, planted = pair
    found = sizes.difference(published, _SIZE, other)
    assert found.image_size == _SIZE
    assert found.base_sha256 == other.sidecar.base_sha256
    # Words 0, 4 and 600 are planted; a word may be the same by chance.
    assert found.words == planted.words
    metadata = published.sidecar.metadata_vector
    assert found.contents == {
        **planted.contents,
        metadata: b"metadata of another size",
    }


def test_the_joined_base_has_one_file_and_all_sizes(pair):
    published, other, _ = pair
    found = sizes.difference(published, _SIZE, other)
    joined = sizes.joined(published, (320, 320), [found])
    assert joined.model == published.model
    assert joined.sidecar.image_size == (320, 320)
    assert joined.sidecar.sizes == (found,)
    assert len(joined.sidecar_bytes) > len(published.sidecar_bytes)
    assert sizes.joined(published, (320, 320), []) is published


def test_other_weights_are_refused(pair):
    published, _, _ = pair
    other = _published(tiny_base.make(published.sidecar.precision), seed=1)
    with pytest.raises(StructureError, match="base_fingerprint at 96 x 96"):
        sizes.difference(published, _SIZE, other)
    alike = dataclasses.replace(
        other,
        sidecar=dataclasses.replace(
            other.sidecar,
            base_fingerprint=published.sidecar.base_fingerprint,
        ),
    )
    with pytest.raises(StructureError, match="Received: other weights at"):
        sizes.difference(published, _SIZE, alike)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("skeleton_bytes", 656),
        ("class_numbers", ()),
        ("metadata_vector", None),
        ("norms", ()),
        ("capacity", 8),
    ],
)
def test_another_structure_is_refused(pair, field, value):
    published, other, _ = pair
    sidecar = dataclasses.replace(other.sidecar, **{field: value})
    other = dataclasses.replace(other, sidecar=sidecar)
    with pytest.raises(StructureError, match=f"another {field} at 96 x 96"):
        sizes.difference(published, _SIZE, other)


def test_a_difference_that_gives_another_model_is_refused(pair):
    """As when a number that a size needs had been left out."""
    published, other, _ = pair
    model = bytearray(other.model)
    # A byte between two vectors, which no word and no vector covers.
    place = base_places(other.sidecar)[1]
    struct.pack_into("<B", model, place.count_position - 1, 7)
    other = dataclasses.replace(other, model=bytes(model))
    with pytest.raises(StructureError, match="what an export at that size"):
        sizes.difference(published, _SIZE, other)

"""The sidecar of a published base: where everything lies in base.tflite.

The fields are those of FORMAT.md, indices from 0, None for no reference.
What a file may hold by the hundred thousand has slots.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np

FLOAT32 = "float32"
FLOAT16 = "float16"
INT8 = "int8"
PRECISIONS = (FLOAT32, FLOAT16, INT8)
WEIGHT_BYTES = {FLOAT32: 4, FLOAT16: 2, INT8: 1}
BIAS_BYTES = {FLOAT32: 4, FLOAT16: 2, INT8: 4}

CONVOLUTION = 0
DEPTHWISE = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """A vector behind the skeleton: `items` of `item_bytes` each.

    `shared` says that in base.tflite it lies at its leader's place.
    """

    item_bytes: int
    items: int
    leader: int | None = None
    shared: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A flatbuffer offset in the skeleton that leads to a vector."""

    position: int
    vector: int


@dataclasses.dataclass(frozen=True, slots=True)
class ClassNumber:
    """An i32 of the skeleton: factor * (classes + addend)."""

    position: int
    factor: int
    addend: int


@dataclasses.dataclass(frozen=True, slots=True)
class Activation:
    """Where the skeleton holds a tensor's scale (f32) and zero point (i64)."""

    scale_position: int
    zero_point_position: int


@dataclasses.dataclass(frozen=True, eq=False)
class Norm:
    """A BatchNorm that the converter has folded; float32 (channels,) each."""

    name: str
    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    inverse_deviation: np.ndarray

    @property
    def channels(self) -> int:
        return len(self.gamma)


@dataclasses.dataclass(frozen=True, eq=False)
class Bias:
    """The bias tensor of a convolution; `values` float32 (channels,)."""

    name: str
    values: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the model that uses a copy of a kernel."""

    bias: int
    bias_scales: int | None = None
    bias_zero_points: int | None = None
    tensor: int | None = None
    activation: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Copy:
    """A kernel as it lies in the model, one norm folded into it."""

    weights: int
    operations: tuple[Operation, ...]
    scales: int | None = None
    zero_points: int | None = None
    norm: int | None = None


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel of the base and all of its copies; `shape` in Keras order."""

    name: str
    form: int
    shape: tuple[int, int, int, int]
    copies: tuple[Copy, ...]
    class_factor: int = 0
    class_addend: int = 0

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        if self.form == CONVOLUTION:
            return self.shape[3]
        return self.shape[2] * self.shape[3]

    def operations(self) -> Iterator[Operation]:
        """The operations of all copies."""
        for copy in self.copies:
            yield from copy.operations

    def for_classes(self, classes: int) -> Kernel:
        """The kernel as a task with so many classes has it."""
        if not self.class_factor:
            return self
        outputs = self.class_factor * (classes + self.class_addend)
        return dataclasses.replace(self, shape=(*self.shape[:3], outputs))


@dataclasses.dataclass(frozen=True)
class InputSize:
    """Another input size of a base: how its file at that size differs.

    Args:
      height, width: of the image, in pixels.
      base_sha256: of base.tflite as an export at this size writes it.
      words: position in the skeleton -> the u32 that stands there instead.
      contents: vector -> its bytes instead, such as the anchors'.
    """

    height: int
    width: int
    base_sha256: str
    words: Mapping[int, int]
    contents: Mapping[int, bytes]

    @property
    def image_size(self) -> tuple[int, int]:
        return self.height, self.width


@dataclasses.dataclass(frozen=True, eq=False)
class Sidecar:
    """Everything that applying needs to know about one base.tflite.

    Args:
      image_size: height and width of base.tflite itself, where it has other
        `sizes`; else None.
    """

    base_fingerprint: str
    base_sha256: str
    base_bytes: int
    precision: str
    skeleton_bytes: int
    classes: int
    capacity: int
    vectors: tuple[Vector, ...]
    metadata_vector: int | None
    links: tuple[Link, ...]
    class_numbers: tuple[ClassNumber, ...]
    activations: tuple[Activation, ...]
    norms: tuple[Norm, ...]
    biases: tuple[Bias, ...]
    kernels: tuple[Kernel, ...]
    image_size: tuple[int, int] | None = None
    sizes: tuple[InputSize, ...] = ()

    def vectors_for_classes(
        self, classes: int, size: InputSize | None = None
    ) -> tuple[Vector, ...]:
        """The vectors as a task with so many classes has them.

        Args:
          size: of the task's input; None for base.tflite's own.
        """
        changed = list(self.vectors)
        for index, content in ({} if size is None else size.contents).items():
            changed[index] = dataclasses.replace(
                changed[index],
                items=len(content) // changed[index].item_bytes,
            )
        for kernel in self.kernels:
            if kernel.class_factor:
                sizes = vector_sizes(
                    kernel.for_classes(classes), self.precision
                )
                for index, (item_bytes, items) in sizes.items():
                    changed[index] = dataclasses.replace(
                        self.vectors[index],
                        item_bytes=item_bytes,
                        items=items,
                    )
        return tuple(changed)


def computed_vectors(sidecar: Sidecar) -> set[int]:
    """The vectors that kernels use: their own, and those of their biases."""
    return {
        index
        for kernel in sidecar.kernels
        for index in vector_sizes(kernel, sidecar.precision)
    }


def weight_vectors(sidecar: Sidecar) -> set[int]:
    """The vectors from which weights are computed: they and their scales."""
    copies = [copy for kernel in sidecar.kernels for copy in kernel.copies]
    return {copy.weights for copy in copies} | {
        copy.scales for copy in copies if copy.scales is not None
    }


def vector_sizes(kernel: Kernel, precision: str) -> dict[int, tuple[int, int]]:
    """Index -> (bytes of an item, items) of the vectors that a kernel fills."""
    channels = kernel.channels
    sizes: dict[int | None, tuple[int, int]] = {}
    for copy in kernel.copies:
        sizes[copy.weights] = (1, kernel.size * WEIGHT_BYTES[precision])
        sizes[copy.scales] = (4, channels)
        sizes[copy.zero_points] = (8, channels)
        for operation in copy.operations:
            sizes[operation.bias] = (1, channels * BIAS_BYTES[precision])
            sizes[operation.bias_scales] = (4, channels)
            sizes[operation.bias_zero_points] = (8, channels)
    sizes.pop(None, None)
    return {index: size for index, size in sizes.items() if index is not None}

"""Two mapped probes -> the sidecar of their architecture."""

from __future__ import annotations

import numpy as np

from object_detection_patch.export.mapping import MappedProbe
from object_detection_patch.export.probe import Probe
from object_detection_patch.export.skeleton import Key, Skeleton
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    DEPTHWISE,
    INT8,
    Bias,
    ClassNumber,
    Copy,
    Kernel,
    Link,
    Operation,
    Sidecar,
    Vector,
)

NO_DIGEST = "0" * 64


class Assembly:
    """Numbers vectors, norms, biases and kernels for one sidecar.

    Args:
      probe: whose numbers the sidecar holds.
      other: of other classes, to see which kernels depend on them.
      mapped, skeleton: of `probe`.
    """

    def __init__(
        self,
        probe: Probe,
        other: Probe,
        mapped: MappedProbe,
        skeleton: Skeleton,
        precision: str,
    ) -> None:
        self._probe = probe
        self._other = other
        self._mapped = mapped
        self._skeleton = skeleton
        self._precision = precision
        self._activations = {
            tensor: index
            for index, tensor in enumerate(probe.graph.activations())
        }
        self._keys: list[Key] = list(skeleton.vectors)
        self._index = {key: index for index, key in enumerate(self._keys)}
        sources = mapped.sources
        self._norms = list(
            dict.fromkeys(one.norm for one in sources if one.norm)
        )
        self._biases = list(
            dict.fromkeys(one.bias for one in sources if one.bias)
        )

    def sidecar(
        self, numbers: tuple[ClassNumber, ...], capacity: int
    ) -> Sidecar:
        """The sidecar, complete but for fingerprint and digests.

        Args:
          numbers: what depends on the classes in the skeleton.
          capacity: the most classes of a task.
        """
        kernels = self._kernels()
        return Sidecar(
            base_fingerprint=NO_DIGEST,
            base_sha256=NO_DIGEST,
            base_bytes=0,
            precision=self._precision,
            skeleton_bytes=len(self._skeleton.data),
            classes=self._probe.classes,
            capacity=capacity,
            vectors=self._vectors(kernels),
            metadata_vector=self._index[Key("data", None)],
            links=self._links(),
            class_numbers=numbers,
            activations=self._skeleton.activations,
            norms=tuple(self._mapped.norms[name] for name in self._norms),
            biases=tuple(
                Bias(name, self._probe.values[name]) for name in self._biases
            ),
            kernels=kernels,
        )

    def contents(self) -> list[np.ndarray]:
        """The items of each vector, in the order of the sidecar."""
        return [self._skeleton.vectors[key] for key in self._keys]

    def _links(self) -> tuple[Link, ...]:
        links = sorted(
            (position, self._index[key])
            for key, position in self._skeleton.links.items()
        )
        return tuple(Link(*link) for link in links)

    def _kernels(self) -> tuple[Kernel, ...]:
        uses: dict[str, dict[int, list[int]]] = {}
        for number, one in enumerate(self._mapped.sources):
            weights = self._mapped.convolutions[number].weights
            copies = uses.setdefault(one.kernel, {})
            copies.setdefault(weights, []).append(number)
        return tuple(
            self._kernel(name, copies) for name, copies in uses.items()
        )

    def _kernel(self, name: str, copies: dict[int, list[int]]) -> Kernel:
        shape = self._probe.values[name].shape
        factor, addend = self._class_rule(name)
        first = next(iter(copies.values()))[0]
        depthwise = self._mapped.convolutions[first].is_depthwise
        return Kernel(
            name,
            DEPTHWISE if depthwise else CONVOLUTION,
            shape,
            tuple(
                self._copy(weights, numbers)
                for weights, numbers in copies.items()
            ),
            factor,
            addend,
        )

    def _class_rule(self, name: str) -> tuple[int, int]:
        mine = self._probe.values[name].shape[3]
        others = self._other.values[name].shape[3]
        if mine == others:
            return 0, 0
        factor = (others - mine) // (self._other.classes - self._probe.classes)
        return factor, mine // factor - self._probe.classes

    def _copy(self, weights: int, numbers: list[int]) -> Copy:
        norm = self._mapped.sources[numbers[0]].norm
        return Copy(
            self._index[Key("data", weights)],
            tuple(self._operation(number) for number in numbers),
            self._index.get(Key("scales", weights)),
            self._index.get(Key("zero_points", weights)),
            None if norm is None else self._norms.index(norm),
        )

    def _operation(self, number: int) -> Operation:
        convolution = self._mapped.convolutions[number]
        bias = self._mapped.sources[number].bias
        return Operation(
            self._index[Key("data", convolution.bias)],
            self._index.get(Key("scales", convolution.bias)),
            self._index.get(Key("zero_points", convolution.bias)),
            None if bias is None else self._biases.index(bias),
            self._activations.get(convolution.input),
        )

    def _vectors(self, kernels: tuple[Kernel, ...]) -> tuple[Vector, ...]:
        leaders = self._leaders(kernels)
        vectors = []
        for index, items in enumerate(self.contents()):
            vectors.append(
                Vector(items.itemsize, len(items), leaders.get(index))
            )
        return tuple(vectors)

    def _leaders(self, kernels: tuple[Kernel, ...]) -> dict[int, int]:
        """Vectors that are often the same: copies in int8, zero points."""
        if self._precision != INT8:
            return {}
        leaders: dict[int, int] = {}
        for kernel in kernels:
            places = sorted(copy.weights for copy in kernel.copies)
            leaders.update(dict.fromkeys(places[1:], places[0]))
        first: dict[int, int] = {}
        for index, key in enumerate(self._keys):
            if key.kind == "zero_points":
                items = len(self._skeleton.vectors[key])
                leader = first.setdefault(items, index)
                if leader != index:
                    leaders[index] = leader
        return leaders

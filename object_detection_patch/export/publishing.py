"""Probes and the base's numbers -> base.tflite and its sidecar."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export.class_numbers import (
    StructureError,
    find_class_numbers,
)
from object_detection_patch.export.graph import Convolution
from object_detection_patch.export.probe import Probe
from object_detection_patch.export.skeleton import (
    Key,
    Skeleton,
    take_apart,
)
from object_detection_patch.hosts import Hosts
from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    Release,
    Replace,
    ScaleOffset,
)
from object_detection_patch.tflite import tensor_map
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.layout import base_places, place_after
from object_detection_patch.tflite.model import patched_model
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    DEPTHWISE,
    INT8,
    Bias,
    ClassNumber,
    Copy,
    Kernel,
    Link,
    Norm,
    Operation,
    Sidecar,
    Vector,
)
from object_detection_patch.tflite.sidecar_file import to_bytes

_NO_DIGEST = "0" * 64
# Unlike each other and unlike what boxes have, so that no two constants of a
# model are equal by chance and merge.
PROBE_CLASSES = (13, 29)


@dataclasses.dataclass(frozen=True)
class Structure:
    """What the probes told about the models of one architecture.

    Args:
      sidecar: complete but for numbers and digests, for `PROBE_CLASSES[0]`.
      model: a file in the published layout with the probe's numbers.
      margin: how many times nearer the best match of any constant was than
        the next one, at least.
      codes: builtin operators of the graph, in order.
    """

    sidecar: Sidecar
    model: bytes
    margin: float
    codes: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Published:
    """A base as it is shipped."""

    model: bytes
    sidecar: Sidecar

    @property
    def sidecar_bytes(self) -> bytes:
        return to_bytes(self.sidecar)


def find_structure(
    probe: Probe, other: Probe, *, precision: str, capacity: int
) -> Structure:
    """Maps every constant of the models of one architecture.

    Args:
      probe, other: of `PROBE_CLASSES` classes, converted alike.

    Raises:
      TensorMapError: if a constant comes from no tensor, or from several.
      StructureError: if the two graphs differ in more than classes.
    """
    codes = tuple(probe.graph.codes())
    found = [_mapped(one) for one in (probe, other)]
    if found[0].matches != found[1].matches:
        raise StructureError(
            "Two models of one base must map alike. Received: "
            f"{_first_difference(found[0].matches, found[1].matches)}."
        )
    first, second = (mapped.skeleton for mapped in found)
    numbers = find_class_numbers(
        first.data,
        second.data,
        classes=probe.classes,
        other_classes=other.classes,
        written=_written(first),
    )
    sidecar, contents = _sidecar(
        probe, other, found[0], numbers, precision=precision, capacity=capacity
    )
    margin = min(mapped.margin for mapped in found)
    return Structure(
        sidecar, _laid_out(sidecar, first, contents), margin, codes
    )


def fill(
    structure: Structure,
    *,
    tensors: Mapping[str, np.ndarray],
    epsilons: Mapping[str, float],
    label_map: Sequence[LabelMapItem],
    metadata: bytes,
    activations: Sequence[tuple[float, int]],
) -> Published:
    """The published base with its own numbers, by the phone's arithmetic.

    Args:
      tensors: stable name -> value, base and heads.
      epsilons: name of a BatchNorm -> its epsilon.
      metadata: the TFLite Model Metadata.
      activations: scale and zero point of each; empty unless int8.
    """
    classes = max(item.id for item in label_map)
    fingerprint = hosts_lib.fingerprint(
        {
            name: value
            for name, value in tensors.items()
            if name.split("/", 1)[0] not in hosts_lib.HEADS
        }
    )
    empty = dataclasses.replace(
        structure.sidecar,
        base_fingerprint=fingerprint,
        norms=tuple(
            norm_of(norm.name, tensors, epsilons[norm.name])
            for norm in structure.sidecar.norms
        ),
    )
    patch = _whole_model(empty, tensors, label_map, metadata, activations)
    model = bytes(
        patched_model(
            memoryview(structure.model), empty, patch, fit(empty, patch)
        )
    )
    return Published(model, _finished(empty, tensors, classes, metadata, model))


def norm_of(
    name: str, tensors: Mapping[str, np.ndarray], epsilon: float
) -> Norm:
    """A BatchNorm as the sidecar keeps it; without gamma it is 1."""
    mean = tensors[f"{name}/moving_mean"].astype(np.float32)
    variance = tensors[f"{name}/moving_variance"].astype(np.float32)
    deviation = np.sqrt(variance + np.float32(epsilon))
    gamma = tensors.get(f"{name}/gamma", np.ones_like(mean))
    beta = tensors.get(f"{name}/beta", np.zeros_like(mean))
    return Norm(name, gamma, beta, mean, np.float32(1) / deviation)


@dataclasses.dataclass(frozen=True)
class _Mapped:
    """A probe's convolutions with what they are made of, and its skeleton."""

    convolutions: tuple[Convolution, ...]
    matches: tuple[tuple[str, str | None, str | None], ...]
    margin: float
    skeleton: Skeleton


def _mapped(probe: Probe) -> _Mapped:
    kernels = {
        name: value
        for name, value in probe.values.items()
        if name.endswith("kernel")
    }
    norms = {
        host.name: norm_of(host.name, probe.values, host.layer.epsilon)
        for host in probe.hosts.batch_norms
    }
    scales = {
        name: norm.gamma * norm.inverse_deviation
        for name, norm in norms.items()
    }
    biases = {
        name: value
        for name, value in probe.values.items()
        if name.endswith("/bias")
    }
    convolutions = tuple(probe.graph.convolutions())
    matches, margins = [], []
    for convolution in convolutions:
        match = tensor_map.match_weights(
            probe.graph.values(convolution.weights),
            is_depthwise=convolution.is_depthwise,
            kernels=kernels,
            norm_scales=scales,
        )
        bias = probe.graph.values(convolution.bias)
        tensor = _bias_tensor(bias, match.norm, norms, biases)
        matches.append((match.kernel, match.norm, tensor))
        margins.append(match.margin)
    _check_complete(matches, kernels, probe.hosts)
    names = {
        convolution.weights: kernel
        for convolution, (kernel, _, _) in zip(
            convolutions, matches, strict=True
        )
    }
    return _Mapped(
        convolutions,
        tuple(matches),
        min(margins),
        take_apart(probe.graph, names=names),
    )


def _bias_tensor(
    bias: np.ndarray,
    norm: str | None,
    norms: Mapping[str, Norm],
    biases: Mapping[str, np.ndarray],
) -> str | None:
    if norm is None:
        return tensor_map.match_bias(bias, biases)
    known = norms[norm]
    offset = known.beta - known.mean * (known.gamma * known.inverse_deviation)
    if tensor_map.match_bias(bias, {norm: offset}) is None:
        raise StructureError(
            "The offset of a BatchNorm must be folded into the bias of its "
            f"convolution. Received: zeros where {norm} belongs."
        )
    return None


def _check_complete(
    matches: list[tuple[str, str | None, str | None]],
    kernels: Mapping[str, np.ndarray],
    hosts: Hosts,
) -> None:
    used = {name for match in matches for name in match}
    wanted = {*kernels, *(host.name for host in hosts.batch_norms)}
    wanted |= {host.name for host in hosts.biases}
    lost = sorted(wanted - used)
    if lost:
        raise StructureError(
            "Every kernel, BatchNorm and bias of the base must be found in the "
            f"converted model. Received: none for {lost}."
        )


def _first_difference(mine: Sequence[Any], others: Sequence[Any]) -> str:
    if len(mine) != len(others):
        return f"{len(mine)} and {len(others)} convolutions"
    pairs = zip(mine, others, strict=True)
    number, pair = next(
        (number, pair)
        for number, pair in enumerate(pairs)
        if pair[0] != pair[1]
    )
    return f"{pair[0]} and {pair[1]} in convolution {number}"


def _written(skeleton: Skeleton) -> list[int]:
    positions = list(skeleton.links.values())
    for activation in skeleton.activations:
        positions.append(activation.scale_position)
        positions += [
            activation.zero_point_position,
            activation.zero_point_position + 4,
        ]
    return positions


def _sidecar(
    probe: Probe,
    other: Probe,
    mapped: _Mapped,
    numbers: tuple[ClassNumber, ...],
    *,
    precision: str,
    capacity: int,
) -> tuple[Sidecar, list[np.ndarray]]:
    """The sidecar of a probe, and the items of its vectors."""
    return _Assembly(probe, other, mapped, precision).sidecar(numbers, capacity)


class _Assembly:
    """Numbers vectors, norms, biases and kernels for one sidecar."""

    def __init__(
        self, probe: Probe, other: Probe, mapped: _Mapped, precision: str
    ) -> None:
        self._probe = probe
        self._other = other
        self._mapped = mapped
        self._precision = precision
        self._activations = {
            tensor: index
            for index, tensor in enumerate(probe.graph.activations())
        }
        self._keys: list[Key] = list(mapped.skeleton.vectors)
        self._index = {key: index for index, key in enumerate(self._keys)}
        self._norms = list(
            dict.fromkeys(norm for _, norm, _ in mapped.matches if norm)
        )
        self._biases = list(
            dict.fromkeys(bias for _, _, bias in mapped.matches if bias)
        )

    def sidecar(
        self, numbers: tuple[ClassNumber, ...], capacity: int
    ) -> tuple[Sidecar, list[np.ndarray]]:
        kernels = self._kernels()
        vectors = self._vectors(kernels)
        skeleton = self._mapped.skeleton
        links = sorted(
            (position, self._index[key])
            for key, position in skeleton.links.items()
        )
        sidecar = Sidecar(
            base_fingerprint=_NO_DIGEST,
            base_sha256=_NO_DIGEST,
            base_bytes=0,
            precision=self._precision,
            skeleton_bytes=len(skeleton.data),
            classes=self._probe.classes,
            capacity=capacity,
            vectors=vectors,
            metadata_vector=self._index[Key("data", None)],
            links=tuple(Link(*link) for link in links),
            class_numbers=numbers,
            activations=skeleton.activations,
            norms=tuple(self._norm(name) for name in self._norms),
            biases=tuple(
                Bias(name, self._probe.values[name]) for name in self._biases
            ),
            kernels=kernels,
        )
        return sidecar, [skeleton.vectors[key] for key in self._keys]

    def _norm(self, name: str) -> Norm:
        epsilon = next(
            host.layer.epsilon
            for host in self._probe.hosts.batch_norms
            if host.name == name
        )
        return norm_of(name, self._probe.values, epsilon)

    def _kernels(self) -> tuple[Kernel, ...]:
        uses: dict[str, dict[int, list[int]]] = {}
        for number, (name, _, _) in enumerate(self._mapped.matches):
            weights = self._mapped.convolutions[number].weights
            uses.setdefault(name, {}).setdefault(weights, []).append(number)
        return tuple(
            self._kernel(name, copies) for name, copies in uses.items()
        )

    def _kernel(self, name: str, copies: dict[int, list[int]]) -> Kernel:
        shape = self._probe.values[name].shape
        factor, addend = self._class_rule(name)
        depthwise = self._mapped.convolutions[
            next(iter(copies.values()))[0]
        ].is_depthwise
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
        norm = self._mapped.matches[numbers[0]][1]
        return Copy(
            self._index[Key("data", weights)],
            tuple(self._operation(number) for number in numbers),
            self._index.get(Key("scales", weights)),
            self._index.get(Key("zero_points", weights)),
            None if norm is None else self._norms.index(norm),
        )

    def _operation(self, number: int) -> Operation:
        convolution = self._mapped.convolutions[number]
        tensor = self._mapped.matches[number][2]
        return Operation(
            self._index[Key("data", convolution.bias)],
            self._index.get(Key("scales", convolution.bias)),
            self._index.get(Key("zero_points", convolution.bias)),
            None if tensor is None else self._biases.index(tensor),
            self._activations.get(convolution.input),
        )

    def _vectors(self, kernels: tuple[Kernel, ...]) -> tuple[Vector, ...]:
        leaders = self._leaders(kernels)
        vectors = []
        for index, key in enumerate(self._keys):
            items = self._mapped.skeleton.vectors[key]
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
                items = len(self._mapped.skeleton.vectors[key])
                leader = first.setdefault(items, index)
                if leader != index:
                    leaders[index] = leader
        return leaders


def _laid_out(
    sidecar: Sidecar, skeleton: Skeleton, contents: list[np.ndarray]
) -> bytes:
    """A file whose vectors lie where `base_places` of its sidecar looks."""
    model = bytearray(skeleton.data)
    for vector, items in zip(sidecar.vectors, contents, strict=True):
        place = place_after(len(model), vector)
        model += bytes(place.count_position - len(model))
        model += struct.pack("<I", vector.items)
        model += items.tobytes()
    return bytes(model)


def _whole_model(
    sidecar: Sidecar,
    tensors: Mapping[str, np.ndarray],
    label_map: Sequence[LabelMapItem],
    metadata: bytes,
    activations: Sequence[tuple[float, int]],
) -> Patch:
    """A patch that replaces everything: the base, seen from the probe."""
    norms = [
        ScaleOffset(norm.name, norm.gamma, norm.beta) for norm in sidecar.norms
    ]
    names = [kernel.name for kernel in sidecar.kernels]
    names += [bias.name for bias in sidecar.biases]
    releases = ()
    if sidecar.precision == INT8:
        releases = (Release(_NO_DIGEST, _NO_DIGEST, tuple(activations)),)
    return Patch(
        "BASE",
        sidecar.base_fingerprint,
        (*norms, *(Replace(name, tensors[name]) for name in names)),
        tuple(label_map),
        releases=releases,
        model_metadata=metadata,
    )


def _finished(
    empty: Sidecar,
    tensors: Mapping[str, np.ndarray],
    classes: int,
    metadata: bytes,
    model: bytes,
) -> Sidecar:
    """The sidecar of the written base: its sizes, its sharing, its digests."""
    vectors = list(empty.vectors_for_classes(classes))
    metadata_vector = empty.metadata_vector
    if metadata_vector is not None:
        vectors[metadata_vector] = Vector(1, len(metadata))
    links = {link.vector: link.position for link in empty.links}
    targets = [
        links[index] + struct.unpack_from("<I", model, links[index])[0]
        for index in range(len(vectors))
    ]
    for index, vector in enumerate(vectors):
        if vector.leader is not None:
            shared = targets[index] == targets[vector.leader]
            vectors[index] = dataclasses.replace(vector, shared=shared)
    finished = dataclasses.replace(
        empty,
        base_sha256=hashlib.sha256(model).hexdigest(),
        base_bytes=len(model),
        classes=classes,
        vectors=tuple(vectors),
        biases=tuple(
            Bias(bias.name, tensors[bias.name].astype(np.float32))
            for bias in empty.biases
        ),
        kernels=tuple(kernel.for_classes(classes) for kernel in empty.kernels),
    )
    placed = [place.count_position for place in base_places(finished)]
    if placed != targets:
        raise StructureError(
            "A published base must be laid out as its sidecar says. Received: "
            "vectors elsewhere, which is an error of this program."
        )
    return finished

"""Which tensors of the base each convolution of a probe is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Convolution
from object_detection_patch.export.norms import norm_of
from object_detection_patch.export.probe import Probe
from object_detection_patch.tflite import tensor_map
from object_detection_patch.tflite.sidecar import Norm


@dataclasses.dataclass(frozen=True)
class Sources:
    """Names of the tensors that a convolution's constants came from.

    Args:
      norm: the BatchNorm that is folded in, or None.
      bias: the bias tensor, or None where a BatchNorm's offset or zeros lie.
    """

    kernel: str
    norm: str | None
    bias: str | None


@dataclasses.dataclass(frozen=True)
class MappedProbe:
    """A probe's convolutions, in order, and what each is made of.

    Args:
      norms: the probe's BatchNorms by name.
      margin: how many times nearer the best match of any constant was than
        the next one, at least.
    """

    convolutions: tuple[Convolution, ...]
    sources: tuple[Sources, ...]
    norms: Mapping[str, Norm]
    margin: float

    def kernel_names(self) -> dict[int, str]:
        """Constant of weights -> name of its kernel."""
        return {
            convolution.weights: source.kernel
            for convolution, source in zip(
                self.convolutions, self.sources, strict=True
            )
        }


def map_probe(probe: Probe) -> MappedProbe:
    """Finds by value what every convolution of a probe is made of.

    Raises:
      TensorMapError: if a constant comes from no tensor, or from several.
      StructureError: if a tensor of the base is nowhere in the model.
    """
    finder = _Finder(probe)
    convolutions = tuple(probe.graph.convolutions())
    found = [finder.sources(convolution) for convolution in convolutions]
    sources = tuple(source for source, _ in found)
    _check_complete(sources, probe)
    return MappedProbe(
        convolutions,
        sources,
        finder.norms,
        min(margin for _, margin in found),
    )


def check_alike(mine: Sequence[Sources], others: Sequence[Sources]) -> None:
    """Raises StructureError unless two probes of a base map alike."""
    if len(mine) != len(others):
        raise StructureError(
            "Two models of one base must map alike. Received: "
            f"{len(mine)} and {len(others)} convolutions."
        )
    for number, (one, other) in enumerate(zip(mine, others, strict=True)):
        if one != other:
            raise StructureError(
                "Two models of one base must map alike. Received: "
                f"{one} and {other} in convolution {number}."
            )


class _Finder:
    """The tensors of a probe, by kind, and the search among them."""

    def __init__(self, probe: Probe) -> None:
        self._graph = probe.graph
        self._kernels = _ending("kernel", probe.values)
        self._biases = _ending("/bias", probe.values)
        self.norms = {
            host.name: norm_of(host.name, probe.values, host.layer.epsilon)
            for host in probe.hosts.batch_norms
        }
        self._scales = {
            name: norm.gamma * norm.inverse_deviation
            for name, norm in self.norms.items()
        }

    def sources(self, convolution: Convolution) -> tuple[Sources, float]:
        """What a convolution is made of, and how clearly."""
        match = tensor_map.match_weights(
            self._graph.values(convolution.weights),
            is_depthwise=convolution.is_depthwise,
            kernels=self._kernels,
            norm_scales=self._scales,
        )
        bias = self._graph.values(convolution.bias)
        if match.norm is None:
            tensor = tensor_map.match_bias(bias, self._biases)
            return Sources(match.kernel, None, tensor), match.margin
        _check_offset(bias, self.norms[match.norm])
        return Sources(match.kernel, match.norm, None), match.margin


def _ending(
    end: str, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    return {name: value for name, value in values.items() if name.endswith(end)}


def _check_offset(bias: np.ndarray, norm: Norm) -> None:
    offset = norm.beta - norm.mean * (norm.gamma * norm.inverse_deviation)
    if tensor_map.match_bias(bias, {norm.name: offset}) is None:
        raise StructureError(
            "The offset of a BatchNorm must be folded into the bias of its "
            f"convolution. Received: zeros where {norm.name} belongs."
        )


def _check_complete(sources: Sequence[Sources], probe: Probe) -> None:
    used = {name for one in sources for name in dataclasses.astuple(one)}
    wanted = set(_ending("kernel", probe.values))
    wanted |= {host.name for host in probe.hosts.batch_norms}
    wanted |= {host.name for host in probe.hosts.biases}
    lost = sorted(wanted - used)
    if lost:
        raise StructureError(
            "Every kernel, BatchNorm and bias of the base must be found in the "
            f"converted model. Received: none for {lost}."
        )

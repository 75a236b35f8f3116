"""A detector's TFLite graph -> one that runs a frozen or a tuned block.

Each residual block of the backbone becomes two subgraphs of the same
operators and an IF between them, which a policy network steers. The frozen
ones keep the base's names; the tuned ones are slots, copies of the base's
until a patch edits them. So a routing base is a base with more tensors, and
whatever applies patches to a base applies them to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.mapping import MappedProbe, Sources
from object_detection_patch.export.norms import norm_of
from object_detection_patch.export.policy_graph import (
    GraphWriter,
    PolicySize,
    PolicyWriter,
)
from object_detection_patch.export.probe import Probe
from object_detection_patch.export.subgraphs import (
    between,
    cut,
    in_order,
    read,
    written,
)
from object_detection_patch.hosts import Hosts
from object_detection_patch.methods.block_layers import main_path_block
from object_detection_patch.methods.instance_routing import routed_blocks
from object_detection_patch.patch_file.edits import (
    POLICY_PREFIX,
    TUNED_PREFIX,
)
from object_detection_patch.tflite.sidecar import Norm, Sidecar

_NORM_TENSORS = ("gamma", "beta", "moving_mean", "moving_variance")


@dataclasses.dataclass(frozen=True)
class RoutedProbe:
    """A probe whose blocks are routed; see `Probe`."""

    graph: Graph
    classes: int
    values: Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Block:
    """Operators of a block; the tensors that it takes and gives."""

    operators: list[Any]
    inputs: list[int]
    outputs: list[int]


def blocks_of(hosts: Hosts) -> list[str]:
    """Names of the blocks to route, in network order.

    Raises:
      ValueError: for a backbone without residual blocks.
    """
    if hosts.backbone is None:
        raise ExportError(
            "A routing base needs a backbone that is a functional Keras model, "
            "a MobileNetV2 or a ResNet (model.ssd.feature_extractor in "
            "pipeline.config). Received: a model without one."
        )
    return routed_blocks(hosts.backbone)


def route(
    probe: Probe, mapped: MappedProbe, size: PolicySize, *, half: bool
) -> tuple[RoutedProbe, MappedProbe]:
    """Routes the blocks of a mapped probe, whose graph is changed on the way.

    Args:
      half: for a model of float16 weights.

    Raises:
      ValueError: for a backbone without residual blocks.
      StructureError: if the converter's graph has no such block.
    """
    return _Surgery(probe, mapped, size, half=half).routed()


class _Surgery:
    """Routes one probe: cuts its blocks out and writes the policy."""

    def __init__(
        self,
        probe: Probe,
        mapped: MappedProbe,
        size: PolicySize,
        *,
        half: bool,
    ) -> None:
        self._probe, self._mapped = probe, mapped
        self._model = probe.graph.model
        self._main = self._model.subgraphs[0]
        self._sources: dict[int, Sources] = {
            id(self._main.operators[convolution.operator]): sources
            for convolution, sources in zip(
                mapped.convolutions, mapped.sources, strict=True
            )
        }
        self._layers = {
            host.name: main_path_block(host.layer)
            for host in probe.hosts.kernels
        }
        self._names = blocks_of(probe.hosts)
        writer = GraphWriter(self._model, half=half)
        self._policy = PolicyWriter(writer, size, len(self._names))
        self._writer = writer

    def routed(self) -> tuple[RoutedProbe, MappedProbe]:
        operators = list(self._main.operators)
        blocks = [self._block(name, operators) for name in self._names]
        branches = self._branches(blocks)
        decisions = self._policy.write(int(self._main.inputs[0]))
        self._sources |= {
            id(operator): sources for operator, sources in self._policy.sources
        }
        policy = self._main.operators[len(operators) :]
        main = self._routed_main([*policy, *operators], blocks, decisions)
        everything = [main, *branches]
        self._model.subgraphs = [subgraph for subgraph, _ in everything]
        return self._result([one for _, of in everything for one in of])

    def _block(self, name: str, operators: Sequence[Any]) -> _Block:
        """The operators of a block, and what makes their constants."""
        chosen = [
            one
            for one in operators
            if id(one) in self._sources
            and self._layers.get(self._sources[id(one)].kernel) == name
        ]
        if not chosen:
            raise StructureError(
                "Every block of the backbone must have convolutions in the "
                f"converted model. Received: none of {name}."
            )
        found = between(operators, chosen)
        makers = self._makers_of_constants(operators, found)
        found = [one for one in operators if one in makers or one in found]
        return _Block(found, *self._borders(operators, found))

    def _makers_of_constants(
        self, operators: Sequence[Any], block: Sequence[Any]
    ) -> list[Any]:
        wanted = {index for one in block for index in read(one)}
        return [
            one
            for one in operators
            if wanted.intersection(written(one))
            and all(map(self._probe.graph.is_constant, read(one)))
        ]

    def _borders(
        self, operators: Sequence[Any], block: Sequence[Any]
    ) -> tuple[list[int], list[int]]:
        made = {index for one in block for index in written(one)}
        taken = dict.fromkeys(index for one in block for index in read(one))
        others = set(map(int, self._main.outputs))
        for one in operators:
            if one not in block:
                others.update(read(one))
        constant = self._probe.graph.is_constant
        return (
            [x for x in taken if x not in made and not constant(x)],
            [x for one in block for x in written(one) if x in others],
        )

    def _branches(
        self, blocks: Sequence[_Block]
    ) -> list[tuple[Any, list[Sources]]]:
        """Tuned and frozen subgraph of each block, and their convolutions."""
        found = []
        for name, block in zip(self._names, blocks, strict=True):
            sources = self._sources_of(block.operators)
            for kind, of_kind in (
                ("tuned", [_tuned(one) for one in sources]),
                ("frozen", sources),
            ):
                subgraph, _ = cut(
                    self._main,
                    block.operators,
                    block.inputs,
                    block.outputs,
                    f"{kind} {name}",
                )
                found.append((subgraph, of_kind))
        return found

    def _routed_main(
        self,
        operators: Sequence[Any],
        blocks: Sequence[_Block],
        decisions: Sequence[int],
    ) -> tuple[Any, list[Sources]]:
        """The main subgraph with an IF in the place of each block."""
        choices = {
            id(block.operators[-1]): self._choice(number, block, decision)
            for number, (block, decision) in enumerate(
                zip(blocks, decisions, strict=True)
            )
        }
        inside = {id(one) for block in blocks for one in block.operators}
        kept = [
            choices.get(id(one), one)
            for one in operators
            if id(one) in choices or id(one) not in inside
        ]
        made = {index for one in kept for index in written(one)}
        known = set(range(len(self._main.tensors))) - made
        ordered = list(in_order(kept, known))
        main, numbers = cut(
            self._main,
            ordered,
            self._main.inputs,
            self._main.outputs,
            "main",
        )
        self._renumber_signatures(numbers)
        return main, self._sources_of(ordered)

    def _choice(self, number: int, block: _Block, decision: int) -> Any:
        options = schema.IfOptionsT()
        options.thenSubgraphIndex = 1 + 2 * number
        options.elseSubgraphIndex = 2 + 2 * number
        return self._writer.operator(
            schema.BuiltinOperator.IF,
            [decision, *block.inputs],
            block.outputs,
            options,
        )

    def _renumber_signatures(self, numbers: Mapping[int, int]) -> None:
        for signature in self._model.signatureDefs or []:
            for entry in [*signature.inputs, *signature.outputs]:
                entry.tensorIndex = numbers[int(entry.tensorIndex)]

    def _sources_of(self, operators: Sequence[Any]) -> list[Sources]:
        return [
            self._sources[id(one)]
            for one in operators
            if id(one) in self._sources
        ]

    def _result(
        self, sources: Sequence[Sources]
    ) -> tuple[RoutedProbe, MappedProbe]:
        graph = Graph(_packed(self._model))
        names = {one.kernel for one in sources} | {
            one.bias for one in sources if one.bias
        }
        values = dict(self._probe.values)
        for name in names - set(values):
            shape = self._policy.shapes.get(name)
            values[name] = (
                values[name.removeprefix(TUNED_PREFIX)]
                if shape is None
                else np.zeros(shape, np.float32)
            )
        mapped = MappedProbe(
            tuple(graph.convolutions()),
            tuple(sources),
            self._norms(sources, values),
            self._mapped.margin,
        )
        return RoutedProbe(graph, self._probe.classes, values), mapped

    def _norms(
        self,
        sources: Sequence[Sources],
        values: Mapping[str, np.ndarray],
    ) -> dict[str, Norm]:
        norms = dict(self._mapped.norms)
        for one in sources:
            if one.norm is None or one.norm in norms:
                continue
            if one.norm.startswith(TUNED_PREFIX):
                original = norms[one.norm.removeprefix(TUNED_PREFIX)]
                norms[one.norm] = dataclasses.replace(original, name=one.norm)
            else:
                channels = values[one.kernel].shape[-1]
                norms[one.norm] = _idle_norm(one.norm, channels)
        return norms


def slot_values(
    sidecar: Sidecar,
    tensors: Mapping[str, np.ndarray],
    epsilons: Mapping[str, float],
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """What the slots of a routing base hold before any patch.

    Tuned blocks are the base's. The policy's logits are 0, so that it takes
    every block frozen.

    Args:
      sidecar: names the slots.
      tensors, epsilons: of the base, as `fill` takes them.

    Returns:
      Tensors and epsilons of the slots alone, likewise.
    """
    found: dict[str, np.ndarray] = {}
    found_epsilons: dict[str, float] = {}
    for norm in sidecar.norms:
        if norm.name.startswith(TUNED_PREFIX):
            original = norm.name.removeprefix(TUNED_PREFIX)
            found_epsilons[norm.name] = epsilons[original]
            for key in _NORM_TENSORS:
                if f"{original}/{key}" in tensors:
                    found[f"{norm.name}/{key}"] = tensors[f"{original}/{key}"]
        elif norm.name.startswith(POLICY_PREFIX):
            found_epsilons[norm.name] = 0.0
            found |= _idle_tensors(norm.name, norm.channels)
    for kernel in sidecar.kernels:
        _add_slot(found, kernel.name, kernel.shape, tensors)
    for bias in sidecar.biases:
        _add_slot(found, bias.name, bias.values.shape, tensors)
    return found, found_epsilons


def _add_slot(
    found: dict[str, np.ndarray],
    name: str,
    shape: tuple[int, ...],
    tensors: Mapping[str, np.ndarray],
) -> None:
    if name.startswith(TUNED_PREFIX):
        found[name] = tensors[name.removeprefix(TUNED_PREFIX)]
    elif name.startswith(POLICY_PREFIX):
        found[name] = np.zeros(shape, np.float32)


def _idle_tensors(name: str, channels: int) -> dict[str, np.ndarray]:
    """A BatchNorm that changes nothing."""
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    values = (ones, zeros, zeros, ones)
    return {
        f"{name}/{key}": value
        for key, value in zip(_NORM_TENSORS, values, strict=True)
    }


def _idle_norm(name: str, channels: int) -> Norm:
    return norm_of(name, _idle_tensors(name, channels), 0.0)


def _tuned(sources: Sources) -> Sources:
    return Sources(
        TUNED_PREFIX + sources.kernel,
        sources.norm and TUNED_PREFIX + sources.norm,
        sources.bias and TUNED_PREFIX + sources.bias,
    )


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())

"""A tiny MobileNet as .tflite, with what a probe of a detector tells of it.

Three inverted residual blocks and a head of one channel more than classes.
No Keras, no converter: the constants are written by hand.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tiny_model import Maker

from object_detection_patch.export import filling, routing, structure
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.mapping import MappedProbe, Sources
from object_detection_patch.export.norms import norm_of
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
    to_bytes,
)
from object_detection_patch.patch_file.edits import Edit, is_slot

BLOCKS = ("block_1", "block_2", "block_3")
SIDE, CHANNELS, WIDE = 32, 8, 24
CLASSES = 5
POLICY = PolicySize(2, 4)
_EPSILON = 1e-3
_CODES = schema.BuiltinOperator
_RELU, _RELU6 = 1, 3


@dataclasses.dataclass(frozen=True)
class TinyProbe:
    """What routing and mapping ask of a probe."""

    graph: Graph
    classes: int
    values: dict[str, np.ndarray]
    hosts: Any
    mapped: MappedProbe


class _Network:
    def __init__(self, classes: int, seed: int, *, half: bool) -> None:
        self._random = np.random.default_rng(seed)
        self._half = half
        self._classes = classes
        self._maker = Maker()
        self.values: dict[str, np.ndarray] = {}
        self.sources: list[Sources] = []

    def data(self) -> bytes:
        maker = self._maker
        image = maker.tensor("image", (1, SIDE, SIDE, 3))
        x = self._normed("Conv1", image, CHANNELS, 3, strides=2, act=_RELU)
        for block in BLOCKS:
            y = self._normed(f"{block}_expand", x, WIDE, 1, act=_RELU6)
            y = self._normed(
                f"{block}_depthwise", y, WIDE, 3, act=_RELU6, depthwise=True
            )
            y = self._normed(f"{block}_project", y, CHANNELS, 1)
            total = maker.tensor(f"{block}_add", (1, 16, 16, CHANNELS))
            maker.operator(_CODES.ADD, [x, y], [total], schema.AddOptionsT())
            x = total
        return maker.data([image], [self._head(x)])

    def _head(self, read: int) -> int:
        name, channels = "class_head/head", self._classes + 1
        self.values[f"{name}/bias"] = self._drawn((channels,))
        kernel = self._kernel(name, "kernel", (1, 1, CHANNELS, channels))
        self.sources.append(Sources(kernel, None, f"{name}/bias"))
        return self._convolution(name, read, channels, 1)

    def _normed(
        self,
        name: str,
        read: int,
        channels: int,
        side: int,
        *,
        strides: int = 1,
        act: int = 0,
        depthwise: bool = False,
    ) -> int:
        name = f"backbone/{name}"
        depth = self._maker.subgraph.tensors[read].shape[3]
        shape = (side, side, depth, 1 if depthwise else channels)
        attribute = "depthwise_kernel" if depthwise else "kernel"
        kernel = self._kernel(name, attribute, shape)
        norm = f"{name}_BN"
        for key in ("beta", "moving_mean"):
            self.values[f"{norm}/{key}"] = self._drawn((channels,))
        for key in ("gamma", "moving_variance"):
            drawn = self._random.uniform(0.5, 2, channels)
            self.values[f"{norm}/{key}"] = drawn.astype(np.float32)
        self.sources.append(Sources(kernel, norm, None))
        return self._convolution(
            name,
            read,
            channels,
            side,
            strides=strides,
            act=act,
            depthwise=depthwise,
        )

    def _convolution(
        self,
        name: str,
        read: int,
        channels: int,
        side: int,
        *,
        strides: int = 1,
        act: int = 0,
        depthwise: bool = False,
    ) -> int:
        maker = self._maker
        _, height, width, depth = maker.subgraph.tensors[read].shape
        first, last = (1, depth) if depthwise else (channels, depth)
        constants = [
            self._constant(name, (first, side, side, last)),
            self._constant(f"{name} bias", (channels,)),
        ]
        found = maker.tensor(
            f"{name} out",
            (1, height // strides, width // strides, channels),
        )
        options = (
            schema.DepthwiseConv2DOptionsT()
            if depthwise
            else schema.Conv2DOptionsT()
        )
        options.strideH = options.strideW = strides
        options.padding = schema.Padding.SAME
        options.fusedActivationFunction = act
        if depthwise:
            options.depthMultiplier = 1
        code = _CODES.DEPTHWISE_CONV_2D if depthwise else _CODES.CONV_2D
        maker.operator(code, [read, *constants], [found], options)
        return found

    def _constant(self, name: str, shape: tuple[int, ...]) -> int:
        """Numbers that the published file replaces."""
        values = self._drawn(shape)
        if not self._half:
            return self._maker.constant(name, values)
        stored = self._maker.constant(name, values.astype(np.float16))
        wide = self._maker.tensor(f"{name} wide", shape)
        self._maker.operator(_CODES.DEQUANTIZE, [stored], [wide])
        return wide

    def _kernel(self, name: str, attribute: str, shape: Any) -> str:
        self.values[f"{name}/{attribute}"] = self._drawn(shape)
        return f"{name}/{attribute}"

    def _drawn(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._random.normal(0, 0.4, shape).astype(np.float32)


def probe(classes: int, seed: int, *, half: bool = False) -> TinyProbe:
    network = _Network(classes, seed, half=half)
    graph = Graph(network.data())
    norms = {
        one.norm: norm_of(one.norm, network.values, _EPSILON)
        for one in network.sources
        if one.norm
    }
    kernels = [
        types.SimpleNamespace(
            name=one.kernel,
            layer=types.SimpleNamespace(name=one.kernel.split("/")[1]),
        )
        for one in network.sources
    ]
    return TinyProbe(
        graph,
        classes,
        network.values,
        types.SimpleNamespace(kernels=kernels, backbone=BLOCKS),
        MappedProbe(
            tuple(graph.convolutions()), tuple(network.sources), norms, 1.0
        ),
    )


def base_values() -> dict[str, np.ndarray]:
    """The tensors of the base that `publish` publishes."""
    return probe(CLASSES, 7).values


def labels() -> tuple[LabelMapItem, ...]:
    return tuple(
        LabelMapItem(number, f"class {number}", "")
        for number in range(1, CLASSES + 1)
    )


def publish(
    patched: Any, precision: str, policy: PolicySize | None
) -> filling.Published:
    """A base as `export-base` publishes it, a routing base with a policy.

    Args:
      patched: pytest's monkeypatch; what reads Keras models is replaced.
    """
    patched.setattr(structure.mapping, "map_probe", lambda one: one.mapped)
    patched.setattr(routing, "routed_blocks", lambda backbone: list(backbone))
    half = precision == "float16"
    found = structure.find_structure(
        probe(13, 0, half=half),
        probe(29, 1, half=half),
        precision=precision,
        capacity=20,
        policy=policy,
    )
    tensors = base_values()
    epsilons = {
        norm.name: _EPSILON
        for norm in found.sidecar.norms
        if not is_slot(norm.name)
    }
    slots, slot_epsilons = routing.slot_values(found.sidecar, tensors, epsilons)
    return filling.fill(
        found,
        tensors=tensors | slots,
        epsilons=epsilons | slot_epsilons,
        label_map=labels(),
        metadata=b"metadata",
        activations=(),
    )


def block_of(name: str) -> str | None:
    """The block of one of the base's tensors."""
    layer = name.split("/")[1]
    return next((one for one in BLOCKS if layer.startswith(one)), None)


def edits() -> Iterator[Edit]:
    """An edit of every tensor, by the base's names."""
    random = np.random.default_rng(9)
    for name, value in base_values().items():
        if name.startswith("class_head"):
            yield Replace(name, value + 1)
        elif name.endswith("_expand/kernel"):
            yield AddSigned(name, random.random(value.shape) < 0.5, 0.1)
        elif name.endswith("kernel"):
            yield Replace(name, value + random.normal(0, 0.1, value.shape))
        elif name.endswith("/gamma"):
            scale = random.uniform(0.5, 2, value.shape)
            yield ScaleOffset(name.removesuffix("/gamma"), scale, scale - 1)


def routed_edits(tuned: Iterable[str]) -> Iterator[Edit]:
    """Those of a patch whose policy takes these blocks for every image."""
    chosen = set(tuned)
    for edit in edits():
        prefix = "tuned/" if block_of(edit.target) else ""
        yield dataclasses.replace(edit, target=prefix + edit.target)
    bias = [(0, 1) if block in chosen else (1, 0) for block in BLOCKS]
    yield Replace("policy/logits/bias", np.reshape(bias, -1))


def patch_bytes(found: Iterable[Edit], published: filling.Published) -> bytes:
    """A patch file for a published base."""
    fingerprint = published.sidecar.base_fingerprint
    return to_bytes(Patch("TEST", fingerprint, tuple(found), labels()))

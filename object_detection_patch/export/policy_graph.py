"""A policy network as operators of a TFLite model.

It computes what `methods/policy.py` trains, BatchNorms folded and the dense
layer as a 1 x 1 convolution.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export.mapping import Sources
from object_detection_patch.patch_file.edits import POLICY_PREFIX

_CODES = schema.BuiltinOperator
_KERNEL = 3
_RELU = schema.ActivationFunctionType.RELU
_NO_ACTIVATION = schema.ActivationFunctionType.NONE


@dataclasses.dataclass(frozen=True)
class PolicySize:
    """How large a policy is: options of `instance_routing.policy`."""

    blocks: int
    channels: int


class GraphWriter:
    """Appends tensors and operators to the main subgraph of a ModelT.

    Args:
      half: stores floating-point constants as float16.
    """

    def __init__(self, model: Any, *, half: bool) -> None:
        self.model = model
        self.subgraph = model.subgraphs[0]
        self._half = half

    def tensor(
        self, shape: Sequence[int], kind: int, data: bytes | None = None
    ) -> int:
        """A tensor of a schema's type; a constant, if it has data."""
        tensor = schema.TensorT()
        tensor.shape, tensor.type = list(shape), kind
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1

    def floats(self, shape: Sequence[int]) -> int:
        """An activation."""
        return self.tensor(shape, schema.TensorType.FLOAT32)

    def zeros(self, shape: Sequence[int]) -> int:
        """A constant of zeros, to be filled."""
        if not self._half:
            data = np.zeros(shape, "<f4").tobytes()
            return self.tensor(shape, schema.TensorType.FLOAT32, data)
        data = np.zeros(shape, "<f2").tobytes()
        stored = self.tensor(shape, schema.TensorType.FLOAT16, data)
        wide = self.floats(shape)
        self.operator(_CODES.DEQUANTIZE, [stored], [wide])
        return wide

    def integers(self, values: Sequence[int]) -> int:
        """A constant of int32."""
        data = np.asarray(values, "<i4").tobytes()
        return self.tensor([len(values)], schema.TensorType.INT32, data)

    def operator(
        self,
        code: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
    ) -> Any:
        """An operator at the end; returns its OperatorT."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code_index(code)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.subgraph.operators.append(operator)
        return operator

    def _code_index(self, code: int) -> int:
        for number, known in enumerate(self.model.operatorCodes):
            if known.builtinCode == code:
                return number
        added = schema.OperatorCodeT()
        added.builtinCode, added.version = code, 1
        # Of readers from before there were more than 127 operators.
        added.deprecatedBuiltinCode = min(code, 127)
        self.model.operatorCodes.append(added)
        return len(self.model.operatorCodes) - 1


class PolicyWriter:
    """Writes a policy; `sources` then says what its convolutions are.

    Args:
      writer: of the model that it is for.
      size: of the policy.
      decisions: number of routed blocks.
    """

    def __init__(
        self, writer: GraphWriter, size: PolicySize, decisions: int
    ) -> None:
        self._writer = writer
        self._size = size
        self._decisions = decisions
        self.sources: list[tuple[Any, Sources]] = []
        self.shapes: dict[str, tuple[int, ...]] = {}

    def write(self, image: int) -> list[int]:
        """Appends the operators.

        Args:
          image: tensor, float32 [1, height, width, 3].

        Returns:
          A bool tensor of one item for each decision: take the tuned block.
        """
        x = self._convolution("stem", image, self._size.channels, strides=2)
        for number in range(self._size.blocks):
            x = self._block(
                f"block_{number + 1}", x, self._size.channels * 2**number
            )
        logits = self._logits(self._mean(x))
        return self._decided(logits)

    def _block(self, name: str, read: int, channels: int) -> int:
        first = self._convolution(f"{name}/first", read, channels, strides=2)
        second = self._convolution(
            f"{name}/second", first, channels, activation=_NO_ACTIVATION
        )
        shortcut = self._convolution(
            f"{name}/shortcut",
            read,
            channels,
            side=1,
            strides=2,
            activation=_NO_ACTIVATION,
        )
        options = schema.AddOptionsT()
        options.fusedActivationFunction = _RELU
        total = self._writer.floats(self._shape(second))
        self._writer.operator(_CODES.ADD, [second, shortcut], [total], options)
        return total

    def _convolution(
        self,
        name: str,
        read: int,
        channels: int,
        *,
        side: int = _KERNEL,
        strides: int = 1,
        activation: int = _RELU,
    ) -> int:
        place = f"{POLICY_PREFIX}{name}"
        return self._conv2d(
            Sources(f"{place}/kernel", f"{place}/norm", None),
            read,
            channels,
            side=side,
            strides=strides,
            activation=activation,
        )

    def _logits(self, read: int) -> int:
        place = f"{POLICY_PREFIX}logits"
        sources = Sources(f"{place}/kernel", None, f"{place}/bias")
        self.shapes[f"{place}/bias"] = (2 * self._decisions,)
        return self._conv2d(sources, read, 2 * self._decisions, side=1)

    def _conv2d(
        self,
        sources: Sources,
        read: int,
        channels: int,
        *,
        side: int,
        strides: int = 1,
        activation: int = _NO_ACTIVATION,
    ) -> int:
        _, height, width, depth = self._shape(read)
        self.shapes[sources.kernel] = (side, side, depth, channels)
        weights = self._writer.zeros((channels, side, side, depth))
        bias = self._writer.zeros((channels,))
        found = self._writer.floats(
            (1, -(-height // strides), -(-width // strides), channels)
        )
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = strides
        options.padding = schema.Padding.SAME
        options.fusedActivationFunction = activation
        operator = self._writer.operator(
            _CODES.CONV_2D, [read, weights, bias], [found], options
        )
        self.sources.append((operator, sources))
        return found

    def _mean(self, read: int) -> int:
        options = schema.ReducerOptionsT()
        options.keepDims = True
        found = self._writer.floats((1, 1, 1, self._shape(read)[3]))
        axes = self._writer.integers([1, 2])
        self._writer.operator(_CODES.MEAN, [read, axes], [found], options)
        return found

    def _decided(self, logits: int) -> list[int]:
        """Whether each block's second logit is greater than its first."""
        frozen, tuned = (self._every_second(logits, at) for at in (0, 1))
        shape = (1, 1, 1, self._decisions)
        greater = self._writer.tensor(shape, schema.TensorType.BOOL)
        self._writer.operator(
            _CODES.GREATER, [tuned, frozen], [greater], schema.GreaterOptionsT()
        )
        options = schema.UnpackOptionsT()
        options.num, options.axis = self._decisions, 3
        found = [
            self._writer.tensor((1, 1, 1), schema.TensorType.BOOL)
            for _ in range(self._decisions)
        ]
        self._writer.operator(_CODES.UNPACK, [greater], found, options)
        return found

    def _every_second(self, logits: int, first: int) -> int:
        ends = [1, 1, 1, 2 * self._decisions]
        found = self._writer.floats((1, 1, 1, self._decisions))
        limits = [[0, 0, 0, first], ends, [1, 1, 1, 2]]
        self._writer.operator(
            _CODES.STRIDED_SLICE,
            [logits, *map(self._writer.integers, limits)],
            [found],
            schema.StridedSliceOptionsT(),
        )
        return found

    def _shape(self, index: int) -> tuple[int, ...]:
        return tuple(map(int, self._writer.subgraph.tensors[index].shape))

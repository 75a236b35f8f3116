"""A converted model, read with the TFLite schema: what exporting asks of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export.class_numbers import StructureError

_DTYPES = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.FLOAT16: np.dtype("<f2"),
    schema.TensorType.INT8: np.dtype("i1"),
    schema.TensorType.INT32: np.dtype("<i4"),
}
_CONVOLUTIONS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
)


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution of the graph; tensors by index.

    `operator` is its number in its own subgraph.
    `weights` and `bias` are the constants themselves, also where a
    DEQUANTIZE stands between them and the operation; `input` is the
    activation that it reads.
    """

    operator: int
    is_depthwise: bool
    input: int
    weights: int
    bias: int


class Graph:
    """A TFLite model, in the schema's object form.

    Its tensors are numbered through all subgraphs, the main one first, so
    that the main one's have their own numbers.
    """

    def __init__(self, data: bytes) -> None:
        self.model = schema.ModelT.InitFromPackedBuf(data, 0)
        self.subgraph = self.model.subgraphs[0]
        self._places = [
            (number, index)
            for number, subgraph in enumerate(self.model.subgraphs)
            for index in range(len(subgraph.tensors))
        ]
        self._starts = [
            self._places.index((number, 0))
            for number in range(len(self.model.subgraphs))
        ]
        self._makers = {
            start + int(output): (operator, start)
            for start, _, operator in self._operators()
            for output in operator.outputs
        }

    def _operators(self) -> Iterator[tuple[int, int, Any]]:
        """First tensor of its subgraph, its number there, operator."""
        for start, subgraph in zip(
            self._starts, self.model.subgraphs, strict=True
        ):
            for number, operator in enumerate(subgraph.operators):
                yield start, number, operator

    @property
    def tensors(self) -> int:
        """How many there are."""
        return len(self._places)

    def place(self, index: int) -> tuple[int, int]:
        """Subgraph of a tensor, and its number there."""
        return self._places[index]

    def code(self, operator: Any) -> int:
        """The BuiltinOperator of an operator."""
        return int(self.model.operatorCodes[operator.opcodeIndex].builtinCode)

    def codes(self) -> list[int]:
        return [self.code(operator) for operator in self.subgraph.operators]

    def tensor(self, index: int) -> Any:
        subgraph, number = self._places[index]
        return self.model.subgraphs[subgraph].tensors[number]

    def is_constant(self, index: int) -> bool:
        return self.data(index) is not None

    def data(self, index: int) -> np.ndarray | None:
        """The bytes of a constant, or None."""
        data = self.model.buffers[self.tensor(index).buffer].data
        # The schema gives an empty buffer as 0, None or no items.
        is_empty = data is None or np.ndim(data) == 0 or len(data) == 0
        return None if is_empty else data

    def values(self, index: int) -> np.ndarray:
        """A constant as float32 numbers, dequantised, in its shape.

        Raises:
          StructureError: if the tensor is absent, no constant, or of a type
            that weights and biases never have.
        """
        data = self.data(index) if index >= 0 else None
        if data is None:
            raise StructureError(
                "Weights and biases must be constants of the graph. Received: "
                f"tensor {index}, which is none."
            )
        tensor = self.tensor(index)
        if tensor.type not in _DTYPES:
            raise StructureError(
                "Weights and biases must be float32, float16, int8 or int32. "
                f"Received: type {tensor.type} of the schema, in tensor "
                f"{index}."
            )
        raw = np.asarray(data, np.uint8).tobytes()
        values = np.frombuffer(raw, _DTYPES[tensor.type]).reshape(tensor.shape)
        return _dequantised(values, tensor.quantization)

    def convolutions(self) -> Iterator[Convolution]:
        """Every convolution, subgraph by subgraph, in their orders."""
        for start, number, operator in self._operators():
            if self.code(operator) in _CONVOLUTIONS:
                read, weights, bias = (
                    start + int(index) if index >= 0 else -1
                    for index in operator.inputs[:3]
                )
                yield Convolution(
                    number,
                    self.code(operator) == _CONVOLUTIONS[1],
                    read,
                    self._constant(weights),
                    self._constant(bias),
                )

    def activations(self) -> list[int]:
        """Quantised tensors that are no constants, in order of first use."""
        found: dict[int, None] = {}
        for operator in self.subgraph.operators:
            for index in (*operator.inputs, *operator.outputs):
                if self._is_activation(int(index)):
                    found[int(index)] = None
        return list(found)

    def quantisation(self, index: int) -> tuple[float, int]:
        """Scale and zero point of an activation."""
        quantization = self.tensor(index).quantization
        return (
            float(quantization.scale[0]),
            int(quantization.zeroPoint[0]),
        )

    def ranges(self) -> tuple[tuple[float, int], ...]:
        """Scale and zero point of every activation, in their order."""
        return tuple(map(self.quantisation, self.activations()))

    def _is_activation(self, index: int) -> bool:
        if index < 0 or self.is_constant(index):
            return False
        quantization = self.tensor(index).quantization
        scale = quantization and quantization.scale
        return scale is not None and len(scale) == 1

    def _constant(self, index: int) -> int:
        """The constant that a tensor is, or that is dequantised to it."""
        if index < 0 or self.is_constant(index):
            return index
        maker, start = self._makers.get(index, (None, 0))
        if maker is not None and self.code(maker) == (
            schema.BuiltinOperator.DEQUANTIZE
        ):
            return start + int(maker.inputs[0])
        return index


def _dequantised(values: np.ndarray, quantization: Any) -> np.ndarray:
    """Stored numbers as float32, by the schema's QuantizationParametersT."""
    scale = quantization and quantization.scale
    if scale is None or len(scale) == 0:
        return values.astype(np.float32)
    shape = [1] * values.ndim
    shape[int(quantization.quantizedDimension)] = -1
    zeros = np.asarray(quantization.zeroPoint, np.int64).reshape(shape)
    steps = (values - zeros).astype(np.float32)
    return steps * np.asarray(scale, np.float32).reshape(shape)

"""Writes .tflite models, tensor by tensor, with the TFLite schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int32": schema.TensorType.INT32,
}


class Maker:
    """A model of one subgraph, made tensor by tensor.

    Args:
      share: constants of the same bytes get one buffer, as converters do.
    """

    def __init__(self, *, share: bool = False) -> None:
        self.tensors: dict[str, int] = {}
        self.subgraph = schema.SubGraphT()
        self.subgraph.tensors, self.subgraph.operators = [], []
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes, self.model.metadata = [], []
        self.model.subgraphs = [self.subgraph]
        self._known: dict[bytes, int] | None = {} if share else None

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: str = "float32",
        *,
        buffer: int = 0,
        scales: Sequence[float] = (),
        zero_points: Sequence[int] = (),
        axis: int = 0,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.type, tensor.buffer = _TYPES[kind], buffer
        if len(scales):
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = list(scales)
            zeros = list(zero_points) or [0] * len(scales)
            tensor.quantization.zeroPoint = zeros
            tensor.quantization.quantizedDimension = axis
            tensor.quantization.min, tensor.quantization.max = [-1.0], [1.0]
        self.tensors[name] = len(self.subgraph.tensors)
        self.subgraph.tensors.append(tensor)
        return self.tensors[name]

    def constant(self, name: str, values: np.ndarray, **step: Any) -> int:
        """A constant of the array's own dtype and shape."""
        buffer = self.buffer(values.tobytes())
        kind = values.dtype.name
        return self.tensor(name, values.shape, kind, buffer=buffer, **step)

    def buffer(self, data: bytes) -> int:
        if self._known is not None and data in self._known:
            return self._known[data]
        made = schema.BufferT()
        made.data = np.frombuffer(data, np.uint8)
        self.model.buffers.append(made)
        number = len(self.model.buffers) - 1
        if self._known is not None:
            self._known[data] = number
        return number

    def operator(
        self,
        code: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
        *,
        custom: str | None = None,
        custom_options: bytes = b"",
    ) -> None:
        opcode = schema.OperatorCodeT()
        opcode.builtinCode, opcode.version = code, 1
        opcode.deprecatedBuiltinCode = min(code, 127)
        opcode.customCode = custom
        self.model.operatorCodes.append(opcode)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        operator.customOptions = list(custom_options) or None
        self.subgraph.operators.append(operator)

    def add_metadata(self, name: str, data: bytes) -> None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, self.buffer(data)
        self.model.metadata.append(entry)

    def data(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file."""
        self.subgraph.inputs, self.subgraph.outputs = inputs, outputs
        builder = flatbuffers.Builder(0)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

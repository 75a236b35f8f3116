"""A detector small enough to check by hand, as a real .tflite file."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite import labels, model_metadata

_LABELS = (
    LabelMapItem(1, "red", "Red"),
    LabelMapItem(2, "green", ""),
    LabelMapItem(3, "blue", "Bläu"),
)
# Centre (y, x), height, width of the quarters of an image.
_QUARTERS = [[y, x, 0.5, 0.5] for y in (0.25, 0.75) for x in (0.25, 0.75)]
_POST_PROCESSING = {
    "max_detections": 4,
    "max_classes_per_detection": 1,
    "num_classes": 3,
    "nms_score_threshold": 0.0,
    "nms_iou_threshold": 0.5,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}


class _Graph:
    """Collects tensors and operations of one subgraph."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.metadata = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape: list[int], kind: str, data: Any = None) -> int:
        tensor = schema.TensorT()
        tensor.shape = shape
        tensor.type = getattr(schema.TensorType, kind)
        tensor.buffer = 0
        if data is not None:
            tensor.buffer = self.buffer(data.tobytes())
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def buffer(self, data: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = list(data)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def operation(
        self, name: str, inputs: list[int], outputs: list[int]
    ) -> Any:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = code.builtinCode
        code.version = 1
        operation = schema.OperatorT()
        operation.opcodeIndex = len(self.model.operatorCodes)
        operation.inputs, operation.outputs = inputs, outputs
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operation)
        return operation


def _input(graph: _Graph, kind: str) -> int:
    """The image, as float32; quantised models hold it in 8 bits."""
    image = graph.tensor([1, 8, 8, 3], kind)
    graph.graph.inputs = [image]
    if kind == "FLOAT32":
        return image
    quantization = schema.QuantizationParametersT()
    quantization.scale = [1 / 127.5]
    quantization.zeroPoint = [{"UINT8": 128, "INT8": 0}[kind]]
    graph.graph.tensors[image].quantization = quantization
    floats = graph.tensor([1, 8, 8, 3], "FLOAT32")
    graph.operation("DEQUANTIZE", [image], [floats])
    return floats


def build(
    *,
    kind: str = "FLOAT32",
    outputs: tuple[str, ...] = model_metadata.OUTPUTS,
    label_map: tuple[LabelMapItem, ...] | None = _LABELS,
    metadata: bytes | None = None,
) -> bytes:
    """A model of 8 x 8 pixels that finds colours in the image's quarters.

    The score of class 1, 2 or 3 in a quarter is the quarter's mean of red,
    green or blue, in [-1, 1]. The operation that ends every exported
    detector makes detections of these.

    Args:
      kind: of the input: FLOAT32, UINT8 or INT8.
      outputs: the order of the outputs.
      label_map: for the archive behind the model; None for no archive.
      metadata: instead of metadata that fits; b"" for none.
    """
    graph = _Graph()
    image = _input(graph, kind)
    means = graph.tensor([1, 2, 2, 3], "FLOAT32")
    pool = graph.operation("AVERAGE_POOL_2D", [image], [means])
    pool.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    pool.builtinOptions = schema.Pool2DOptionsT()
    pool.builtinOptions.padding = schema.Padding.VALID
    for field in ("strideW", "strideH", "filterWidth", "filterHeight"):
        setattr(pool.builtinOptions, field, 4)
    scores = graph.tensor([1, 4, 3], "FLOAT32")
    shape = graph.tensor([3], "INT32", np.array([1, 4, 3], np.int32))
    graph.operation("RESHAPE", [means, shape], [scores])
    zeros = np.zeros([1, 4, 4], np.float32)
    boxes = graph.tensor([1, 4, 4], "FLOAT32", zeros)
    anchors = graph.tensor([4, 4], "FLOAT32", np.float32(_QUARTERS))
    found = {
        name: graph.tensor([], "FLOAT32") for name in model_metadata.OUTPUTS
    }
    last = graph.operation(
        "CUSTOM", [boxes, scores, anchors], list(found.values())
    )
    graph.model.operatorCodes[-1].customCode = "TFLite_Detection_PostProcess"
    last.customOptions = list(flexbuffers.Dumps(_POST_PROCESSING))
    graph.graph.outputs = [found[name] for name in outputs]
    if metadata is None:
        metadata = model_metadata.detector_metadata(
            name="Tiny",
            description="Colours",
            image_size=(8, 8),
            outputs=outputs,
        )
    if metadata:
        entry = schema.MetadataT()
        entry.name = model_metadata.METADATA_NAME
        entry.buffer = graph.buffer(metadata)
        graph.model.metadata.append(entry)
    builder = flatbuffers.Builder(0)
    builder.Finish(graph.model.Pack(builder), b"TFL3")
    model = bytes(builder.Output())
    if label_map is None:
        return model
    return model + labels.labels_archive(label_map, start=len(model))

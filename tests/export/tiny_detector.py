"""A tiny detector as .tflite file, in three precisions.

The image has 4 x 4 pixels, each of them an anchor: a depthwise convolution of
2 x 2, two of 1 x 1 for boxes and classes, and the post-processing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from tiny_model import Maker

PRECISIONS = ("float32", "float16", "int8")
SIDE = 4
CLASSES = 2
MAX_DETECTIONS = 5
# Scale and zero point of what each layer of the int8 detector gives.
STEPS = {
    "quantised image": (2 / 255, -1),
    "depthwise": (0.05, 7),
    "boxes": (0.06, -9),
    "classes": (0.04, 3),
}
_CODES = schema.BuiltinOperator


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Float weights, as TFLite lays them out, and biases of the detector."""

    depthwise: np.ndarray
    depthwise_bias: np.ndarray
    boxes: np.ndarray
    boxes_bias: np.ndarray
    classes: np.ndarray
    classes_bias: np.ndarray


@dataclasses.dataclass(frozen=True)
class Detector:
    """A file, what it was made of, and its tensors by name."""

    data: bytes
    numbers: Numbers
    tensors: dict[str, int]


def random_numbers(seed: int = 0) -> Numbers:
    """Weights from -1 to 1, and biases of which two are zeros."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return random.uniform(-1, 1, shape).astype(np.float32)

    zeros = np.zeros(3, np.float32)
    return Numbers(
        draw(1, 2, 2, 3),
        zeros,
        draw(4, 1, 1, 3),
        draw(4),
        draw(CLASSES + 1, 1, 1, 3),
        zeros,
    )


def anchors() -> np.ndarray:
    """The pixels as boxes: float32 [16, 4], y, x, height, width."""
    centres = (np.arange(SIDE) + 0.5) / SIDE
    y, x = np.meshgrid(centres, centres, indexing="ij")
    size = np.full(SIDE**2, 1 / SIDE)
    found = np.stack([y.ravel(), x.ravel(), size, size], axis=1)
    return found.astype(np.float32)


def make(
    precision: str,
    *,
    numbers: Numbers | None = None,
    outputs: Sequence[int] = (0, 1, 2, 3),
    metadata: bytes = b"",
    share: bool = False,
) -> Detector:
    """A detector; outputs in another order than the operation's, if asked.

    Args:
      metadata: for the entry TFLITE_METADATA; empty for no entry.
      share: see `Maker`.
    """
    numbers = numbers or random_numbers()
    maker = Maker(share=share)
    network = _Network(maker, precision, numbers)
    found = network.post_processing()
    if metadata:
        maker.add_metadata("TFLITE_METADATA", metadata)
    data = maker.data(
        [maker.tensors["image"]], [found[number] for number in outputs]
    )
    return Detector(data, numbers, maker.tensors)


class _Network:
    """The layers of the detector in one precision."""

    def __init__(self, maker: Maker, precision: str, numbers: Numbers) -> None:
        self._maker, self._precision = maker, precision
        self._numbers = numbers
        self._input = maker.tensor("image", (1, SIDE, SIDE, 3))

    def post_processing(self) -> list[int]:
        """All layers; the four outputs of the last operation."""
        maker = self._maker
        read, step = self._input, STEPS["quantised image"]
        if self._precision == "int8":
            read = self._activation("quantised image", 3, step)
            maker.operator(_CODES.QUANTIZE, [self._input], [read])
        body = self._convolution("depthwise", read, step)
        step = STEPS["depthwise"]
        inputs = [
            self._flat(name, self._convolution(name, body, step))
            for name in ("boxes", "classes")
        ]
        inputs.append(maker.constant("anchors", anchors()))
        found = [
            maker.tensor(name, shape)
            for name, shape in (
                ("locations", (1, MAX_DETECTIONS, 4)),
                ("categories", (1, MAX_DETECTIONS)),
                ("scores", (1, MAX_DETECTIONS)),
                ("count", (1,)),
            )
        ]
        maker.operator(
            _CODES.CUSTOM,
            inputs,
            found,
            custom="TFLite_Detection_PostProcess",
            custom_options=_post_processing_options(),
        )
        return found

    def _convolution(
        self, name: str, read: int, step: tuple[float, int]
    ) -> int:
        depthwise = name == "depthwise"
        weights = getattr(self._numbers, name)
        bias = getattr(self._numbers, f"{name}_bias")
        constants = self._constants(name, weights, bias, step[0], depthwise)
        written = self._activation(f"{name} out", len(bias), STEPS[name])
        options = (
            schema.DepthwiseConv2DOptionsT()
            if depthwise
            else schema.Conv2DOptionsT()
        )
        options.strideH = options.strideW = 1
        options.padding = schema.Padding.SAME
        if depthwise:
            options.depthMultiplier = 1
        code = _CODES.DEPTHWISE_CONV_2D if depthwise else _CODES.CONV_2D
        self._maker.operator(code, [read, *constants], [written], options)
        return written

    def _constants(
        self,
        name: str,
        weights: np.ndarray,
        bias: np.ndarray,
        input_scale: float,
        depthwise: bool,
    ) -> list[int]:
        maker, bias_name = self._maker, f"{name}_bias"
        if self._precision == "int8":
            axis = 3 if depthwise else 0
            others = tuple(set(range(4)) - {axis})
            scales = np.abs(weights).max(axis=others) / np.float32(127)
            shape = [1] * 4
            shape[axis] = -1
            steps = np.rint(weights / scales.reshape(shape)).astype(np.int8)
            both = scales * np.float32(input_scale)
            whole = np.rint(bias / both).astype(np.int32)
            return [
                maker.constant(name, steps, scales=scales, axis=axis),
                maker.constant(bias_name, whole, scales=both),
            ]
        if self._precision == "float16":
            return [
                self._half(name, weights),
                self._half(bias_name, bias),
            ]
        return [
            maker.constant(name, weights),
            maker.constant(bias_name, bias),
        ]

    def _half(self, name: str, values: np.ndarray) -> int:
        stored = self._maker.constant(name, values.astype(np.float16))
        wide = self._maker.tensor(f"{name} wide", values.shape)
        self._maker.operator(_CODES.DEQUANTIZE, [stored], [wide])
        return wide

    def _activation(
        self, name: str, channels: int, step: tuple[float, int]
    ) -> int:
        shape = (1, SIDE, SIDE, channels)
        if self._precision != "int8":
            return self._maker.tensor(name, shape)
        scale, zero_point = step
        return self._maker.tensor(
            name, shape, "int8", scales=[scale], zero_points=[zero_point]
        )

    def _flat(self, name: str, read: int) -> int:
        """[1, height, width, channels] -> float [1, anchors, channels]."""
        maker = self._maker
        shape = maker.subgraph.tensors[read].shape
        if self._precision == "int8":
            wide = maker.tensor(f"{name} float", shape)
            maker.operator(_CODES.DEQUANTIZE, [read], [wide])
            read = wide
        flat = (1, SIDE**2, shape[3])
        asked = maker.constant(f"{name} shape", np.array(flat, np.int32))
        written = maker.tensor(f"{name} flat", flat)
        options = schema.ReshapeOptionsT()
        maker.operator(_CODES.RESHAPE, [read, asked], [written], options)
        return written


def _post_processing_options() -> bytes:
    return bytes(
        flexbuffers.Dumps(
            {
                "max_detections": MAX_DETECTIONS,
                "max_classes_per_detection": 1,
                "num_classes": CLASSES,
                "nms_score_threshold": 0.1,
                "nms_iou_threshold": 0.5,
                "y_scale": 10.0,
                "x_scale": 10.0,
                "h_scale": 5.0,
                "w_scale": 5.0,
            }
        )
    )

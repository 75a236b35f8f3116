"""What a model says of itself: its TFLite Model Metadata.

MediaPipe's ObjectDetector and the TFLite Task Library's refuse a model
without. They read from it how to scale pixels, which output is which, by
name, and where the labels are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from object_detection_patch.tflite.labels import LABELS_FILE
from object_detection_patch.tflite.metadata_schema import (
    METADATA_IDENTIFIER,
    TableReader,
    encode_metadata,
)

METADATA_NAME = "TFLITE_METADATA"  # the entry of a model that holds it

# The names by which the two libraries find the outputs of a detector, in the
# order of the operation TFLite_Detection_PostProcess.
OUTPUTS = ("location", "category", "score", "number of detections")

_MODEL_IDENTIFIER = b"TFL3"
# The first version of the schema that knows groups of tensors.
_MIN_PARSER_VERSION = "1.2.0"
# (pixel - mean) / std is what the OD API's MobileNet extractors compute:
# pixel * 2 / 255 - 1.
_MEAN = 127.5
_STD = 127.5

# Numbers of the schema's enumerations and unions.
_RGB = 1
_IMAGE_PROPERTIES = 2
_BOUNDING_BOX_PROPERTIES = 3
_BOUNDARIES = 1
_RATIO = 0
_NORMALIZATION_OPTIONS = 1
_TENSOR_VALUE_LABELS = 3


def detector_metadata(
    *,
    name: str,
    description: str,
    image_size: tuple[int, int],
    mean: Sequence[float] = (_MEAN,),
    std: Sequence[float] = (_STD,),
    version: str = "",
    author: str = "",
    license: str = "",
    outputs: Sequence[str] = OUTPUTS,
) -> bytes:
    """The metadata of a detector that takes float32 images.

    Args:
      name, description, version, author, license: for people; "" for none.
      image_size: (height, width) of the input, in pixels.
      mean, std: the input is (pixel - mean) / std, for all channels or one
        for each; default: that of the MobileNet extractors, [-1, 1].
      outputs: the four of `OUTPUTS` in the order of the model's outputs.

    Returns:
      A flatbuffer with the identifier M001, for the model's entry
      TFLITE_METADATA; equal input gives equal bytes.

    Raises:
      ValueError: for an empty image, or other outputs.
    """
    if len(image_size) != 2 or min(image_size) < 1:
        raise ValueError(
            "`image_size` must be (height, width) in pixels. Received: "
            f"{image_size}."
        )
    if sorted(outputs) != sorted(OUTPUTS):
        raise ValueError(
            f"`outputs` must hold each of {list(OUTPUTS)} once. Received: "
            f"{list(outputs)}."
        )
    texts = {
        "name": name,
        "description": description,
        "version": version,
        "author": author,
        "license": license,
    }
    return encode_metadata(
        {
            **{field: text for field, text in texts.items() if text},
            "min_parser_version": _MIN_PARSER_VERSION,
            "subgraph_metadata": [
                {
                    "input_tensor_metadata": [_image(*image_size, mean, std)],
                    "output_tensor_metadata": [_output(o) for o in outputs],
                    "output_tensor_groups": [
                        {
                            "name": "detection_result",
                            "tensor_names": list(OUTPUTS[:3]),
                        }
                    ],
                }
            ],
        }
    )


def _image(
    height: int, width: int, mean: Sequence[float], std: Sequence[float]
) -> dict[str, Any]:
    pairs = list(zip(mean, std, strict=True))
    return {
        "name": "image",
        "description": f"RGB image of {width} x {height} pixels",
        "content": {
            "content_properties_type": _IMAGE_PROPERTIES,
            "content_properties": {
                "color_space": _RGB,
                "default_size": {"width": width, "height": height},
            },
        },
        "process_units": [
            {
                "options_type": _NORMALIZATION_OPTIONS,
                "options": {"mean": list(mean), "std": list(std)},
            }
        ],
        "stats": {
            "max": [(255 - middle) / spread for middle, spread in pairs],
            "min": [(0 - middle) / spread for middle, spread in pairs],
        },
    }


def _output(name: str) -> dict[str, Any]:
    descriptions = {
        "location": "Box of each detection: top, left, bottom, right",
        "category": "Class of each detection, as a line of the labels from 0",
        "score": "Score of each detection, best first",
        "number of detections": "How many detections there are",
    }
    tensor: dict[str, Any] = {"name": name, "description": descriptions[name]}
    if name == "location":
        # `index` says where left, top, right and bottom are found.
        tensor["content"] = {
            "content_properties_type": _BOUNDING_BOX_PROPERTIES,
            "content_properties": {
                "index": [1, 0, 3, 2],
                "type": _BOUNDARIES,
                "coordinate_type": _RATIO,
            },
        }
    if name == "category":
        tensor["associated_files"] = [
            {
                "name": LABELS_FILE,
                "description": "Display names of the classes, a line each",
                "type": _TENSOR_VALUE_LABELS,
            }
        ]
    if name != "number of detections":
        # The dimension that the content is about, as MediaPipe's own writer
        # states it for these three.
        tensor.setdefault("content", {})["range"] = {"min": 2, "max": 2}
    return tensor


def read_metadata(model: bytes) -> dict[str, Any]:
    """The metadata inside a model, with the field names of the schema.

    Args:
      model: the bytes of a .tflite file.

    Returns:
      A dictionary of dictionaries, lists, texts and numbers. Fields that
      image models do not use are left out.

    Raises:
      ValueError: if this is no TFLite model, or one without metadata, or
        either is damaged.
    """
    if model[4:8] != _MODEL_IDENTIFIER:
        raise ValueError(
            "A TFLite model must have the file identifier TFL3. Received: "
            f"{model[4:8]!r} at byte 4."
        )
    reader = TableReader(model)
    raw = _metadata_bytes(reader)
    if raw[4:8] != METADATA_IDENTIFIER:
        raise ValueError(
            "Model metadata must have the file identifier M001. Received: "
            f"{raw[4:8]!r}."
        )
    reader = TableReader(raw)
    return reader.table("ModelMetadata", reader.root())


def _metadata_bytes(reader: TableReader) -> bytes:
    root = reader.root()
    for entry in reader.table("Model", root).get("metadata", []):
        if entry.get("name") == METADATA_NAME:
            buffers = reader.field(root, 4)
            data = reader.field(reader.item(buffers, entry["buffer"]), 0)
            return reader.data(data)
    raise ValueError(
        "A model must hold TFLite Model Metadata. Received: one without an "
        f"entry {METADATA_NAME}."
    )

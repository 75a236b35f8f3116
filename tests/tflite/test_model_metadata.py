"""What a detector says of itself, and where a model keeps it."""

import struct

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.tflite import model_metadata

_FIELDS = {
    "name": "Signs",
    "description": "Road signs",
    "image_size": (96, 128),
}


def _model(metadata, *, name="TFLITE_METADATA", identifier=b"TFL3"):
    """A model with nothing but an entry of metadata; `metadata` is bytes."""
    model, entry = schema.ModelT(), schema.MetadataT()
    other, buffer = schema.MetadataT(), schema.BufferT()
    model.version = 3
    other.name, other.buffer = "min_runtime_version", 0
    entry.name, entry.buffer = name, 1
    buffer.data = list(metadata)
    model.buffers = [schema.BufferT(), buffer]
    model.metadata = [other, entry]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), identifier)
    return bytes(builder.Output())


def _described(**changes):
    raw = model_metadata.detector_metadata(**{**_FIELDS, **changes})
    return model_metadata.read_metadata(_model(raw))


def test_a_detector_describes_itself():
    metadata = _described(version="2", author="We", license="Apache-2.0")
    (subgraph,) = metadata.pop("subgraph_metadata")
    assert metadata == {
        "name": "Signs",
        "description": "Road signs",
        "version": "2",
        "author": "We",
        "license": "Apache-2.0",
        "min_parser_version": "1.2.0",
    }
    (group,) = subgraph["output_tensor_groups"]
    assert group["tensor_names"] == ["location", "category", "score"]


def test_the_image_is_rgb_and_scaled_to_plus_minus_one():
    (image,) = _described()["subgraph_metadata"][0]["input_tensor_metadata"]
    properties = image["content"]["content_properties"]
    assert properties == {
        "color_space": 1,
        "default_size": {"width": 128, "height": 96},
    }
    (unit,) = image["process_units"]
    (mean,), (std,) = unit["options"]["mean"], unit["options"]["std"]
    assert [(pixel - mean) / std for pixel in (0, 255)] == [-1, 1]
    assert image["stats"] == {"max": [1.0], "min": [-1.0]}


def test_the_outputs_are_named_in_the_order_of_the_model():
    order = ["score", "location", "number of detections", "category"]
    for outputs in (model_metadata.OUTPUTS, order):
        (subgraph,) = _described(outputs=outputs)["subgraph_metadata"]
        tensors = subgraph["output_tensor_metadata"]
        assert [tensor["name"] for tensor in tensors] == list(outputs)
        by_name = {tensor["name"]: tensor for tensor in tensors}
        # The edges as left, top, right, bottom, fractions, as boundaries.
        box = by_name["location"]["content"]["content_properties"]
        assert box == {"index": [1, 0, 3, 2], "type": 1, "coordinate_type": 0}
        (file,) = by_name["category"]["associated_files"]
        assert (file["name"], file["type"]) == ("labelmap.txt", 3)


def test_empty_texts_are_left_out_and_runs_are_equal():
    assert not {"version", "author", "license"} & set(_described())
    first = model_metadata.detector_metadata(**_FIELDS)
    assert first == model_metadata.detector_metadata(**_FIELDS)
    assert first[4:8] == b"M001"
    assert len(first) < 2048


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": (0, 96)}, r"`image_size` must be.*\(0, 96\)"),
        ({"image_size": (96,)}, r"`image_size` must be.*\(96,\)"),
        ({"outputs": ["score"] * 4}, "must hold each of.*'score', 'score'"),
        ({"outputs": []}, r"must hold each of.*Received: \[\]"),
    ],
)
def test_bad_descriptions(changes, message):
    with pytest.raises(ValueError, match=message):
        model_metadata.detector_metadata(**{**_FIELDS, **changes})


_METADATA = model_metadata.detector_metadata(**_FIELDS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "identifier TFL3. Received: b''"),
        (b"\x89PNG\r\n\x1a\n", r"identifier TFL3. Received: b'\\r\\n"),
        (_model(_METADATA, name="OTHER"), "without an entry TFLITE_METADATA"),
        (_model(b"\0" * 16), "identifier M001"),
        (_model(b""), "identifier M001"),
        (struct.pack("<I4s", 99, b"TFL3"), "must lead into its flatbuffer"),
        (_model(_METADATA)[:200], "must"),
    ],
)
def test_models_without_readable_metadata(model, message):
    with pytest.raises(ValueError, match=message):
        model_metadata.read_metadata(model)

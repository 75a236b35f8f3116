"""Exported models in LiteRT, against LiteRT itself and numbers by hand."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tiny_detector
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from tiny_model import Maker

from object_detection_patch.export import runtime
from object_detection_patch.export.normalisation import Normalisation
from object_detection_patch.od_api import compat
from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite.model_metadata import detector_metadata

compat.enable()
from object_detection.protos import pipeline_pb2  # noqa: E402
from object_detection.utils import label_map_util  # noqa: E402

PRECISION = pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
# That keeping tensors is slow is known.
KEEPS_TENSORS = pytest.mark.filterwarnings(
    "ignore:Warning. Enabling `experimental_preserve_all_tensors`"
)
_RED, _GREEN = 0, 1
# Of each object; the OD API takes what is not given for 0.
_FLAGS = ("difficult", "is_crowd", "group_of")
_LABELS = (LabelMapItem(1, "red", ""), LabelMapItem(2, "green", ""))


def _colours(**options):
    """Finds red and green pixels; their scores are the colours' values."""
    depthwise = np.zeros((1, 2, 2, 3), np.float32)
    depthwise[0, 0, 0] = 1
    classes = np.zeros((3, 1, 1, 3), np.float32)
    classes[1 + _RED, 0, 0, 0] = classes[1 + _GREEN, 0, 0, 1] = 1
    numbers = tiny_detector.Numbers(
        depthwise,
        np.zeros(3, np.float32),
        np.zeros((4, 1, 1, 3), np.float32),
        np.zeros(4, np.float32),
        classes,
        np.zeros(3, np.float32),
    )
    return tiny_detector.make("float32", numbers=numbers, **options).data


def _image(pixels, white=1.0):
    """A black image but for (row, column, colour) -> value."""
    image = np.zeros((4, 4, 3), np.float32)
    for place, value in pixels.items():
        image[place] = value * white
    return image


def _drawn(seed=0):
    drawn = np.random.default_rng(seed).uniform(-1, 1, (4, 4, 3))
    return drawn.astype(np.float32)


def test_detections_best_first_and_no_others():
    image = _image(
        {(3, 0, _GREEN): 0.75, (1, 2, _RED): 0.875, (0, 0, _RED): 0.0625}
    )
    boxes, classes, scores = runtime.Runtime(_colours()).detect(image)
    np.testing.assert_allclose(
        boxes, [[0.25, 0.5, 0.5, 0.75], [0.75, 0, 1, 0.25]], atol=1e-6
    )
    np.testing.assert_array_equal(classes, [_RED, _GREEN])
    np.testing.assert_array_equal(scores, [0.875, 0.75])


def test_an_image_without_detections():
    boxes, classes, scores = runtime.Runtime(_colours()).detect(_image({}))
    assert (boxes.shape, classes.shape, scores.shape) == ((0, 4), (0,), (0,))


@PRECISION
def test_detections_are_those_of_litert(precision):
    model = tiny_detector.make(precision).data
    interpreter = litert.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    (read,) = interpreter.get_input_details()
    runner = runtime.Runtime(model)
    for seed in range(3):
        interpreter.set_tensor(read["index"], _drawn(seed)[None])
        interpreter.invoke()
        wanted = [
            interpreter.get_tensor(output["index"])[0]
            for output in interpreter.get_output_details()
        ]
        found = runner.detect(_drawn(seed))
        assert wanted.pop() == len(found[0]) == tiny_detector.MAX_DETECTIONS
        for mine, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@KEEPS_TENSORS
def test_raw_outputs_by_hand():
    image = _drawn()
    runner = runtime.Runtime(_colours(), keep_tensors=True)
    boxes, scores = runner.raw_outputs(image)
    np.testing.assert_array_equal(boxes, np.zeros((1, 16, 4)))
    wanted = np.zeros((1, 16, 3), np.float32)
    wanted[0, :, 1:] = image.reshape(16, 3)[:, :2]
    np.testing.assert_allclose(scores, wanted, atol=1e-6)


@KEEPS_TENSORS
@PRECISION
def test_raw_outputs_are_those_of_litert(precision):
    detector = tiny_detector.make(precision)
    runner = runtime.Runtime(detector.data, keep_tensors=True)
    interpreter = litert.Interpreter(
        model_content=detector.data, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    for seed in range(2):
        found = runner.raw_outputs(_drawn(seed))
        (read,) = interpreter.get_input_details()
        interpreter.set_tensor(read["index"], _drawn(seed)[None])
        interpreter.invoke()
        for name, mine in zip(("boxes", "classes"), found, strict=True):
            theirs = interpreter.get_tensor(detector.tensors[f"{name} flat"])
            np.testing.assert_array_equal(mine, theirs)


def test_the_image_size_is_height_and_width():
    maker = Maker()
    read, written = (maker.tensor(name, (1, 2, 6, 3)) for name in "ab")
    maker.operator(schema.BuiltinOperator.RELU, [read], [written])
    model = maker.data([read], [written])
    assert runtime.Runtime(model).image_size == (2, 6)


def _pipeline():
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    size = pipeline.model.ssd.image_resizer.fixed_shape_resizer
    size.height = size.width = 4
    return pipeline


def _example(image, objects, flags):
    """An annotated image; objects are (row, column, label) of a pixel."""
    columns = {
        "ymin": [row / 4 for row, _, _ in objects],
        "xmin": [column / 4 for _, column, _ in objects],
        "ymax": [(row + 1) / 4 for row, _, _ in objects],
        "xmax": [(column + 1) / 4 for _, column, _ in objects],
    }
    encoded = tf.io.encode_png(image.astype(np.uint8)).numpy()
    features = {
        f"image/object/bbox/{key}": tf.train.Feature(
            float_list=tf.train.FloatList(value=values)
        )
        for key, values in columns.items()
    }
    for key, values in (
        ("encoded", [encoded]),
        ("format", [b"png"]),
        ("object/class/text", [label.encode() for _, _, label in objects]),
    ):
        features[f"image/{key}"] = tf.train.Feature(
            bytes_list=tf.train.BytesList(value=values)
        )
    for flag in flags:
        features[f"image/object/{flag}"] = tf.train.Feature(
            int64_list=tf.train.Int64List(value=[0] * len(objects))
        )
    return tf.train.Example(features=tf.train.Features(feature=features))


def _records(path, examples, flags=_FLAGS):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image, objects in examples:
            example = _example(image, objects, flags)
            writer.write(example.SerializeToString())
    return str(path)


def test_inputs_are_resized_and_normalised(tmp_path):
    images = [
        np.random.default_rng(0).integers(0, 256, (4, 4, 3)),
        np.full((8, 6, 3), (255, 51, 0)),
        np.zeros((4, 4, 3)),
    ]
    for number, image in enumerate(images):
        _records(tmp_path / f"{number}.record", [(image, [])])
    found = runtime.inputs(
        _pipeline(),
        [str(tmp_path / "*.record")],
        Normalisation((51.0,), (2.0,)),
        limit=2,
    )
    assert [image.dtype for image in found] == [np.float32] * 2
    np.testing.assert_allclose(found[0], (images[0] - 51) / 2)
    colour = np.broadcast_to([102, 0, -25.5], (4, 4, 3))
    np.testing.assert_allclose(found[1], colour, atol=1e-4)


def test_a_pattern_with_records_passes(tmp_path):
    _records(tmp_path / "a.record", [])
    _records(tmp_path / "b.record", [(np.zeros((4, 4, 3)), [])])
    runtime.refuse_empty("--eval_records", str(tmp_path / "*.record"))


def test_a_pattern_without_records_is_refused(tmp_path):
    path = _records(tmp_path / "a.record", [])
    with pytest.raises(ValueError, match="`--eval_records`.*a.record"):
        runtime.refuse_empty("--eval_records", path)


def test_a_pattern_without_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none-such"):
        runtime.refuse_empty("--eval_records", str(tmp_path / "none-such*"))


@pytest.mark.parametrize(
    ("truth", "wanted"),
    [
        ([(1, 2, "red"), (3, 0, "green")], 1),
        ([(1, 2, "red"), (3, 1, "green")], 0.5),
        ([(1, 2, "green"), (3, 0, "red")], 0),
        ([(1, 2, "red")], 1),
    ],
)
def test_accuracy_of_a_model_on_records(tmp_path, truth, wanted):
    assert _accuracy(tmp_path, truth) == pytest.approx(wanted)


def test_records_may_leave_flags_out(tmp_path):
    truth = [(1, 2, "red"), (3, 0, "green")]
    assert _accuracy(tmp_path, truth, flags=()) == pytest.approx(1)


def _accuracy(folder, truth, flags=_FLAGS):
    """mAP where red and green are found, each in a pixel of its own.

    In a negative, so that nothing is found without the normalisation.
    """
    image = _image({(1, 2, _RED): 0.8, (3, 0, _GREEN): 0.6}, white=255)
    metadata = detector_metadata(
        name="Colours",
        description="Red and green pixels",
        image_size=(4, 4),
        mean=[255],
        std=[-255],
    )
    return runtime.mean_average_precision(
        _colours(metadata=metadata),
        _pipeline(),
        [_records(folder / "a.record", [(255 - image, truth)], flags)],
        runtime.label_map_file(_LABELS, str(folder)),
    )


def test_a_label_map_keeps_odd_names(tmp_path):
    names = ("it's", '"cited"', "back\\slash", "new\nline", "Größe 日本", "")
    items = [
        LabelMapItem(2 * number + 1, f"{number}: {name}", name)
        for number, name in enumerate(names)
    ]
    path = runtime.label_map_file(items, str(tmp_path))
    assert pathlib.Path(path).parent == tmp_path
    found = label_map_util.load_labelmap(path)
    assert [
        LabelMapItem(item.id, item.name, item.display_name)
        for item in found.item
    ] == items

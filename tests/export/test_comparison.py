"""How far an exported model is from the Keras model, and what is too far.

The Keras model is stood in for by one that knows the file's outputs.
"""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf
import tiny_detector

from object_detection_patch.export import comparison, runtime
from object_detection_patch.export.errors import ExportError

# That keeping tensors is slow is known.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Warning. Enabling `experimental_preserve_all_tensors`"
)
_MODEL = tiny_detector.make("float32").data
_SHAPE = (tiny_detector.SIDE, tiny_detector.SIDE, 3)


class _Keras:
    """Gives the file's raw outputs, some of them changed.

    Args:
      boxes, scores: what is added to the first of each.
      only: an image, for others nothing is added.
      everywhere: what is added to all outputs.
    """

    def __init__(self, boxes=0.0, scores=0.0, only=None, everywhere=0.0):
        self._added = boxes, scores
        self._only = only
        self._everywhere = np.float32(everywhere)
        self.reads(_MODEL)
        self._box_predictor = types.SimpleNamespace()
        self.seen = []

    def reads(self, model):
        self._runtime = runtime.Runtime(model, keep_tensors=True)

    def predict(self, images, true_shapes):
        assert true_shapes is None
        image = images.numpy()[0]
        self.seen.append(image)
        boxes, scores = map(np.copy, self._runtime.raw_outputs(image))
        if self._only is None or np.array_equal(image, self._only):
            boxes.flat[0] += self._added[0]
            scores.flat[0] += self._added[1]
        boxes, scores = boxes + self._everywhere, scores + self._everywhere
        return {
            "box_encodings": tf.constant(boxes),
            # As logits; the conversion is the model's to know.
            "class_predictions_with_background": tf.constant(2 * scores),
        }

    def _score_conversion_fn(self, logits):
        return logits / 2


def _check(model, precision="float32", **options):
    return comparison.checked_difference(
        _MODEL, model, precision=precision, extractor="net", **options
    )


def _images(number):
    random = np.random.default_rng(3)
    return list(random.uniform(-1, 1, (number, *_SHAPE)).astype(np.float32))


def _shifted(boxes, scores):
    """The same file, but for what is added to all boxes and scores."""
    numbers = tiny_detector.random_numbers()
    changed = dataclasses.replace(
        numbers,
        boxes_bias=numbers.boxes_bias + np.float32(boxes),
        classes_bias=numbers.classes_bias + np.float32(scores),
    )
    return tiny_detector.make("float32", numbers=changed).data


def test_equal_models_do_not_differ():
    model = _Keras()
    assert comparison.raw_difference(_MODEL, model) == 0
    (image,) = model.seen
    assert image.shape == _SHAPE and np.ptp(image) > 1


@pytest.mark.parametrize("added", [{"boxes": 5.0}, {"scores": 5.0}])
def test_it_is_in_units_of_the_largest_output(added):
    model = _Keras(**added)
    found = comparison.raw_difference(_MODEL, model)
    (image,) = model.seen
    outputs = runtime.Runtime(_MODEL, keep_tensors=True).raw_outputs(image)
    changed = outputs["scores" in added].copy()
    changed.flat[0] += 5
    assert found == pytest.approx(5 / np.abs(changed).max())
    assert found < 5


def test_outputs_below_1_count_as_1():
    added = 1e-3
    model = _Keras(scores=added)
    tiny = tiny_detector.make(
        "float32",
        numbers=tiny_detector.Numbers(
            *(
                value * np.float32(1e-3)
                for value in vars(tiny_detector.random_numbers()).values()
            )
        ),
    ).data
    model.reads(tiny)
    found = comparison.raw_difference(tiny, model)
    assert found == pytest.approx(added, rel=1e-3)


def test_the_worst_image_counts():
    images = _images(4)
    model = _Keras(boxes=1e-4, only=images[2])
    found = _check(model, "float16", images=images)
    alone = _check(model, "float16", images=[images[2]])
    assert found == alone
    assert found.largest > 1e-5
    assert _check(model, images=images[:2]) == comparison.Difference(0, None)


@pytest.mark.parametrize(
    ("precision", "passes", "refused"),
    [("float32", 5e-5, 1e-3), ("float16", 5e-3, 0.2)],
)
def test_what_is_more_than_rounding_is_refused(precision, passes, refused):
    found = _check(_Keras(scores=passes), precision)
    assert 0 < found.largest <= 1.01 * passes
    assert found.ratio is None
    with pytest.raises(ExportError, match=rf"of the largest \({precision}\)"):
        _check(_Keras(scores=refused), precision)


@pytest.mark.parametrize(
    ("boxes", "scores", "ratio"),
    [
        (0.5, 0.5, 1),
        (0.5, 5.0, 1),
        (0.625, 1.0, 0.8),
        (0.41, 1.0, 1.22),
        (1.0, 0.41, 1.22),
    ],
)
def test_int8_is_measured_by_the_converters_own_model(boxes, scores, ratio):
    """Here the base is off by 0.5 everywhere, its converter's by these."""
    images = _images(3)
    model = _Keras(everywhere=0.5)
    found = _check(
        model,
        "int8",
        images=images,
        converted=_shifted(0.5 - boxes, 0.5 - scores),
    )
    assert found.ratio == pytest.approx(ratio, rel=1e-3)


@pytest.mark.parametrize(("boxes", "scores"), [(0.39, 9.0), (9.0, 0.39)])
def test_int8_that_is_worse_than_the_converters_is_refused(boxes, scores):
    with pytest.raises(
        ExportError, match=r"within 1.25 times .*: 1.3e\+00; .*\(net\)"
    ):
        _check(
            _Keras(everywhere=0.5),
            "int8",
            images=_images(3),
            converted=_shifted(0.5 - boxes, 0.5 - scores),
        )


def test_int8_without_any_difference_passes():
    found = _check(_Keras(), "int8", images=_images(1), converted=_MODEL)
    assert found == comparison.Difference(0, 0)


def test_nan_is_refused():
    with pytest.raises(ExportError, match="Received: nan"):
        _check(_Keras(boxes=np.nan))
    with pytest.raises(ExportError, match="Received: nan"):
        _check(
            _Keras(boxes=np.nan),
            "int8",
            images=_images(1),
            converted=_shifted(0.5, 0.5),
        )

"""Images with what is in them and what a model found, for our measures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.od_api import base_model, compat


@dataclasses.dataclass(frozen=True)
class EvaluatedImage:
    """One image with what is in it and what a model found.

    Boxes are [N, 4] float32 as ymin, xmin, ymax, xmax in fractions of the
    image; classes are integers from 1; flags are bool [N].
    """

    source_id: str
    image: np.ndarray
    true_boxes: np.ndarray
    true_classes: np.ndarray
    difficult: np.ndarray
    is_crowd: np.ndarray
    group_of: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def detect(
    model: Any,
    input_paths: Sequence[str],
    *,
    label_map_path: str,
    batch_size: int = 16,
    limit: int | None = None,
) -> Iterator[EvaluatedImage]:
    """Runs a model in inference mode over TFRecords, in their order.

    Decoding, resizing and post-processing are the OD API's own. One traced
    function serves all images, so the resizer must give one size.

    Args:
      model: built SSDMetaArch.
      input_paths: files or patterns.
      label_map_path: of the records' classes.
      limit: stop after so many images.

    Raises:
      ValueError: if no record matches.
    """
    base_model.set_training(model, False)
    dataset = decoded_records(input_paths, label_map_path)
    if limit is not None:
        dataset = dataset.take(limit)
    run = None
    for examples in _groups(dataset, batch_size):
        resized = [
            model.preprocess(tf.cast(example["image"][None], tf.float32))
            for example in examples
        ]
        images = tf.concat([image for image, _ in resized], axis=0)
        shapes = tf.concat([shape for _, shape in resized], axis=0)
        run = run or _detector(model, images.shape)
        yield from _evaluated(run(images, shapes), examples)


def detect_image(
    model: Any, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes [N, 4], scores [N] and classes [N] (from 1) in one RGB image.

    Boxes are ymin, xmin, ymax, xmax in fractions of the image, uint8
    [height, width, 3]. Runs without tracing, in inference mode.
    """
    base_model.set_training(model, False)
    resized, shapes = model.preprocess(tf.cast(image[None], tf.float32))
    found = model.postprocess(model.predict(resized, shapes), shapes)
    scores = found["detection_scores"][0].numpy()
    kept = scores > 0
    classes = found["detection_classes"][0].numpy().astype(np.int64) + 1
    return (
        found["detection_boxes"][0].numpy()[kept],
        scores[kept],
        classes[kept],
    )


def resizer(pipeline: Any) -> Callable[[np.ndarray], np.ndarray]:
    """What brings an RGB image to the size that a config states.

    uint8 [height, width, 3] -> float32 from 0 to 255, by the OD API's own
    resizer.
    """
    compat.enable()
    from object_detection.builders import image_resizer_builder

    resize = image_resizer_builder.build(pipeline.model.ssd.image_resizer)
    return lambda image: resize(tf.constant(image, tf.float32))[0].numpy()


def decoded_records(
    input_paths: Sequence[str], label_map_path: str | None
) -> Any:
    """Examples of TFRecords as the OD API decodes them, a tf.data.Dataset.

    Without a label map, classes are those of the records' own numbers.

    Raises:
      ValueError: if no record matches.
    """
    from object_detection.data_decoders import tf_example_decoder

    files = sorted(
        name for path in input_paths for name in tf.io.gfile.glob(path)
    )
    if not files:
        raise ValueError(
            "There must be TFRecord files to read. Received: "
            f"{list(input_paths)}, which match none."
        )
    decoder = tf_example_decoder.TfExampleDecoder(
        label_map_proto_file=label_map_path
    )
    # Graph code already: converting it takes longer than decoding it.
    decode = tf.autograph.experimental.do_not_convert(decoder.decode)
    return tf.data.TFRecordDataset(files).map(decode)


def _detector(model: Any, shape: tf.TensorShape) -> Callable[..., Any]:
    # Left open, the batch is mapped over; a fixed one would be traced image
    # by image. Autograph would convert all of the OD API for nothing.
    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, *shape[1:]], tf.float32),
            tf.TensorSpec([None, 3], tf.int32),
        ],
    )
    def run(images: tf.Tensor, shapes: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.postprocess(model.predict(images, shapes), shapes)

    return run


def _groups(dataset: Any, size: int) -> Iterator[list[dict[str, Any]]]:
    group = []
    for example in dataset.as_numpy_iterator():
        group.append(example)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _evaluated(
    found: dict[str, Any], examples: list[dict[str, Any]]
) -> Iterator[EvaluatedImage]:
    arrays = {
        key: found[f"detection_{key}"].numpy()
        for key in ("boxes", "scores", "classes")
    }
    for index, example in enumerate(examples):
        yield evaluated_image(
            example,
            boxes=arrays["boxes"][index],
            scores=arrays["scores"][index],
            classes=arrays["classes"][index],
        )


def evaluated_image(
    example: dict[str, Any],
    *,
    boxes: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
) -> EvaluatedImage:
    """A decoded example and a model's detections in it.

    Args:
      boxes, scores, classes: [N, 4], [N] and [N], classes from 0; what has
        no score above 0 is padding and left out.
    """
    kept = scores > 0
    return EvaluatedImage(
        source_id=example["source_id"].decode(errors="replace"),
        image=example["image"],
        true_boxes=example["groundtruth_boxes"],
        true_classes=example["groundtruth_classes"].astype(np.int64),
        difficult=_flags(example, "difficult"),
        is_crowd=_flags(example, "is_crowd"),
        group_of=_flags(example, "group_of"),
        boxes=boxes[kept],
        scores=scores[kept],
        classes=classes[kept].astype(np.int64) + 1,
    )


def _flags(example: dict[str, Any], name: str) -> np.ndarray:
    """A flag of each box; records may leave it out, which means no."""
    flags = example[f"groundtruth_{name}"].astype(bool)
    if flags.size:
        return flags
    return np.zeros(len(example["groundtruth_boxes"]), bool)

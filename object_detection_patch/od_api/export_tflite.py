"""Checkpoint -> SavedModel -> TFLite, by the OD API and the converter."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.od_api import compat, extractors

# The OD API exporter's own default.
MAX_DETECTIONS = 10


def export_saved_model(
    pipeline: Any,
    checkpoint_dir: str,
    output_dir: str,
    *,
    max_detections: int = MAX_DETECTIONS,
    regular_nms: bool = False,
) -> str:
    """Runs the OD API's TFLite exporter; returns the SavedModel's folder.

    Args:
      pipeline: TrainEvalPipelineConfig of an SSD with a fixed input size.
      checkpoint_dir: directory with an ordinary OD API checkpoint.
      max_detections: of the post-processing op, for each image.
      regular_nms: suppress boxes class by class, as the OD API's evaluation
        does; else the op's fast way, which keeps one class for each anchor.

    Raises:
      ValueError: for a config that the exporter refuses.
    """
    compat.enable()
    extractors.register()
    from object_detection import export_tflite_graph_lib_tf2 as exporter
    from tf_keras.src.saving.legacy.saved_model import utils as keras_utils

    # Names of layers count upwards within a process and enter the graph.
    tf.keras.backend.clear_session()
    # The converter reads the signature alone; to trace each layer's call for
    # the SavedModel's sake would take as long as all the rest.
    with (
        keras_utils.keras_option_scope(save_traces=False),
        _unconverted_inference(exporter.SSDModule),
    ):
        exporter.export_tflite_model(
            pipeline, checkpoint_dir, output_dir, max_detections, regular_nms
        )
    return os.path.join(output_dir, "saved_model")


@contextlib.contextmanager
def _unconverted_inference(module: Any) -> Iterator[None]:
    """Traces the exporter's function as it is, without autograph.

    It is graph code already: the conversion gives the same model, and takes a
    fifth of an export.
    """
    original = module.inference_fn
    module.inference_fn = tf.function(
        tf.autograph.experimental.do_not_convert(original.python_function)
    )
    try:
        yield
    finally:
        module.inference_fn = original


def convert(
    saved_model_dir: str,
    precision: str,
    calibration: Callable[[], Iterable[np.ndarray]] | None = None,
) -> bytes:
    """A SavedModel as TFLite model; input and outputs stay float32.

    Args:
      precision: float32, float16 or int8.
      calibration: for int8, gives the inputs (1, height, width, 3), float32
        as the model takes them, to measure the ranges of activations.

    Raises:
      ValueError: for int8 without calibration.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model_dir)
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":
        _quantise(converter, calibration)
    return converter.convert()


def _quantise(
    converter: Any, calibration: Callable[[], Iterable[np.ndarray]] | None
) -> None:
    if calibration is None:
        raise ValueError(
            "int8 needs images to measure the ranges of activations: "
            "`--calibration_records`. Received: none."
        )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [image] for image in calibration()
    )
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        # The post-processing op has no int8 form.
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ]

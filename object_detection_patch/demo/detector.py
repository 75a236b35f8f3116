"""A detector in LiteRT, as an app has it: no TensorFlow, one thread.

`export/runtime.py` reads its images and their normalisation with TensorFlow,
so it is of no use in a process that shows a phone's.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from object_detection_patch.tflite import labels, model_metadata


@dataclasses.dataclass(frozen=True)
class Found:
    """What a model found in one image; see `drawn.Detected`."""

    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


class Detector:
    """A model in memory, ready to run.

    Args:
      model: the bytes of a float .tflite file, its metadata and labels inside.

    Raises:
      ValueError: if either is absent.
    """

    def __init__(self, model: bytes) -> None:
        self.label_names = labels.read_labels(model)
        metadata = model_metadata.read_metadata(model)
        image = metadata["subgraph_metadata"][0]["input_tensor_metadata"][0]
        scaling = image["process_units"][0]["options"]
        self._mean = np.float32(scaling["mean"])
        self._std = np.float32(scaling["std"])
        self._interpreter = Interpreter(model_content=model, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = [
            output["index"] for output in self._interpreter.get_output_details()
        ]

    def prepared(self, image: np.ndarray) -> np.ndarray:
        """uint8 [h, w, 3] -> the model's input, float32 [1, height, width, 3].

        The demo draws its images in the model's size, so nothing is resized
        there.
        """
        _, height, width, _ = self._input["shape"]
        resized = Image.fromarray(image).resize(
            (int(width), int(height)), Image.Resampling.BILINEAR
        )
        return ((np.asarray(resized) - self._mean) / self._std)[None]

    def run(self, prepared: np.ndarray) -> None:
        """One inference, post-processing included."""
        self._interpreter.set_tensor(self._input["index"], prepared)
        self._interpreter.invoke()

    def found(self, image: np.ndarray) -> Found:
        """The detections of the last run, which was on this image."""
        boxes, classes, scores, count = (
            self._interpreter.get_tensor(index) for index in self._outputs
        )
        kept = slice(int(count[0]))
        # The model counts its classes from 0, a label map from 1.
        found = classes[0][kept].astype(np.int64) + 1
        return Found(image, boxes[0][kept], scores[0][kept], found)

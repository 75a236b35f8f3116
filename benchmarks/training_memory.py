"""What a training really keeps and holds, beside what a profile predicts.

    python benchmarks/training_memory.py [--model detector] [--blocks 3]

The detector is our SSD MobileNetV2 FPNLite, the classifier the MobileNetV2 of
tf_keras.applications, which has little above its blocks.

`kept_traced` are the bytes of all tensors that the backward pass of the traced
step, which trainings run, reads of its forward pass. `kept_eager` are those
that the process still has allocated, by its C library's own count, when the
forward pass has ended and only the loss and the gradient tape are left; the
step runs operation by operation for this. It keeps more: a tape holds inputs
of frozen convolutions, and whatever a gradient written by hand gave. Peak
memory is the largest resident size of the process while the traced step runs,
less what it held before the model was built. Each method has a process of its
own for both. For step times all methods' steps alternate in one process.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import one_step

from object_detection_patch.od_api import compat

METHODS = ("FINE_TUNING", "BN_PATCH", "BIAS_ONLY", "TOP_BLOCKS", "MOBILE_TL")


def main() -> int:
    options = _parser().parse_args()
    if options.alone:
        print(json.dumps(_alone(options.alone, options)))
        return 0
    memory = {}
    for method in METHODS:
        memory[method] = _in_process(method, options)
        print(method, json.dumps(memory[method]), file=sys.stderr, flush=True)
    times = _step_times(options)
    report = {
        "model": options.model,
        "image_size": options.image_size,
        "batch_size": options.batch_size,
        "blocks": options.blocks,
        "methods": {
            method: memory[method]
            | {
                "median_step_seconds": statistics.median(times[method]),
                "kept_traced_ratio": memory[method]["kept_traced"]
                / memory["TOP_BLOCKS"]["kept_traced"],
                "step_time_ratio": statistics.median(
                    one / other
                    for one, other in zip(
                        times[method], times["TOP_BLOCKS"], strict=True
                    )
                ),
            }
            for method in METHODS
        },
    }
    print(json.dumps(report, indent=2))
    return 0


def _patch_text(method: str, blocks: int) -> str:
    top = f"trainable_blocks: {blocks}"
    return {
        "TOP_BLOCKS": f"part {{ mobile_tl {{ {top} approximate: false }} }}",
        "MOBILE_TL": f"part {{ mobile_tl {{ {top} }} }}",
    }.get(method, f"preset: {method}")


class _Detector:
    """One method's SSD on random images with boxes.

    Args:
      method: of METHODS.
    """

    def __init__(self, method: str, options: argparse.Namespace) -> None:
        size = options.image_size
        pipeline = one_step.pipeline_of(
            _patch_text(method, options.blocks), size, options.batch_size
        )
        self.model = one_step.patched(pipeline)
        self._size = size
        self._batch_size = options.batch_size
        self.timed = one_step.TrainStep(self.model, pipeline, size).timed

    def loss(self) -> Any:
        """Of one forward pass."""
        from object_detection import model_lib, model_lib_v2

        features, labels = one_step.batch(self._size, self._batch_size)
        unstacked = model_lib.unstack_batch(
            labels, unpad_groundtruth_tensors=False
        )
        losses, _ = model_lib_v2._compute_losses_and_predictions_dicts(  # noqa: SLF001
            self.model, features, unstacked
        )
        return losses["Loss/total_loss"]

    def network(self) -> Any:
        """Its operations, for a profile."""
        from object_detection_patch.profiling import ssd

        size = (self._size, self._size)
        return ssd.network_of(self.model, self._batch_size, size)


class _Classifier:
    """One method's MobileNetV2 for ten classes on random images."""

    def __init__(self, method: str, options: argparse.Namespace) -> None:
        import tensorflow as tf
        from google.protobuf import text_format

        from object_detection_patch.keras_version import keras
        from object_detection_patch.methods.patch_model import patch_model
        from object_detection_patch.protos import patch_pb2

        shape = (options.image_size, options.image_size, 3)
        self.model = keras.applications.MobileNetV2(
            shape, weights=None, classes=10, classifier_activation=None
        )
        self._batch_size = options.batch_size
        config = text_format.Parse(
            _patch_text(method, options.blocks), patch_pb2.Patch()
        )
        patch_model(self.model, config)
        random = np.random.default_rng(0)
        self._images = tf.constant(
            random.uniform(-1, 1, (options.batch_size, *shape)), tf.float32
        )
        self._labels = tf.constant(np.arange(options.batch_size) % 10)
        optimizer = keras.optimizers.Adam()

        @tf.function
        def train_step() -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = self.loss()
            trained = self.model.trainable_variables
            optimizer.apply_gradients(
                zip(tape.gradient(loss, trained), trained, strict=True)
            )
            return loss

        self._train_step = train_step

    def timed(self) -> float:
        started = time.perf_counter()
        float(self._train_step())
        return time.perf_counter() - started

    def loss(self) -> Any:
        import tensorflow as tf

        scores = self.model(self._images, training=True)
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(self._labels, scores)
        )

    def network(self) -> Any:
        from object_detection_patch.profiling import traced

        return traced.of_keras_model(self.model, self._batch_size)


_SUBJECTS = {"detector": _Detector, "classifier": _Classifier}


def _alone(method: str, options: argparse.Namespace) -> dict[str, int]:
    compat.enable()
    from object_detection import model_lib_v2  # noqa: F401

    from object_detection_patch.profiling import costs

    runtime = one_step.resident_bytes()
    subject = _SUBJECTS[options.model](method, options)
    for _ in range(3):
        subject.timed()
    peak = one_step.resident_bytes()
    predicted = costs.in_sum(costs.by_layer(subject.network(), slots=2))
    import traced_kept

    return {
        "kept_traced": traced_kept.kept_bytes(
            subject.loss, subject.model.trainable_variables
        ),
        "kept_eager": _kept_by_tape(subject),
        "predicted_kept": predicted.kept_bytes,
        "peak": peak - runtime,
        "predicted_peak": predicted.memory_bytes,
    }


def _kept_by_tape(subject: Any) -> int:
    import tensorflow as tf

    # The first pass makes what stays for good, such as constants.
    for _ in range(2):
        gc.collect()
        before = _allocated_bytes()
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(subject.model.trainable_variables)
            loss = subject.loss()
        gc.collect()
        kept = _allocated_bytes() - before
        del tape, loss
    return kept


class _MallInfo2(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _allocated_bytes() -> int:
    """What the process has allocated and not freed; glibc."""
    count = ctypes.CDLL(None).mallinfo2
    count.restype = _MallInfo2
    found = count()
    return found.uordblks + found.hblkhd


def _step_times(options: argparse.Namespace) -> dict[str, list[float]]:
    subjects = {}
    for method in METHODS:
        subjects[method] = _SUBJECTS[options.model](method, options)
        for _ in range(2):
            subjects[method].timed()
    times: dict[str, list[float]] = {method: [] for method in METHODS}
    for index in range(options.steps):
        for method in METHODS if index % 2 else METHODS[::-1]:
            times[method].append(subjects[method].timed())
    return times


def _in_process(method: str, options: argparse.Namespace) -> dict[str, int]:
    output = subprocess.run(
        [
            *(sys.executable, __file__, f"--alone={method}"),
            f"--model={options.model}",
            f"--image_size={options.image_size}",
            f"--batch_size={options.batch_size}",
            f"--blocks={options.blocks}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", choices=tuple(_SUBJECTS), default="detector")
    parser.add_argument(
        "--image_size",
        type=int,
        choices=tuple(one_step.ARCHITECTURES),
        default=320,
    )
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument(
        "--blocks", type=int, default=3, help="that train (default: 3)"
    )
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--alone", choices=METHODS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())

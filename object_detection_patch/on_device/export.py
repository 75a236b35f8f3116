"""pipeline.config -> a .tflite that trains a task where it runs."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from absl import logging
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.od_api import pipeline_config
from object_detection_patch.on_device import names
from object_detection_patch.on_device.trainer import Shapes, Trainer
from object_detection_patch.on_device.training_model import (
    require_mobile_tl,
    restored,
)
from object_detection_patch.patch_file.whole_file import write_whole


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
      file_bytes: size of the .tflite.
      trained_parameters: that a step moves.
      operations: signature -> kind of operation -> how many.
    """

    file_bytes: int
    trained_parameters: int
    shapes: Shapes
    operations: dict[str, dict[str, int]]


class MissingOperationError(ValueError):
    """A model needs operations that LiteRT does not have."""


def export_trainable(
    pipeline_config_path: str,
    output: str,
    *,
    checkpoint: str | None = None,
    batch_size: int | None = None,
    max_boxes: int | None = None,
    momentum: float = 0.9,
) -> Exported:
    """Writes a model with the signatures train, infer, parameters, restore.

    Args:
      pipeline_config_path: config with `mobile_tl`.
      checkpoint: of a training of this config, to go on from; by default the
        task starts at the config's base.
      batch_size: images in a step; by default the config's.
      max_boxes: of an image; by default the config's
        `train_config.max_number_of_boxes`.
      momentum: of stochastic gradient descent, at least 0 and below 1.

    Raises:
      MissingOperationError: naming the operations.
      ValueError: for a config, base or checkpoint that does not serve.
    """
    _check_momentum(momentum)
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    require_mobile_tl(pipeline, pipeline_config_path)
    shapes = Shapes(
        batch_size or pipeline.train_config.batch_size,
        _image_size(pipeline, pipeline_config_path),
        max_boxes or pipeline.train_config.max_number_of_boxes,
    )
    model = restored(pipeline, pipeline_config_path, checkpoint)
    trainer = Trainer(model, shapes, momentum=momentum)
    print("Converting a training step, a minute or two ...", file=sys.stderr)
    data = convert(trainer)
    operations = operations_of(data)
    refuse_missing(operations)
    write_whole(output, data)
    return Exported(len(data), trainer.trained_parameters, shapes, operations)


def convert(trainer: Trainer) -> bytes:
    """The .tflite of a trainer, operations that LiteRT lacks among it."""
    module = tf.Module()
    module.held = trainer.variables()
    signatures = trainer.signatures()
    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        # Gradients are in the graph already; their functions are not wanted.
        options = tf.saved_model.SaveOptions(
            experimental_custom_gradients=False
        )
        tf.saved_model.save(
            module, folder, signatures=signatures, options=options
        )
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.experimental_enable_resource_variables = True
        # Allowed so that all of what LiteRT lacks can be named.
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.TFLITE_BUILTINS,
            tf.lite.OpsSet.SELECT_TF_OPS,
        ]
        return converter.convert()


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """TensorFlow warns that nothing can be derived from what is saved."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def operations_of(data: bytes) -> dict[str, dict[str, int]]:
    """Signature -> kind of operation -> how many it has.

    Subgraphs without a signature, which initialise variables, stand under
    their own names. Kinds that only TensorFlow has begin with `Flex`.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    signatures = {
        signature.subgraphIndex: signature.signatureKey.decode()
        for signature in model.signatureDefs
    }
    found = {}
    for number, graph in enumerate(model.subgraphs):
        kinds = collections.Counter(
            _kind(model.operatorCodes[operator.opcodeIndex])
            for operator in graph.operators
        )
        name = signatures.get(number, graph.name.decode())
        found[name] = dict(sorted(kinds.items()))
    return found


def refuse_missing(operations: dict[str, dict[str, int]]) -> None:
    """Raises MissingOperationError for operations beyond the builtin ones."""
    missing = sorted(
        {
            kind
            for kinds in operations.values()
            for kind in kinds
            if kind not in _BUILTIN.values()
        }
    )
    if missing:
        raise MissingOperationError(
            "A model that trains on a device must consist of operations that "
            f"LiteRT has built in. Received: {', '.join(missing)}."
        )


def report(exported: Exported, output: str) -> str:
    """One paragraph for people about a file just written."""
    shapes = exported.shapes
    height, width = shapes.image_size
    steps = exported.operations[names.TRAIN]
    return (
        f"{output}: {exported.file_bytes:,} bytes. A step of `train` moves "
        f"{exported.trained_parameters:,} parameters by {shapes.batch_size} "
        f"images of {width} x {height} with up to {shapes.max_boxes} boxes "
        f"each, in {sum(steps.values()):,} operations of {len(steps)} kinds, "
        "all of which LiteRT has built in."
    )


_BUILTIN = {
    number: name
    for name, number in vars(schema.BuiltinOperator).items()
    if not name.startswith("_") and name != "CUSTOM"
}


def _kind(code: Any) -> str:
    if code.customCode:
        return code.customCode.decode()
    # Numbers above 127 do not fit into the older of the two fields.
    return _BUILTIN[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _check_momentum(momentum: float) -> None:
    if not 0 <= momentum < 1:
        raise ValueError(
            f"`--momentum` must be >= 0 and < 1. Received: {momentum:g}."
        )


def _image_size(pipeline: Any, path: str) -> tuple[int, int]:
    resizer = pipeline.model.ssd.image_resizer
    kind = resizer.WhichOneof("image_resizer_oneof")
    if kind != "fixed_shape_resizer":
        raise ValueError(
            "A model that trains on a device takes images of one size: "
            "`model.ssd.image_resizer` must be a `fixed_shape_resizer`. "
            f"Received: {kind} ({path})."
        )
    fixed = resizer.fixed_shape_resizer
    return fixed.height, fixed.width

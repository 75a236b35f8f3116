"""Builds, completes and restores the base model of a patch."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import compat, extractors, input_size

_BUILD_SIDE = 64
_PATCH_KEY = "model/patch/{}/.ATTRIBUTES/VARIABLE_VALUE"
FINGERPRINT_KEY = _PATCH_KEY.format("fingerprint_bytes")
PARTS_KEY = _PATCH_KEY.format("part_numbers")


class BaseRestoreError(ValueError):
    """A checkpoint that does not hold the whole base model."""


def build_model(model_config: Any, *, is_training: bool) -> Any:
    """A built SSDMetaArch of `model_config` (a DetectionModel message).

    Raises:
      ValueError: for a meta-architecture other than SSD, and for a fixed size
        of images that its extractor cannot take.
    """
    compat.enable()
    extractors.register()
    from object_detection.builders import model_builder

    refuse_other_architectures(model_config)
    input_size.refuse_uneven(model_config)
    model = model_builder.build(model_config, is_training=is_training)
    force_build(model)
    return model


def refuse_other_architectures(model_config: Any) -> None:
    """Raises ValueError unless the config describes an SSD."""
    kind = model_config.WhichOneof("model")
    if kind != "ssd":
        raise ValueError(
            "A patch needs an SSD (`model { ssd { ... } }` in "
            f"pipeline.config). Received: {kind!r}."
        )


def force_build(model: Any) -> None:
    """Creates every variable of an SSD by one pass over a black image.

    BatchNorm runs in inference mode, so its statistics stay as they are; in
    which mode it will train is still what the model was built for.
    """
    was_training = model._is_training  # noqa: SLF001
    set_training(model, False)
    try:
        images, shapes = model.preprocess(
            tf.zeros([1, _BUILD_SIDE, _BUILD_SIDE, 3])
        )
        model.predict(images, shapes)
    finally:
        set_training(model, was_training)
    _set_tower_training(model, was_training)


def _set_tower_training(model: Any, is_training: bool) -> None:
    """Undoes what the tower's BatchNorms read off the predictor when built.

    One built in inference mode would never train again.
    """
    from object_detection.core import freezable_batch_norm

    predictor = model._box_predictor  # noqa: SLF001
    updates = is_training and not predictor._freeze_batchnorm  # noqa: SLF001
    for layer in predictor.submodules:
        if isinstance(layer, freezable_batch_norm.FreezableBatchNorm):
            layer._training = updates  # noqa: SLF001


def set_training(model: Any, is_training: bool) -> None:
    """Sets the mode of the model, of its predictor and of Keras.

    The box predictor keeps a flag of its own, which the Object Detection
    API leaves at True when it evaluates a model built for training.
    """
    model._is_training = is_training  # noqa: SLF001
    model._box_predictor._is_training = is_training  # noqa: SLF001
    with warnings.catch_warnings():
        # Deprecated, and the one way to reach layers that ask Keras.
        warnings.simplefilter("ignore", UserWarning)
        tf.compat.v1.keras.backend.set_learning_phase(int(is_training))


@contextlib.contextmanager
def intercept_ssd(transform: Callable[[Any], Any]) -> Iterator[None]:
    """Every SSD that the Object Detection API builds passes `transform`.

    `transform` receives the SSDMetaArch and returns the model to use.
    Replacing `model_builder.build` would miss callers that hold a reference
    to it, so the entry of the meta-architecture table is replaced.
    """
    compat.enable()
    extractors.register()
    from object_detection.builders import model_builder

    table = model_builder.META_ARCH_BUILDER_MAP
    original = table["ssd"]

    def build_transformed(*args: Any, **kwargs: Any) -> Any:
        return transform(original(*args, **kwargs))

    table["ssd"] = build_transformed
    try:
        yield
    finally:
        table["ssd"] = original


def restore_base(
    model: Any, hosts: Hosts, checkpoint_path: str, *, checkpoint_type: str
) -> None:
    """Restores backbone, FPN, tower and box head; refuses a partial restore.

    Args:
      model: built SSDMetaArch whose hosts are `hosts`.
      checkpoint_path: prefix of an object-based checkpoint.
      checkpoint_type: `detection` leaves the class head as initialised,
        `full` restores it too.

    Raises:
      BaseRestoreError: for another type, a missing file, a checkpoint that
        holds no value for some tensor, or a value of another shape.
    """
    refuse_unreadable(checkpoint_path)
    check_type(checkpoint_type)
    heads = _restored_heads(hosts, checkpoint_type)
    wanted = hosts.base_tensors() | heads
    before = {name: variable.numpy() for name, variable in wanted.items()}
    for variable in wanted.values():
        variable.assign(tf.fill(variable.shape, np.float32(np.nan)))
    try:
        _restore_objects(model, checkpoint_path, checkpoint_type)
        missing = [
            name
            for name, variable in wanted.items()
            if np.isnan(variable.numpy()).any()
        ]
        if missing:
            raise BaseRestoreError(
                _missing_message(checkpoint_path, missing, wanted)
            )
    except BaseException:
        for name, variable in wanted.items():
            variable.assign(before[name])
        raise


def refuse_unreadable(checkpoint_path: str) -> None:
    """Raises BaseRestoreError unless the prefix names a TF2 checkpoint."""
    if not tf.io.gfile.exists(f"{checkpoint_path}.index"):
        raise BaseRestoreError(
            "`train_config.fine_tune_checkpoint` must be the prefix of a "
            "checkpoint (.../ckpt-0, without .index; pipeline.config). "
            f"Received: {checkpoint_path!r}, and {checkpoint_path}.index does "
            "not exist."
        )
    keys = [key for key, _ in tf.train.list_variables(checkpoint_path)]
    if "_CHECKPOINTABLE_OBJECT_GRAPH" not in keys:
        raise BaseRestoreError(
            "The base must be an object-based (TF2) checkpoint. Received: "
            f"{checkpoint_path!r}, which is name-based (TF1)."
        )
    if FINGERPRINT_KEY in keys:
        raise BaseRestoreError(
            "A base must hold no patch, whose masks would be lost. Received: "
            f"{checkpoint_path!r}, saved while a patch was trained; `od-patch "
            "extract` and `od-patch merge` make an ordinary checkpoint of it."
        )


def check_patch_held(
    checkpoint_path: str, config: str, *, patched: bool
) -> None:
    """Raises BaseRestoreError unless both have a patch, or neither.

    Restoring what a model has would drop the rest in silence.

    Args:
      checkpoint_path: prefix of a checkpoint to evaluate, resume or draw.
      config: the pipeline.config, for the message.
      patched: whether that config has a patch.
    """
    held = tf.train.load_checkpoint(checkpoint_path).has_tensor(FINGERPRINT_KEY)
    if held != patched:
        checkpoint_has, config_has = (
            "with" if has else "without" for has in (held, patched)
        )
        raise BaseRestoreError(
            "A checkpoint and its config must both have a patch, or neither. "
            f"Received: {checkpoint_path!r} {checkpoint_has} a patch, and "
            f"{config} {config_has} `[object_detection_patch.patch]`."
        )


def check_type(checkpoint_type: str) -> None:
    """Raises BaseRestoreError for a type that leaves out the tower."""
    if checkpoint_type not in ("detection", "full"):
        raise BaseRestoreError(
            "`train_config.fine_tune_checkpoint_type` must be 'detection' or "
            "'full': a patch needs the whole base, tower included "
            f"(pipeline.config). Received: {checkpoint_type!r}."
        )


def _restored_heads(hosts: Hosts, checkpoint_type: str) -> dict[str, Any]:
    return {
        head.name: head.variable
        for head in hosts.heads
        if checkpoint_type == "full" or head.place == hosts_lib.BOX_HEAD
    }


def _restore_objects(
    model: Any, checkpoint_path: str, checkpoint_type: str
) -> None:
    # The Object Detection API insists on Checkpoint objects of v1, and so do
    # the keys that its own checkpoints have.
    checkpoint = tf.compat.v1.train.Checkpoint
    predictor = model._box_predictor  # noqa: SLF001
    if checkpoint_type == "detection":
        predictor = checkpoint(**_without_class_head(predictor))
    restored = checkpoint(
        model=checkpoint(
            _feature_extractor=model.feature_extractor,
            _box_predictor=predictor,
        )
    )
    try:
        restored.restore(checkpoint_path).expect_partial()
    except ValueError as error:
        raise BaseRestoreError(
            f"{checkpoint_path!r} (train_config.fine_tune_checkpoint) holds "
            f"another architecture{_or_classes(checkpoint_type)} than "
            f"pipeline.config describes. Received: {error}"
        ) from error


def _or_classes(checkpoint_type: str) -> str:
    if checkpoint_type != "full":
        return ""
    return " or another number of classes (`detection` leaves them out)"


def _without_class_head(predictor: Any) -> dict[str, Any]:
    """The predictor's checkpoint children, without the class head's."""
    children = dict(predictor._trackable_children())  # noqa: SLF001
    kept = {}
    for key, child in children.items():
        if key == "_prediction_heads":
            child = _without_class_entry(child)
        if child is not None and not isinstance(child, tf.Variable):
            kept[key] = child
    return kept


def _without_class_entry(heads: Any) -> Any:
    entries = {
        key: value
        for key, value in dict(heads).items()
        if "class_predictions" not in key
    }
    if not entries:
        return None
    return tf.compat.v1.train.Checkpoint(**entries)


def _missing_message(
    checkpoint_path: str, missing: list[str], wanted: dict[str, Any]
) -> str:
    shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    return (
        "Every tensor of the base model needs a value from the checkpoint, or "
        f"training would start half random. Received: {checkpoint_path!r}, "
        f"which lacks {len(missing)} of {len(wanted)}: {shown}. Is it of "
        "another architecture (train_config.fine_tune_checkpoint, "
        "pipeline.config)?"
    )

"""pipeline.config -> (OD API config, patch) and back.

Two traps are kept here. Text parsing knows `[object_detection_patch.patch]`
only once the generated extension module is imported. And the OD API's own
round trip through a dictionary of configs drops extensions, so the patch is
read from the message and written back into it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

from object_detection_patch.od_api import compat
from object_detection_patch.protos import patch_pb2

_KEY = "object_detection_patch"


def read_pipeline(path: str, override: str | None = None) -> Any:
    """Parses a pipeline.config into a TrainEvalPipelineConfig.

    Args:
      path: text proto file.
      override: text proto merged on top.

    Raises:
      ValueError: for a missing file or text that does not parse, with file,
        line and the extension's right name.
    """
    compat.enable()
    import tensorflow as tf

    if not path or not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        raise ValueError(
            "`--pipeline_config_path` must name a pipeline.config file. "
            f"Received: {path!r}, which is no file."
        )
    with tf.io.gfile.GFile(path) as file:
        pipeline = parse_pipeline(file.read(), path)
    if override:
        _merge(override, pipeline, "the config override")
    return pipeline


def parse_pipeline(text: str, source: str) -> Any:
    """Parses the text of a pipeline.config.

    Args:
      source: where the text is from, for the message.

    Raises:
      ValueError: as `read_pipeline`.
    """
    compat.enable()
    from object_detection.protos import pipeline_pb2

    _extension()
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    _merge(text, pipeline, source)
    return pipeline


def patch_of(pipeline: Any) -> patch_pb2.Patch | None:
    """The patch that a parsed pipeline config carries, or None."""
    extension = _extension()
    if not pipeline.HasExtension(extension):
        return None
    return pipeline.Extensions[extension]


def require_patch(pipeline: Any, path: str) -> patch_pb2.Patch:
    """The config's patch; ValueError if it has none."""
    config = patch_of(pipeline)
    if config is None:
        raise ValueError(
            "This needs a config with a patch: `[object_detection_patch.patch]"
            f" {{ preset: SPOTPATCH }}`. Received: {path} without one."
        )
    return config


# What decides a detector's outputs beside its tensors; loss and matching only
# serve training.
_ARCHITECTURE = (
    "add_background_class",
    "anchor_generator",
    "box_coder",
    "box_predictor",
    "encode_background_as_zeros",
    "feature_extractor",
    "image_resizer",
    "post_processing",
)


def architecture_digests(pipeline: Any) -> dict[str, str]:
    """Field of `model.ssd` -> digest of its content, for each that is set."""
    from google.protobuf import text_format

    ssd = type(pipeline.model.ssd)()
    ssd.CopyFrom(pipeline.model.ssd)
    # They shape training alone.
    for name in ("feature_extractor", "box_predictor"):
        _clear_training_fields(getattr(ssd, name))
    found = {}
    for name in _ARCHITECTURE:
        one = type(ssd)()
        one.CopyFrom(ssd)
        for field, _ in ssd.ListFields():
            if field.name != name:
                one.ClearField(field.name)
        text = text_format.MessageToString(one).encode()
        if text:
            found[name] = hashlib.sha256(text).hexdigest()[:12]
    return found


def _clear_training_fields(message: Any) -> None:
    for field, value in message.ListFields():
        if field.name in ("initializer", "regularizer", "decay"):
            message.ClearField(field.name)
        elif field.message_type and not field.is_repeated:
            _clear_training_fields(value)


def without_patch(pipeline: Any) -> Any:
    """A copy that the stock Object Detection API reads too."""
    copy = type(pipeline)()
    copy.CopyFrom(pipeline)
    copy.ClearExtension(_extension())
    return copy


@contextlib.contextmanager
def keep_patch() -> Iterator[None]:
    """Within it the OD API's config dictionaries carry the patch along.

    Its training loop then also saves the patch in model_dir/pipeline.config.
    """
    compat.enable()
    from object_detection import model_lib_v2

    table = model_lib_v2.MODEL_BUILD_UTIL_MAP
    read, write = (
        table["get_configs_from_pipeline_file"],
        table["create_pipeline_proto_from_configs"],
    )

    def read_with_patch(
        pipeline_config_path: str, config_override: Any = None
    ) -> dict[str, Any]:
        configs = read(pipeline_config_path, config_override=config_override)
        pipeline = read_pipeline(pipeline_config_path)
        patch = patch_of(pipeline)
        if patch is not None:
            configs[_KEY] = patch
        return configs

    def write_with_patch(configs: dict[str, Any]) -> Any:
        pipeline = write(configs)
        if _KEY in configs:
            pipeline.Extensions[_extension()].CopyFrom(configs[_KEY])
        return pipeline

    table["get_configs_from_pipeline_file"] = read_with_patch
    table["create_pipeline_proto_from_configs"] = write_with_patch
    try:
        yield
    finally:
        table["get_configs_from_pipeline_file"] = read
        table["create_pipeline_proto_from_configs"] = write


def _extension() -> Any:
    from object_detection_patch.protos import pipeline_extension_pb2

    return pipeline_extension_pb2.patch


def _merge(text: str, pipeline: Any, source: str) -> None:
    from google.protobuf import text_format

    try:
        text_format.Merge(text, pipeline)
        _refuse_overwritten(text, type(pipeline)())
    except text_format.ParseError as error:
        raise ValueError(
            "A pipeline.config must parse as TrainEvalPipelineConfig; a patch "
            "is written as `[object_detection_patch.patch] { ... }` with the "
            f"options of protos/patch.proto. Received: {source}: {error}."
        ) from error


def _refuse_overwritten(text: str, empty: Any) -> None:
    """Raises ParseError where the patch of `text` says a thing twice.

    `Merge` lets the second of two parts in one `part { }` replace the first
    without a word. Stock fields may do so, as in the OD API.
    """
    from google.protobuf import text_format

    try:
        text_format.Parse(text, empty)
    except text_format.ParseError as error:
        if '"object_detection_patch.' in str(error):
            raise

"""The model that a device trains, as it stands before and after."""

from __future__ import annotations

from typing import Any

from object_detection_patch.checkpoints import extract
from object_detection_patch.methods import presets
from object_detection_patch.od_api import base_model, pipeline_config
from object_detection_patch.training import patched_model

_PART = "mobile_tl"


def require_mobile_tl(pipeline: Any, path: str) -> Any:
    """The patch of a config; ValueError unless it is `mobile_tl` alone.

    Others train masks or gates, or all of the base, which is more than a
    phone holds.
    """
    config = pipeline_config.require_patch(pipeline, path)
    arms = [p.WhichOneof("part") for p in presets.resolve_parts(config)]
    beside = [f for f in ("fake_quantize", "grid") if config.HasField(f)]
    # Random heads that do not train are in no file that a device gives back.
    beside += ["freeze_heads"] * presets.freezes_heads(config)
    if arms != [_PART] or beside:
        raise ValueError(
            "Devices train the patch `[object_detection_patch.patch] { part { "
            f"{_PART} {{ ... }} }} }}`, with no other part, rounding or "
            "frozen heads beside it. Received: "
            f"{' with '.join([presets.method_name(config), *beside])} "
            f"({path})."
        )
    return config


def restored(pipeline: Any, path: str, checkpoint: str | None = None) -> Any:
    """The patched SSD of a config on its base, built for training.

    Args:
      path: of the config, for messages.
      checkpoint: of a training of the config, to take its values.

    Raises:
      ValueError: for a config without a base, or a base or checkpoint that
        does not fit.
    """
    config = require_mobile_tl(pipeline, path)
    model = patched_model.build_patched(
        pipeline.model, config, is_training=True
    )
    if checkpoint is not None:
        found = extract.find_checkpoint(checkpoint)
        extract.restore_all(model, found)
        model.patch.refuse_other_parts(found)
        return model
    train_config = pipeline.train_config
    if not train_config.fine_tune_checkpoint:
        raise ValueError(
            "A task trains on a base: `train_config.fine_tune_checkpoint` "
            f"must name its checkpoint. Received: none ({path})."
        )
    base_model.restore_base(
        model,
        model.patch.hosts,
        train_config.fine_tune_checkpoint,
        checkpoint_type=train_config.fine_tune_checkpoint_type,
    )
    model.patch.initialise()
    return model

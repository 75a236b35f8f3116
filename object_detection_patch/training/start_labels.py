"""Classes of the patch file that a training starts with."""

from __future__ import annotations

from typing import Any

from object_detection_patch.methods import start
from object_detection_patch.od_api import label_map, pipeline_config
from object_detection_patch.patch_file import LabelMapItem

_SHOWN = 5


def check(pipeline: Any) -> None:
    """Refuses to start with heads that know other classes.

    Args:
      pipeline: TrainEvalPipelineConfig, with or without a patch.

    Raises:
      ValueError: if `init_from_patch` has another label map than the readers.
    """
    config = pipeline_config.patch_of(pipeline)
    begun = start.of_config(config) if config is not None else None
    if begun is None:
        return
    items, path = label_map.common_label_map(pipeline)
    own = tuple(LabelMapItem(*item) for item in items)
    if begun.label_map != own:
        raise ValueError(
            "A training starts with a patch of its own classes, or its heads "
            "mean others. Received: "
            f"{_text(begun.label_map)} in {config.init_from_patch!r} "
            f"(init_from_patch), but {_text(own)} in {path!r} "
            "(label_map_path, pipeline.config)."
        )


def _text(items: tuple[LabelMapItem, ...]) -> str:
    names = [f"{item.id}: {item.name}" for item in items]
    more = ", ..." if len(names) > _SHOWN else ""
    return "{" + ", ".join(names[:_SHOWN]) + more + "}"

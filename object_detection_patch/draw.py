"""Draws what a model detects in photographs."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection_patch import pictures
from object_detection_patch.checkpoints import extract
from object_detection_patch.od_api import (
    base_model,
    evaluation,
    label_map,
    pipeline_config,
)
from object_detection_patch.training import patched_model


def draw(
    *,
    pipeline_config_path: str,
    checkpoint_dir: str,
    images: Sequence[str],
    output: str,
    min_score: float,
) -> int:
    """Writes one PNG sheet of the images with their detections.

    Args:
      pipeline_config_path: with or without a patch: a training's, a base's
        or a merged model's.
      checkpoint_dir: of that model; or the prefix of one checkpoint.
      images: paths or patterns of JPEG or PNG files.
      min_score: detections below are not drawn.

    Returns:
      How many images were drawn.

    Raises:
      ValueError: if no file matches or one is no RGB image; for a config or
        checkpoint that does not fit.
    """
    paths = _paths(images)
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    names = {
        number: shown
        for number, _, shown in label_map.common_label_map(pipeline)[0]
    }
    model = _restored(pipeline, checkpoint_dir)
    sheets = []
    for image in map(_read, paths):
        boxes, scores, classes = evaluation.detect_image(model, image)
        sheets.append(
            pictures.draw_detections(
                image, boxes, classes, scores, names, min_score=min_score
            )
        )
    pictures.save_png(
        output,
        pictures.side_by_side(
            [[sheet] for sheet in sheets],
            [os.path.basename(os.path.normpath(checkpoint_dir))],
            [os.path.basename(path) for path in paths],
        ),
    )
    return len(sheets)


def _paths(patterns: Sequence[str]) -> list[str]:
    paths = sorted({path for p in patterns for path in glob.glob(p)})
    if not paths:
        raise ValueError(
            "`--images` must match at least one JPEG or PNG file. Received: "
            f"{list(patterns)}."
        )
    return paths


def _read(path: str) -> np.ndarray:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            f"`--images` must be JPEG or PNG files. Received: {path}: {error}."
        ) from error


def _restored(pipeline: Any, checkpoint_dir: str) -> Any:
    patch = pipeline_config.patch_of(pipeline)
    path = extract.find_checkpoint(checkpoint_dir)
    base_model.check_patch_held(
        path, "--pipeline_config_path", patched=patch is not None
    )
    if patch is None:
        model = base_model.build_model(pipeline.model, is_training=False)
        extract.restore_all(model, path)
    else:
        model = patched_model.build_patched(pipeline.model, patch)
        extract.restore_all(model, path)
        model.patch.refuse_other_parts(path)
    return model

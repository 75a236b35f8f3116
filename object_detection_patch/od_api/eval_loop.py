"""The OD API's evaluation loop, hooked: what it found, at no second pass."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_COUNT = "num_groundtruth_boxes"
_FLAGS = ("difficult", "is_crowd", "group_of")
_FIELDS = (
    _COUNT,
    *(f"groundtruth_{name}" for name in ("boxes", "classes", *_FLAGS)),
    *(f"detection_{name}" for name in ("boxes", "scores", "classes")),
)


@dataclasses.dataclass(frozen=True)
class ComparedImage:
    """What is in one image and what a model found there.

    Boxes are [N, 4] float32 as ymin, xmin, ymax, xmax in pixels of the image
    as recorded; classes are integers from 1; flags are bool [N]. Fields are
    those of `evaluation.EvaluatedImage`, but for the image itself.
    """

    true_boxes: np.ndarray
    true_classes: np.ndarray
    difficult: np.ndarray
    is_crowd: np.ndarray
    group_of: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """One checkpoint, evaluated.

    Args:
      model: the evaluated SSDMetaArch, restored.
      pipeline: TrainEvalPipelineConfig, as the loop was given it.
      step: of the checkpoint.
      images: in the order of the loop.
      seen: what `within` of `around_evaluation` collected.
    """

    model: Any
    pipeline: Any
    step: int
    images: list[ComparedImage]
    seen: list[Any] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def in_inference_mode() -> Iterator[None]:
    """Within it every SSD evaluates with BatchNorm in inference mode.

    The OD API builds the model to evaluate as for training and resets the
    model's flag alone, so the box predictor would use batch statistics.
    """

    def evaluate(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        predictor = getattr(model, "_box_predictor", None)
        if predictor is not None:
            predictor._is_training = False  # noqa: SLF001
        return original(model, *args, **kwargs)

    with _replaced("eager_eval_loop", evaluate):
        yield


@contextlib.contextmanager
def around_evaluation(
    check: Callable[[Any], None],
    report: Callable[[Evaluation], None],
    within: Callable[[Any], contextlib.AbstractContextManager[list[Any]]]
    | None = None,
) -> Iterator[None]:
    """Within it each evaluation has `check(model)` before and `report` after.

    The report runs under the evaluation's summary writer.

    Args:
      within: of the model, what to evaluate it within; gives a list that the
        evaluation fills.
    """
    from object_detection.utils import config_util

    def evaluate(
        original: Any,
        model: Any,
        configs: dict[str, Any],
        *args: Any,
        global_step: Any = None,
        **kwargs: Any,
    ) -> Any:
        check(model)
        watching = within(model) if within else contextlib.nullcontext([])
        with _collected() as images, watching as seen:
            metrics = original(
                model, configs, *args, global_step=global_step, **kwargs
            )
        pipeline = config_util.create_pipeline_proto_from_configs(configs)
        report(Evaluation(model, pipeline, int(global_step), images, seen))
        return metrics

    with _replaced("eager_eval_loop", evaluate):
        yield


@contextlib.contextmanager
def _replaced(name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Within it the loop calls `function(original, ...)` for one of its own."""
    from object_detection import model_lib_v2

    original = getattr(model_lib_v2, name)
    setattr(model_lib_v2, name, functools.partial(function, original))
    try:
        yield
    finally:
        setattr(model_lib_v2, name, original)


@contextlib.contextmanager
def _collected() -> Iterator[list[ComparedImage]]:
    """Yields the list that the images of the loop go to."""
    images: list[ComparedImage] = []

    def prepare(original: Any, *args: Any, **kwargs: Any) -> Any:
        batch, class_agnostic = original(*args, **kwargs)
        images.extend(_compared(batch))
        return batch, class_agnostic

    with _replaced("prepare_eval_dict", prepare):
        yield images


def _compared(batch: dict[str, Any]) -> Iterator[ComparedImage]:
    arrays = {key: np.asarray(batch[key]) for key in _FIELDS if key in batch}
    for index in range(len(arrays[_COUNT])):
        yield _image({key: value[index] for key, value in arrays.items()})


def _image(fields: dict[str, np.ndarray]) -> ComparedImage:
    """One image without what pads it to the shape of others."""
    count = int(fields[_COUNT])
    found = fields["detection_scores"] > 0
    return ComparedImage(
        true_boxes=fields["groundtruth_boxes"][:count],
        true_classes=fields["groundtruth_classes"][:count],
        **{flag: _flags(fields, flag, count) for flag in _FLAGS},
        boxes=fields["detection_boxes"][found],
        scores=fields["detection_scores"][found],
        classes=fields["detection_classes"][found],
    )


def _flags(fields: dict[str, np.ndarray], name: str, count: int) -> np.ndarray:
    flags = fields.get(f"groundtruth_{name}", np.zeros(count))
    return flags[:count].astype(bool)

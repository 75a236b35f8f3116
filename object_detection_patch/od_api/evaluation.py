"""The evaluation loop's hook: correct mode, cost and gates in TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def in_inference_mode() -> Iterator[None]:
    """Within it every SSD evaluates with BatchNorm in inference mode.

    The OD API builds the model to evaluate as for training and resets the
    model's flag alone, so the box predictor would use batch statistics.
    """
    from object_detection import model_lib_v2

    original = model_lib_v2.eager_eval_loop

    def evaluate(detection_model: Any, *args: Any, **kwargs: Any) -> Any:
        predictor = getattr(detection_model, "_box_predictor", None)
        if predictor is not None:
            predictor._is_training = False  # noqa: SLF001
        return original(detection_model, *args, **kwargs)

    model_lib_v2.eager_eval_loop = evaluate
    try:
        yield
    finally:
        model_lib_v2.eager_eval_loop = original


@contextlib.contextmanager
def after_evaluation(
    report: Callable[[Any, dict[str, Any], Any], None],
) -> Iterator[None]:
    """Within it `report(model, metrics, step)` follows each evaluation.

    It runs under the evaluation's summary writer.
    """
    from object_detection import model_lib_v2

    original = model_lib_v2.eager_eval_loop

    def evaluate(
        detection_model: Any, *args: Any, global_step: Any = None, **kwargs: Any
    ) -> Any:
        metrics = original(
            detection_model, *args, global_step=global_step, **kwargs
        )
        report(detection_model, metrics, global_step)
        return metrics

    model_lib_v2.eager_eval_loop = evaluate
    try:
        yield
    finally:
        model_lib_v2.eager_eval_loop = original

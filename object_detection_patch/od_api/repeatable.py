"""Repeatable training with the Object Detection API's input pipeline."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch.keras_version import keras


@contextlib.contextmanager
def repeatable(seed: int | None) -> Iterator[None]:
    """Seeds everything; within it equal inputs give equal results on a CPU.

    None does nothing. TensorFlow's own `enable_op_determinism` is of no use
    here: it refuses the unseeded crops of the OD API's augmentation.
    """
    if seed is None:
        yield
        return
    keras.utils.set_random_seed(seed)
    with contextlib.ExitStack() as stack:
        for module, name, replacement in _replacements(seed):
            original = getattr(module, name)
            setattr(module, name, replacement(original))
            stack.callback(setattr, module, name, original)
        yield


def _replacements(
    seed: int,
) -> list[tuple[Any, str, Callable[[Any], Callable[..., Any]]]]:
    """What the input pipeline does out of order or without a seed."""
    tf1 = tf.compat.v1
    return [
        # TF1 functions do not see the global seed, and run in parallel,
        # which deals random numbers in any order.
        (tf1.data.Dataset, "map_with_legacy_function", _map_in_order),
        (tf1.data.experimental, "parallel_interleave", _in_order),
        # Without a seed of its own this operation ignores the global one.
        (
            tf1.image,
            "sample_distorted_bounding_box",
            functools.partial(_with_seed, seed),
        ),
    ]


def _map_in_order(original: Any) -> Callable[..., Any]:
    del original

    def map_in_order(
        dataset: Any,
        function: Callable[..., Any],
        num_parallel_calls: Any = None,
    ) -> Any:
        del num_parallel_calls
        # The OD API's input code is graph code already; converting all of it
        # takes longer than many a small training's steps.
        return dataset.map(tf.autograph.experimental.do_not_convert(function))

    return map_in_order


def _in_order(original: Callable[..., Any]) -> Callable[..., Any]:
    def interleave(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **(kwargs | {"sloppy": False}))

    return interleave


def _with_seed(seed: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def sample(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("seed"):
            # 0 would mean "no seed" to the operation.
            kwargs["seed"] = seed + 1
        return original(*args, **kwargs)

    return sample

"""What a training runs on: a TPU, all GPUs of the machine, or its cores."""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf


def strategy_scope(tpu: str | None) -> contextlib.AbstractContextManager[Any]:
    """The scope that the OD API's loop is to be called in.

    Args:
      tpu: name or address of a Cloud TPU; None for what the machine has.
    """
    if tpu is not None:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver).scope()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy().scope()
    return contextlib.nullcontext()

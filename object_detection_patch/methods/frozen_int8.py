"""A frozen kernel as an int8 base holds it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, fake_quantize
from object_detection_patch.patch_file import edits

BITS = 8


@keras.utils.register_keras_serializable("object_detection_patch")
class FrozenInt8(base.KernelPatch):
    """Rounds its host's kernel to int8, a scale an output channel.

    Nothing ships: an int8 base on a phone is rounded already.

    Args:
      kind: of the kernel, as in `HostKernel`.
    """

    def __init__(
        self, *, kind: str = hosts_lib.CONVOLUTION, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._kind = kind
        self.built = True

    def call(self, kernel: tf.Variable) -> tf.Tensor:
        frozen = tf.stop_gradient(tf.convert_to_tensor(kernel))
        return fake_quantize.rounded(frozen, kind=self._kind, bits=BITS)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"kind": self._kind}

    def edits(self, host: base.Host) -> list[edits.Edit]:
        return []

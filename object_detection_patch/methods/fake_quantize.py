"""Kernels as an int8 model will hold them, while they are still trained.

tensorflow-model-optimization wraps the layers of Sequential and functional
models only, and an OD API model is neither (its `quantize_model` refuses it;
tests/od_api/test_quantization_aware.py shows how). A patched model reads its
kernels through views, which is where rounding belongs.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostKernel
from object_detection_patch.protos import patch_pb2

_FEWEST_BITS, _MOST_BITS = 2, 8
# Below it a scale may be flushed to 0, and dividing by it gives NaN.
_LEAST_MAGNITUDE = 1e-30


@dataclasses.dataclass(frozen=True)
class FakeQuantizer:
    """Rounds kernels to `bits` bits, symmetrically, a scale a channel.

    scale = max |kernel| / (2^(bits-1) - 1) over an output channel; the same
    steps result after a BatchNorm has been folded into the kernel, which
    multiplies both. The gradient is that of the identity.

    Raises:
      ValueError: for fewer than 2 or more than 8 bits.
    """

    bits: int

    def __post_init__(self) -> None:
        if not _FEWEST_BITS <= self.bits <= _MOST_BITS:
            raise ValueError(
                "`fake_quantize.weight_bits` must lie in "
                f"[{_FEWEST_BITS}, {_MOST_BITS}]. Received: {self.bits} "
                "(pipeline.config)."
            )

    def __call__(self, kernel: tf.Tensor, host: HostKernel) -> tf.Tensor:
        return rounded(kernel, kind=host.kind, bits=self.bits)


def rounded(kernel: tf.Tensor, *, kind: str, bits: int) -> tf.Tensor:
    """A kernel (h, w, in, out) or (h, w, in, multiplier), rounded.

    Args:
      kind: of the kernel, as in `HostKernel`.
      bits: of a weight, 2 to 8.
    """
    most = 2.0 ** (bits - 1) - 1
    greatest = tf.reduce_max(
        tf.abs(kernel), within_channel(kind), keepdims=True
    )
    # A channel of zeros, or all but, has no scale and needs none.
    found = greatest > _LEAST_MAGNITUDE
    scale = tf.where(found, greatest, 1.0) / most
    on_grid = tf.round(kernel / scale) * scale
    return kernel + tf.stop_gradient(on_grid - kernel)


def within_channel(kind: str) -> list[int]:
    """Axes of a kernel over which weights belong to one output channel."""
    return [0, 1] if kind == hosts_lib.DEPTHWISE else [0, 1, 2]


def of_config(config: patch_pb2.Patch) -> FakeQuantizer | None:
    """The quantiser that a config asks for, or None."""
    if not config.HasField("fake_quantize"):
        return None
    return FakeQuantizer(config.fake_quantize.weight_bits)

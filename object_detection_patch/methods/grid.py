"""Numbers as a small file will hold them, while they are still trained.

patch_file/FORMAT.md, Grid, says which they are: value = lo + step * code, `lo`
and `step` a group, both float16. A patch that was trained so is written in few
bits without being rounded.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import tensorflow as tf

from object_detection_patch.hosts import DEPTHWISE, HostKernel
from object_detection_patch.methods import presets
from object_detection_patch.methods.fake_quantize import within_channel
from object_detection_patch.patch_file.encoding import depthwise_bits
from object_detection_patch.protos import patch_pb2

# The encoding `compact`, which keeps what was trained, has 6 at most.
_FEWEST_BITS, _MOST_BITS = 2, 6
# Above those of all parts.
_NUMBERS_OF_GRIDS = 10_000


@dataclasses.dataclass(frozen=True)
class Grid:
    """Bits of what ships on a grid; 0 where there is none.

    Args:
      batch_norm_bits: of every BatchNorm that trains.
      head_bits: of the heads' kernels.
      begin_step: steps before numbers are put there.

    Raises:
      ValueError: for other bits than 0 or 2 to 6.
    """

    batch_norm_bits: int = 0
    head_bits: int = 0
    begin_step: int = 0

    def __post_init__(self) -> None:
        for field in ("batch_norm_bits", "head_bits"):
            bits = getattr(self, field)
            if bits and not _FEWEST_BITS <= bits <= _MOST_BITS:
                raise ValueError(
                    f"`grid.{field}` must be 0 or lie in "
                    f"[{_FEWEST_BITS}, {_MOST_BITS}]. Received: {bits} "
                    "(pipeline.config, [object_detection_patch.patch])."
                )
        if self.begin_step and not (self.batch_norm_bits or self.head_bits):
            raise ValueError(
                "`grid.begin_step` needs `batch_norm_bits` or `head_bits`. "
                f"Received: {self.begin_step} without either "
                "(pipeline.config, [object_detection_patch.patch])."
            )

    @property
    def number(self) -> int:
        """What a checkpoint remembers of it; 0 for none."""
        bits = 10 * self.batch_norm_bits + self.head_bits
        return _NUMBERS_OF_GRIDS + bits if bits else 0


def name_of(number: int) -> str | None:
    """The grid of a `Grid.number`, for people; None for another number."""
    if number < _NUMBERS_OF_GRIDS:
        return None
    batch_norm_bits, head_bits = divmod(number - _NUMBERS_OF_GRIDS, 10)
    return f"grid of {batch_norm_bits} and {head_bits} bits"


@dataclasses.dataclass(frozen=True)
class GridQuantizer:
    """Puts kernels on a grid of 2^bits values a channel.

    Depthwise kernels, with few numbers a channel, have one finer grid for all
    (`Numbers`, `long_channel`).

    Args:
      begun: bool variable, whether training does so by now; None: always.
    """

    bits: int
    begun: tf.Variable | None = None

    def __call__(self, kernel: tf.Tensor, host: HostKernel) -> tf.Tensor:
        return if_begun(self.begun, self.shipped(kernel, host), kernel)

    def shipped(self, kernel: tf.Tensor, host: HostKernel) -> tf.Tensor:
        """The kernel on the grid, whatever training has reached."""
        if host.kind == DEPTHWISE:
            return on_grid(kernel, None, depthwise_bits(self.bits))
        return on_grid(kernel, within_channel(host.kind), self.bits)


def if_begun(
    begun: tf.Variable | None, on_grid: tf.Tensor, as_trained: tf.Tensor
) -> tf.Tensor:
    """The first once training puts numbers on the grid, till then the other.

    Args:
      begun: scalar bool; None for always.
    """
    return on_grid if begun is None else tf.where(begun, on_grid, as_trained)


def on_grid(
    values: tf.Tensor, axes: Sequence[int] | None, bits: int
) -> tf.Tensor:
    """The nearest of 2^bits values between the least and the greatest.

    Both ends are rounded as float16 rounds.

    Args:
      values: float32.
      axes: over which numbers are of one group; None for all.
      bits: of a code, at least 1.

    Returns:
      Like `values`; the gradient is that of the identity.
    """
    nearest = functools.partial(_nearest, axes=axes, bits=bits)
    rounded: tf.Tensor = tf.grad_pass_through(nearest)(values)
    return rounded


def _nearest(
    values: tf.Tensor, axes: Sequence[int] | None, bits: int
) -> tf.Tensor:
    levels = 2.0**bits - 1
    least = _half(tf.reduce_min(values, axes, keepdims=True))
    span = tf.reduce_max(values, axes, keepdims=True) - least
    step = _half(tf.maximum(span, 0.0) / levels)
    # Equal values have no step.
    codes = tf.round(tf.math.divide_no_nan(values - least, step))
    return least + step * tf.clip_by_value(codes, 0.0, levels)


def _half(values: tf.Tensor) -> tf.Tensor:
    """As a half grid stores it."""
    return tf.cast(tf.cast(values, tf.float16), tf.float32)


def of_config(config: patch_pb2.Patch) -> Grid:
    """The grid that a config asks for, or its preset has."""
    message = presets.grid(config)
    return Grid(message.batch_norm_bits, message.head_bits, message.begin_step)

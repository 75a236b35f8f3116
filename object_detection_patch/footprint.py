"""What a patch costs, counted from its edits as the SpotPatch paper counts.

A mask costs one bit a weight; every other number costs the width of the
model's numbers, 32 or 8 bits. The last layer of the class head, whose size
depends on the task's classes, is not counted, nor are BatchNorm statistics
(a patch ships them folded). Reference: SpotPatch, Ye et al., Tables 2 to 4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

from object_detection_patch.patch_file.edits import (
    MASKED,
    Edit,
    ScaleOffset,
    scalars,
)

Bits: TypeAlias = Literal[32, 8]
_WIDTHS = (32, 8)


@dataclasses.dataclass(frozen=True)
class BaseSize:
    """Counted parameters of a base model, in numbers.

    Args:
      kernels: weights of the kernels that a mask or gate can patch.
      batch_norm: gamma and beta of every BatchNorm.
      biases: of convolutions outside the heads.
      box_head: all of it.
      class_head_counted: the class head without its last layer.
    """

    kernels: int
    batch_norm: int
    biases: int
    box_head: int
    class_head_counted: int

    @property
    def total(self) -> int:
        return (
            self.kernels
            + self.batch_norm
            + self.biases
            + self.box_head
            + self.class_head_counted
        )


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Numbers that a patch holds.

    Args:
      mask_bits: weights under a mask.
      float_values: all other counted numbers: BatchNorms, single scales,
        kernels, box head and the counted part of the class head.
      class_head_values: uncounted numbers of the class head's last layer.
      open_kernels: kernels with a mask.
    """

    mask_bits: int
    float_values: int
    class_head_values: int
    open_kernels: int

    def nominal_bits(self, bits: Bits = 32) -> int:
        """Size of the counted numbers, floats being `bits` wide."""
        if bits not in _WIDTHS:
            raise ValueError(
                f"`bits` must be one of {_WIDTHS}, the widths of a model's "
                f"numbers. Received: {bits!r}."
            )
        return self.mask_bits + bits * self.float_values

    def fraction(self, base: BaseSize, bits: Bits = 32) -> float:
        """Share of the base model's size at the same width; 1.0 is all."""
        if base.total <= 0:
            raise ValueError(
                "A footprint is a share of a base model with parameters. "
                f"Received: {base}."
            )
        return self.nominal_bits(bits) / (bits * base.total)


def nominal_footprint(
    edits: Iterable[Edit], *, uncounted: Collection[str] = ()
) -> Footprint:
    """Counts a patch.

    Args:
      edits: a mask is one bit a weight, and 1 (`AddSigned`), 3
        (`AffineMask`) or no (`KeepMasked`) number besides; `ScaleOffset` is
        two numbers a channel; `Replace` and matrices are their size.
      uncounted: targets of the class head's last layer.
    """
    mask_bits = float_values = class_head_values = open_kernels = 0
    for edit in edits:
        numbers = _numbers(edit)
        if edit.target in uncounted:
            class_head_values += numbers
        else:
            float_values += numbers
        if isinstance(edit, MASKED):
            mask_bits += edit.mask.size
            open_kernels += 1
    return Footprint(mask_bits, float_values, class_head_values, open_kernels)


def _numbers(edit: Edit) -> int:
    """How many numbers of a model's width an edit holds."""
    if isinstance(edit, MASKED):
        return len(scalars(edit))
    if isinstance(edit, ScaleOffset):
        return edit.scale.size + edit.offset.size
    return edit.values.size

"""How a writer stores numbers: exactly, or smaller and a little rounded."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, TypeAlias

from object_detection_patch.patch_file import edits as edits_lib
from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file.adapter_edits import AdapterEdit
from object_detection_patch.patch_file.grid import Grid

ValueType: TypeAlias = Literal["float32", "float16", "grid", "half_grid"]
Compression: TypeAlias = Literal["none", "zlib", "planes"]
MaskCompression: TypeAlias = Literal["none", "zlib"]
Grouping: TypeAlias = Literal["tensor", "channel", "long_channel"]
# The fields of an Encoding that say something about numbers.
NumbersKind: TypeAlias = Literal[
    "batch_norm", "kernels", "box_head", "class_head"
]

VALUE_TYPES = {
    "float32": layout.FLOAT32,
    "float16": layout.FLOAT16,
    "grid": layout.GRID,
    "half_grid": layout.HALF_GRID,
}
COMPRESSIONS = {
    "none": layout.STORED,
    "zlib": layout.ZLIB,
    "planes": layout.PLANES,
}
MASK_COMPRESSIONS = ("none", "zlib")
GROUPINGS = ("tensor", "channel", "long_channel")
# Of codes of a whole depthwise kernel, beyond those of a channel's: nine
# numbers a channel do not pay for a `lo` and `step` of their own, and these
# do (benchmarks/README.md, Tried for COMPACT).
MORE_DEPTHWISE_BITS = 2


def check_choice(name: str, value: Any, known: Any) -> None:
    """Raises ValueError unless `value` is one of `known`."""
    if value not in known:
        raise ValueError(
            f"`{name}` must be one of {sorted(known)}. Received: "
            f"{errors.shown(value)}."
        )


@dataclasses.dataclass(frozen=True)
class Numbers:
    """How the numbers of one kind of edit are stored.

    Args:
      value_type: `float32` keeps them. `float16` rounds: 11 significant
        bits, from 6e-8 to 65504. `grid` spreads 2^bits values evenly over
        each group; a tensor that would not get smaller than its float32 so
        stays float32. `half_grid` is a grid whose own numbers are float16
        where that is exact enough (`grid.halved`).
      compression: `zlib`, or `planes`, zlib over sorted bytes; a grid has
        no bytes to sort and takes zlib for it. What does not shrink is not
        compressed.
      bits: of a code on the grid, 2 to 8; fewer for a tensor whose values
        all lie on a grid of fewer already.
      grouping: of a grid: the whole `tensor`, or each output `channel` of a
        kernel, its last axis (depthwise kernels: in x multiplier; matrices
        too: the last axis). `long_channel` is `channel` with one group for
        a whole depthwise kernel, whose codes have 2 bits more, 8 at most. A
        bias is one group in any case; a BatchNorm is two, scale and offset.

    Raises:
      ValueError: for a choice that there is not.
    """

    value_type: ValueType = "float32"
    compression: Compression = "none"
    bits: int = 8
    grouping: Grouping = "channel"

    def __post_init__(self) -> None:
        check_choice("value_type", self.value_type, VALUE_TYPES)
        check_choice("compression", self.compression, COMPRESSIONS)
        check_choice("grouping", self.grouping, GROUPINGS)
        widths = range(layout.MIN_GRID_BITS, layout.MAX_GRID_BITS + 1)
        check_choice("bits", self.bits, widths)

    def grid_of(self, edit: edits_lib.NumberEdit) -> Grid:
        """The grid on which an edit's numbers are put."""
        if isinstance(edit, edits_lib.ScaleOffset):
            return Grid(self.bits, inner=edit.scale.size, groups=2)
        if self.grouping == "tensor":
            return Grid(self.bits, inner=1, groups=1)
        if self.grouping == "long_channel" and _is_depthwise(edit):
            return Grid(depthwise_bits(self.bits), inner=1, groups=1)
        return Grid(self.bits, inner=1, groups=_channels(edit))


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How each kind of edit is stored; `kind_of` tells which is which.

    Single numbers, such as residual scales, are float32 always.

    Args:
      masks: compression of the bits.
      batch_norm: of BatchNorms outside the heads.
      kernels: of whole kernels, biases and matrices outside the heads.
      box_head, class_head: of all that is in the heads.
    """

    masks: MaskCompression = "none"
    batch_norm: Numbers = Numbers()
    kernels: Numbers = Numbers()
    box_head: Numbers = Numbers()
    class_head: Numbers = Numbers()

    def __post_init__(self) -> None:
        check_choice("masks", self.masks, MASK_COMPRESSIONS)

    def numbers_of(self, edit: edits_lib.NumberEdit) -> Numbers:
        """How the numbers of this edit are stored."""
        batch_norm = isinstance(edit, edits_lib.ScaleOffset)
        kind = kind_of(edit.target, batch_norm=batch_norm)
        numbers: Numbers = getattr(self, kind)
        return numbers


def kind_of(target: str, *, batch_norm: bool) -> NumbersKind:
    """The kind of an edit that holds numbers; heads come before all else."""
    place = edits_lib.place_of(target)
    if place == "box_head":
        return "box_head"
    if place == "class_head":
        return "class_head"
    return "batch_norm" if batch_norm else "kernels"


def uniform(numbers: Numbers, masks: MaskCompression = "none") -> Encoding:
    """The encoding that stores all numbers alike."""
    return Encoding(masks, numbers, numbers, numbers, numbers)


def depthwise_bits(bits: int) -> int:
    """Of codes of a depthwise kernel beside channels of `bits`."""
    return min(bits + MORE_DEPTHWISE_BITS, layout.MAX_GRID_BITS)


def _is_depthwise(edit: edits_lib.Replace | AdapterEdit) -> bool:
    return edit.target.endswith("/depthwise_kernel")


def _channels(edit: edits_lib.Replace | AdapterEdit) -> int:
    shape = edit.values.shape
    if len(shape) < 2:
        return 1
    if _is_depthwise(edit):
        return math.prod(shape[-2:])
    return shape[-1]


EXACT = Encoding()
_HALVES = Numbers("float16", "planes")
HALF = uniform(_HALVES, masks="zlib")
# Costs less than 0.1 points of mAP on average over six trained patches, and
# nothing smaller was steady: benchmarks/README.md, Encodings.
SMALL = dataclasses.replace(HALF, batch_norm=Numbers("grid", "zlib", bits=6))
# Fewer bits cost BatchNorms points, and so does one grid of so few for a whole
# head tensor: benchmarks/README.md, Compact.
_HEAD = Numbers("half_grid", "zlib", bits=6, grouping="long_channel")
COMPACT = dataclasses.replace(
    SMALL,
    batch_norm=Numbers("half_grid", "zlib", bits=6),
    box_head=_HEAD,
    class_head=_HEAD,
)

ENCODINGS = {
    "exact": EXACT,
    "half": HALF,
    "small": SMALL,
    "compact": COMPACT,
}
"""By the names that command lines and reports use."""

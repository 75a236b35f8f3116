"""The closed set of edits, and what each does to a tensor of the base.

Arithmetic is float32, in the order in which the formulas are written, every
operation rounded on its own (no fused multiply-add): another implementation
that does the same gets the same bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from object_detection_patch.patch_file import adapter_edits, errors
from object_detection_patch.patch_file.adapter_edits import (
    ADAPTERS,
    AdapterEdit,
)
from object_detection_patch.patch_file.by_value import (
    ByValue,
    constant_floats,
    constant_mask,
    set_field,
    single,
)

# Heads belong to a task: they may be absent from the base or of other shape.
HEAD_PLACES = ("box_head", "class_head")
# Of what chooses blocks for each image, and of the copies of base tensors that
# the chosen blocks use: slots, which a routing base has beside its own tensors.
POLICY_PREFIX = "policy/"
TUNED_PREFIX = "tuned/"
# How likely the random policy takes each block tuned.
SHARES = f"{POLICY_PREFIX}shares"
# Numbers looked at together where a look takes memory.
_BLOCK = 2**16


@dataclasses.dataclass(frozen=True, eq=False)
class Replace(ByValue):
    """W' = values, float32 of any shape; all that heads ever need."""

    target: str
    values: np.ndarray

    def __post_init__(self) -> None:
        set_field(self, "values", constant_floats(self.values))


@dataclasses.dataclass(frozen=True, eq=False)
class AddSigned(ByValue):
    """W' = W + scale (1 - 2 mask): SpotPatch, Eq. 4, scale being g * w.

    `mask` is bool and has the shape of W; `scale` is rounded to float32.
    """

    target: str
    mask: np.ndarray
    scale: float

    def __post_init__(self) -> None:
        set_field(self, "mask", constant_mask(self.target, self.mask))
        set_field(self, "scale", single(self.scale))


@dataclasses.dataclass(frozen=True, eq=False)
class AffineMask(ByValue):
    """W' = (k0 W + k1) + k2 mask: WeightTrans; `mask` as in AddSigned."""

    target: str
    mask: np.ndarray
    k0: float
    k1: float
    k2: float

    def __post_init__(self) -> None:
        set_field(self, "mask", constant_mask(self.target, self.mask))
        for name in ("k0", "k1", "k2"):
            set_field(self, name, single(getattr(self, name)))


@dataclasses.dataclass(frozen=True, eq=False)
class KeepMasked(ByValue):
    """W' = W where mask, else +0: Piggyback; `mask` as in AddSigned."""

    target: str
    mask: np.ndarray

    def __post_init__(self) -> None:
        set_field(self, "mask", constant_mask(self.target, self.mask))


@dataclasses.dataclass(frozen=True, eq=False)
class ScaleOffset(ByValue):
    """gamma' = scale, beta' = offset, both float32 (channels,).

    `target` names a BatchNorm; it writes `target`/gamma and `target`/beta.
    The base's moving statistics stay, scale and offset being folded onto
    them.
    """

    target: str
    scale: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        set_field(self, "scale", constant_floats(self.scale))
        set_field(self, "offset", constant_floats(self.offset))


MaskEdit: TypeAlias = AddSigned | AffineMask | KeepMasked
# What is stored as numbers, not as bits.
NumberEdit: TypeAlias = Replace | ScaleOffset | AdapterEdit
Edit: TypeAlias = MaskEdit | NumberEdit
MASKED = (AddSigned, AffineMask, KeepMasked)


def scalars(edit: Edit) -> tuple[float, ...]:
    """The single numbers of a mask edit, in the order of its fields."""
    if isinstance(edit, AddSigned):
        return (edit.scale,)
    if isinstance(edit, AffineMask):
        return (edit.k0, edit.k1, edit.k2)
    return ()


def tensors_of(edit: Edit) -> tuple[str, ...]:
    """Names of the tensors that an edit writes to."""
    if isinstance(edit, ScaleOffset):
        return (f"{edit.target}/gamma", f"{edit.target}/beta")
    return (edit.target,)


def place_of(target: str) -> str:
    """The first segment of a target: backbone, fpn, tower, or a head."""
    return target.split("/", 1)[0]


def is_slot(target: str) -> bool:
    """Whether a name is of a tensor that only routing bases have."""
    return target.startswith((POLICY_PREFIX, TUNED_PREFIX))


def routing_hint(target: str, *, routes: bool = False) -> str:
    """What to do about an edit of a slot that a base lacks; empty for others.

    Starts with a space, to follow the sentence that names the target.

    Args:
      routes: whether the base is a routing base.
    """
    if not is_slot(target):
        return ""
    if target == SHARES:
        return (
            " Chance chooses blocks in this patch, which is for comparisons; "
            "no .tflite does."
        )
    if routes:
        return (
            " The patch's policy, or its backbone, is of another size than "
            "this routing base's: `od-patch export-base --routing "
            "--policy_blocks N --policy_channels N` makes one that fits."
        )
    return (
        " The patch chooses blocks for each image, which an ordinary base "
        "cannot: publish it for a routing base (`od-patch export-base "
        "--routing`), or train it with `instance_routing.global_blocks`."
    )


def check_edits(edits: Iterable[Edit]) -> None:
    """Raises PatchFileError unless the edits may stand in a file together.

    Not done when an edit is built, since training asks for edits (their
    sizes) before their numbers are final.
    """
    written: set[str] = set()
    for edit in edits:
        _check_numbers(edit)
        for name in tensors_of(edit):
            if name in written:
                raise errors.DuplicateTargetError(
                    "Each tensor may be edited once in a patch. Received: "
                    f"{errors.shown(name)} twice."
                )
            written.add(name)


def all_finite(values: np.ndarray | float) -> bool:
    """Whether no number is NaN or infinite, told in little memory."""
    flat = np.asarray(values).reshape(-1)
    blocks = range(0, flat.size, _BLOCK)
    return all(np.isfinite(flat[at : at + _BLOCK]).all() for at in blocks)


def apply_edits(
    base: Mapping[str, np.ndarray], edits: Iterable[Edit]
) -> dict[str, np.ndarray]:
    """New float32 tensors for the edited ones; `base` stays as it is.

    Raises:
      PatchFileError: if the base lacks a target or has it in another shape
        (values for `box_head/` and `class_head/` may be either), two edits
        write to one tensor, or a number is or becomes NaN or infinite.
    """
    edits = tuple(edits)
    check_edits(edits)
    return {
        name: _finite(name, value)
        for edit in edits
        for name, value in _applied(base, edit)
    }


def _applied(
    base: Mapping[str, np.ndarray], edit: Edit
) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(edit, ScaleOffset):
        gamma, beta = tensors_of(edit)
        yield gamma, _replacement(base, gamma, edit.scale)
        yield beta, _replacement(base, beta, edit.offset)
    elif isinstance(edit, Replace):
        yield edit.target, _replacement(base, edit.target, edit.values)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            yield edit.target, _changed(base, edit)


def _replacement(
    base: Mapping[str, np.ndarray], name: str, values: np.ndarray
) -> np.ndarray:
    if place_of(name) not in HEAD_PLACES:
        _check_target(base, name, values)
    return values.copy()


def _changed(
    base: Mapping[str, np.ndarray], edit: MaskEdit | AdapterEdit
) -> np.ndarray:
    if isinstance(edit, ADAPTERS):
        _check_adapter(base, edit)
        kernel = np.asarray(base[edit.target], dtype=np.float32)
        return adapter_edits.adapted(kernel, edit)
    _check_target(base, edit.target, edit.mask)
    return _masked(np.asarray(base[edit.target], dtype=np.float32), edit)


def _masked(kernel: np.ndarray, edit: MaskEdit) -> np.ndarray:
    zero = np.float32(0)
    if isinstance(edit, KeepMasked):
        return np.where(edit.mask, kernel, zero)
    if isinstance(edit, AddSigned):
        scale = np.float32(edit.scale)
        return kernel + np.where(edit.mask, -scale, scale)
    scaled = np.float32(edit.k0) * kernel + np.float32(edit.k1)
    return scaled + np.where(edit.mask, np.float32(edit.k2), zero)


def _shape_in(base: Mapping[str, np.ndarray], name: str) -> tuple[int, ...]:
    if name not in base:
        raise errors.MissingTargetError(
            "A patch may edit only tensors that the base model has. "
            f"Received: an edit of {errors.shown(name)}.{routing_hint(name)}"
        )
    return np.shape(base[name])


def _check_adapter(base: Mapping[str, np.ndarray], edit: AdapterEdit) -> None:
    shape = _shape_in(base, edit.target)
    if not adapter_edits.fits(edit, shape):
        raise errors.TargetShapeError(
            f"{type(edit).__name__} of {errors.shown(edit.target)} must fit "
            f"the base tensor, a kernel of shape {errors.shown(shape)} "
            "(FORMAT.md, Matrices). Received: values of shape "
            f"{errors.shown(edit.values.shape)}."
        )


def _check_target(
    base: Mapping[str, np.ndarray], name: str, value: np.ndarray
) -> None:
    found = _shape_in(base, name)
    if found != value.shape:
        raise errors.TargetShapeError(
            f"An edit of {errors.shown(name)} must have the base tensor's "
            f"shape, {errors.shown(found)}. Received: "
            f"{errors.shown(value.shape)}."
        )


def _finite(name: str, value: np.ndarray) -> np.ndarray:
    if not all_finite(value):
        raise errors.NotFiniteError(
            "An edited tensor must hold finite float32 numbers. Received: "
            f"NaN or Inf in {errors.shown(name)}; the base holds them or is "
            "too large."
        )
    return value


def _check_numbers(edit: Edit) -> None:
    for field in dataclasses.fields(edit):
        value = getattr(edit, field.name)
        if field.name in ("target", "mask"):
            continue
        if not all_finite(value):
            raise errors.NotFiniteError(
                "The numbers of an edit must be finite. Received: NaN or Inf "
                f"in `{field.name}` of {errors.shown(edit.target)}."
            )
    if isinstance(edit, AddSigned) and edit.scale == 0:
        raise errors.ScaleError(
            "The residual scale of an open gate must not be 0; leave the "
            f"edit out instead. Received: 0.0 for {errors.shown(edit.target)}."
        )
    if isinstance(edit, ScaleOffset) and (
        edit.scale.ndim != 1 or edit.scale.shape != edit.offset.shape
    ):
        raise errors.ShapeError(
            "`scale` and `offset` of a BatchNorm must both have shape "
            f"(channels,). Received: {errors.shown(edit.scale.shape)} and "
            f"{errors.shown(edit.offset.shape)} for "
            f"{errors.shown(edit.target)}."
        )

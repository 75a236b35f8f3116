"""The closed set of edits, and what each does to a tensor of the base.

Arithmetic is float32, in the order in which the formulas are written, every
operation rounded on its own (no fused multiply-add): another implementation
that does the same gets the same bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from object_detection_patch.patch_file import errors

# Heads belong to a task: they may be absent from the base or of other shape.
HEAD_PLACES = ("box_head", "class_head")
# Numbers looked at together where a look takes memory.
_BLOCK = 2**16


class _ByValue:
    """Equality of dataclasses that hold arrays."""

    target: str

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(mine, its)
            for mine, its in zip(_values(self), _values(other), strict=True)
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.target))


@dataclasses.dataclass(frozen=True, eq=False)
class Replace(_ByValue):
    """W' = values, float32 of any shape; all that heads ever need."""

    target: str
    values: np.ndarray

    def __post_init__(self) -> None:
        _set(self, "values", _floats(self.values))


@dataclasses.dataclass(frozen=True, eq=False)
class AddSigned(_ByValue):
    """W' = W + scale (1 - 2 mask): SpotPatch, Eq. 4, scale being g * w.

    `mask` is bool and has the shape of W; `scale` is rounded to float32.
    """

    target: str
    mask: np.ndarray
    scale: float

    def __post_init__(self) -> None:
        _set(self, "mask", _mask(self.target, self.mask))
        _set(self, "scale", _single(self.scale))


@dataclasses.dataclass(frozen=True, eq=False)
class AffineMask(_ByValue):
    """W' = (k0 W + k1) + k2 mask: WeightTrans; `mask` as in AddSigned."""

    target: str
    mask: np.ndarray
    k0: float
    k1: float
    k2: float

    def __post_init__(self) -> None:
        _set(self, "mask", _mask(self.target, self.mask))
        for name in ("k0", "k1", "k2"):
            _set(self, name, _single(getattr(self, name)))


@dataclasses.dataclass(frozen=True, eq=False)
class KeepMasked(_ByValue):
    """W' = W where mask, else +0: Piggyback; `mask` as in AddSigned."""

    target: str
    mask: np.ndarray

    def __post_init__(self) -> None:
        _set(self, "mask", _mask(self.target, self.mask))


@dataclasses.dataclass(frozen=True, eq=False)
class ScaleOffset(_ByValue):
    """gamma' = scale, beta' = offset, both float32 (channels,).

    `target` names a BatchNorm; it writes `target`/gamma and `target`/beta.
    The base's moving statistics stay, scale and offset being folded onto
    them.
    """

    target: str
    scale: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        _set(self, "scale", _floats(self.scale))
        _set(self, "offset", _floats(self.offset))


Edit: TypeAlias = Replace | AddSigned | AffineMask | KeepMasked | ScaleOffset
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
        _check_target(base, edit.target, edit.mask)
        kernel = np.asarray(base[edit.target], dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            yield edit.target, _masked(kernel, edit)


def _replacement(
    base: Mapping[str, np.ndarray], name: str, values: np.ndarray
) -> np.ndarray:
    if place_of(name) not in HEAD_PLACES:
        _check_target(base, name, values)
    return values.copy()


def _masked(
    kernel: np.ndarray, edit: AddSigned | AffineMask | KeepMasked
) -> np.ndarray:
    zero = np.float32(0)
    if isinstance(edit, KeepMasked):
        return np.where(edit.mask, kernel, zero)
    if isinstance(edit, AddSigned):
        scale = np.float32(edit.scale)
        return kernel + np.where(edit.mask, -scale, scale)
    scaled = np.float32(edit.k0) * kernel + np.float32(edit.k1)
    return scaled + np.where(edit.mask, np.float32(edit.k2), zero)


def _check_target(
    base: Mapping[str, np.ndarray], name: str, value: np.ndarray
) -> None:
    if name not in base:
        raise errors.MissingTargetError(
            "A patch may edit only tensors that the base model has. "
            f"Received: an edit of {errors.shown(name)}."
        )
    found = np.shape(base[name])
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


def _values(edit: Any) -> list[Any]:
    return [getattr(edit, field.name) for field in dataclasses.fields(edit)]


def _set(edit: Any, name: str, value: Any) -> None:
    # The way to set a field of a frozen dataclass while it is being built.
    object.__setattr__(edit, name, value)


def _is_constant(values: Any, dtype: type[np.generic]) -> bool:
    """Whether it can be kept as it is, nobody holding a way to change it."""
    if type(values) is not np.ndarray or values.dtype != dtype:
        return False
    if not values.flags.c_contiguous:
        return False
    owner: Any = values
    while isinstance(owner, np.ndarray) and not owner.flags.writeable:
        owner = owner.base
    return owner is None


def _floats(values: Any) -> np.ndarray:
    if _is_constant(values, np.float32):
        return values
    with np.errstate(over="ignore"):
        copied = np.array(values, dtype=np.float32, order="C")
    copied.flags.writeable = False
    return copied


def _mask(target: str, mask: Any) -> np.ndarray:
    if _is_constant(mask, np.bool_):
        return mask
    copied = np.array(mask, order="C")
    if copied.dtype != np.bool_:
        raise TypeError(
            "A mask must be an array of bool. Received: "
            f"{copied.dtype} for {errors.shown(target)}."
        )
    copied.flags.writeable = False
    return copied


def _single(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))

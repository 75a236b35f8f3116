"""Whether the edits of a patch fit the tensors of a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from object_detection_patch.patch_file import Replace, ScaleOffset
from object_detection_patch.patch_file.adapter_edits import ADAPTERS, fits
from object_detection_patch.patch_file.edits import (
    HEAD_PLACES,
    MASKED,
    Edit,
    is_slot,
    place_of,
    routing_hint,
)
from object_detection_patch.patch_file.errors import shown
from object_detection_patch.tflite.errors import (
    MissingHeadError,
    UnfitEditError,
)
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    Kernel,
    Sidecar,
)


def checked_edits(
    sidecar: Sidecar, edits: Sequence[Edit], classes: int
) -> dict[str, Edit]:
    """The edits by their targets: check 4 of FORMAT.md.

    A patch may hold two edits of one name, of a BatchNorm and of a tensor.
    Only one of them fits the base, so that none is lost here.

    Args:
      classes: of the task.

    Raises:
      UnfitEditError: for an edit that fits no tensor of the base.
      MissingHeadError: if the patch leaves out what only it can give.
    """
    shapes = _Shapes(sidecar, classes)
    for edit in edits:
        _check_edit(shapes, edit, classes)
    by_target = {edit.target: edit for edit in edits}
    _check_heads(sidecar, by_target)
    if classes != sidecar.classes:
        _check_class_tensors(sidecar, by_target)
    return by_target


class _Shapes:
    """The shapes that edits must have, for one number of classes."""

    def __init__(self, sidecar: Sidecar, classes: int) -> None:
        self._norms = {norm.name: (norm.channels,) for norm in sidecar.norms}
        self._biases = {
            bias.name: (len(bias.values),) for bias in sidecar.biases
        }
        self._kernels = {}
        self._convolutions = set()
        for kernel in sidecar.kernels:
            sized = kernel.for_classes(classes)
            self._kernels[kernel.name] = sized.shape
            if kernel.form == CONVOLUTION:
                self._convolutions.add(kernel.name)
            for name in _bias_tensors(sidecar, kernel):
                self._biases[name] = (sized.channels,)

        # Whether the base has slots for routing.
        self.routes = any(map(is_slot, self._kernels))

    def wanted(self, edit: Edit) -> tuple[int, ...] | None:
        """None if nothing of that name takes this kind of edit."""
        if isinstance(edit, ScaleOffset):
            return self._norms.get(edit.target)
        if isinstance(edit, Replace) and edit.target in self._biases:
            return self._biases[edit.target]
        if isinstance(edit, ADAPTERS) and (
            edit.target not in self._convolutions
        ):
            return None
        return self._kernels.get(edit.target)


def _check_edit(shapes: _Shapes, edit: Edit, classes: int) -> None:
    wanted = shapes.wanted(edit)
    hint = routing_hint(edit.target, routes=shapes.routes)
    if wanted is None:
        raise UnfitEditError(
            "An edit must name a tensor of the published base, by a kind "
            f"that fits it. Received: {type(edit).__name__} of "
            f"{shown(edit.target)}.{hint}"
        )
    if not _has_shape(edit, wanted):
        rule = "fit a kernel of" if isinstance(edit, ADAPTERS) else "have"
        raise UnfitEditError(
            f"An edit of {shown(edit.target)} must {rule} shape {wanted} for "
            f"{classes} classes. Received: {shown(_shape(edit))}.{hint}"
        )


def _has_shape(edit: Edit, wanted: tuple[int, ...]) -> bool:
    if isinstance(edit, ADAPTERS):
        return fits(edit, wanted)
    return _shape(edit) == wanted


def _shape(edit: Edit) -> tuple[int, ...]:
    if isinstance(edit, ScaleOffset):
        return edit.scale.shape
    if isinstance(edit, MASKED):
        return edit.mask.shape
    return edit.values.shape


def _check_heads(sidecar: Sidecar, edits: Mapping[str, Edit]) -> None:
    names = [kernel.name for kernel in sidecar.kernels]
    names += [bias.name for bias in sidecar.biases]
    absent = [
        name
        for name in names
        if place_of(name) in HEAD_PLACES and not _is_replaced(edits, name)
    ]
    if absent:
        more = f" and {len(absent) - 1} more" if absent[1:] else ""
        raise MissingHeadError(
            "A patch must replace every tensor of its heads. Received: one "
            f"without {shown(absent[0])}{more}."
        )


def _check_class_tensors(sidecar: Sidecar, edits: Mapping[str, Edit]) -> None:
    """What has another size with other classes must come from the patch."""
    for kernel in sidecar.kernels:
        if not kernel.class_factor:
            continue
        for name in (kernel.name, *_bias_tensors(sidecar, kernel)):
            if not _is_replaced(edits, name):
                raise MissingHeadError(
                    "A patch of another number of classes must replace every "
                    "tensor that depends on it. Received: one without "
                    f"{shown(name)}."
                )


def _bias_tensors(sidecar: Sidecar, kernel: Kernel) -> list[str]:
    """Names of the bias tensors of a kernel's operations, each once."""
    indices = {operation.tensor for operation in kernel.operations()}
    return sorted(
        sidecar.biases[index].name for index in indices if index is not None
    )


def _is_replaced(edits: Mapping[str, Edit], name: str) -> bool:
    return isinstance(edits.get(name), Replace)

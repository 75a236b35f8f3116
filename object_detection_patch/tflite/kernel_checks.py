"""What must hold for the kernels of a sidecar and what they refer to."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    DEPTHWISE,
    INT8,
    Copy,
    Kernel,
    Operation,
    Sidecar,
    vector_sizes,
)


def check_kernels(sidecar: Sidecar) -> None:
    """Raises SidecarError for a rule that a kernel breaks."""
    for kernel in sidecar.kernels:
        _check_kernel(sidecar, kernel)
        for copy in kernel.copies:
            _check_copy(sidecar, kernel, copy)
        _check_sizes(sidecar, kernel)
    _check_uses(sidecar)
    _check_bias_tensors(sidecar)


def _check_kernel(sidecar: Sidecar, kernel: Kernel) -> None:
    require(
        kernel.form in (CONVOLUTION, DEPTHWISE),
        "a kernel's form must be 0 or 1",
        kernel.form,
    )
    require(
        kernel.size <= limits.MAX_ELEMENTS,
        f"a kernel may have {limits.MAX_ELEMENTS} weights",
        kernel.shape,
    )
    require(
        not kernel.class_factor
        or kernel.form == CONVOLUTION
        and kernel.for_classes(sidecar.classes).shape == kernel.shape,
        "a kernel with a class factor must be a convolution whose last "
        "dimension is factor * (classes + addend)",
        (kernel.name, kernel.shape),
    )


def _check_copy(sidecar: Sidecar, kernel: Kernel, copy: Copy) -> None:
    _check_precision(sidecar, kernel, copy.scales, copy.zero_points)
    if copy.norm is not None:
        require(
            not kernel.class_factor,
            "a kernel with a class factor has no norm",
            kernel.name,
        )
        _check_channels(kernel, sidecar.norms[copy.norm].channels)
    for operation in copy.operations:
        _check_precision(
            sidecar,
            kernel,
            operation.bias_scales,
            operation.bias_zero_points,
            operation.activation,
        )
        if operation.tensor is not None:
            require(
                copy.norm is None,
                "a norm and a bias tensor must not meet in one operation",
                kernel.name,
            )
            _check_channels(
                kernel, len(sidecar.biases[operation.tensor].values)
            )


def _check_precision(
    sidecar: Sidecar, kernel: Kernel, *references: int | None
) -> None:
    is_int8 = sidecar.precision == INT8
    require(
        all((entry is not None) == is_int8 for entry in references),
        "scales, zero points and activations are given in int8 models, and "
        "in no others",
        kernel.name,
    )


def _check_channels(kernel: Kernel, size: int) -> None:
    require(
        size == kernel.channels,
        "norm and bias must have the channels of their kernel",
        (kernel.name, size, kernel.channels),
    )


def _check_sizes(sidecar: Sidecar, kernel: Kernel) -> None:
    sizes = vector_sizes(kernel, sidecar.precision)
    for index, (item_bytes, items) in sizes.items():
        vector = sidecar.vectors[index]
        require(
            (vector.item_bytes, vector.items) == (item_bytes, items),
            f"a vector must have the size that its use requires, {items} "
            f"items of {item_bytes}",
            (kernel.name, vector.items, vector.item_bytes),
        )


def _check_uses(sidecar: Sidecar) -> None:
    used: dict[int, Hashable] = {}
    if sidecar.metadata_vector is not None:
        used[sidecar.metadata_vector] = "metadata"
    for kernel in sidecar.kernels:
        for number, copy in enumerate(kernel.copies):
            for index, use in _uses(sidecar, kernel, number, copy):
                require(
                    used.setdefault(index, use) == use,
                    "each vector has one use",
                    index,
                )


def _uses(
    sidecar: Sidecar, kernel: Kernel, number: int, copy: Copy
) -> Iterator[tuple[int, Hashable]]:
    """(vector, what it is used for): equal uses may share a vector."""
    at = (kernel.name, number)
    for kind in ("weights", "scales", "zero_points"):
        index = getattr(copy, kind)
        if index is not None:
            yield index, (at, kind)
    for place, operation in enumerate(copy.operations):
        use = _bias_use(sidecar, copy, operation, (at, place, "bias"))
        yield operation.bias, (use, _class_rule(kernel))
        for kind in ("bias_scales", "bias_zero_points"):
            index = getattr(operation, kind)
            if index is not None:
                yield index, (at, place, kind)


def _bias_use(
    sidecar: Sidecar, copy: Copy, operation: Operation, own: Hashable
) -> Hashable:
    """What a bias holds; in int8, steps of a scale of its own, or zeros."""
    if copy.norm is None and operation.tensor is None:
        return "zeros"
    if sidecar.precision == INT8:
        return own
    return ("bias", copy.norm, operation.tensor)


def _check_bias_tensors(sidecar: Sidecar) -> None:
    rules: dict[int, tuple[int, int]] = {}
    for kernel in sidecar.kernels:
        rule = _class_rule(kernel)
        for operation in kernel.operations():
            tensor = operation.tensor
            require(
                tensor is None or rules.setdefault(tensor, rule) == rule,
                "kernels that share a bias must depend on the classes alike",
                kernel.name,
            )


def _class_rule(kernel: Kernel) -> tuple[int, int]:
    return kernel.class_factor, kernel.class_addend

"""What each vector of the result holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

import numpy as np

from object_detection_patch.patch_file import Patch, Release
from object_detection_patch.tflite import arithmetic, quantisation
from object_detection_patch.tflite.fit import Fit
from object_detection_patch.tflite.layout import base_places
from object_detection_patch.tflite.sidecar import (
    INT8,
    Copy,
    Kernel,
    Operation,
    Sidecar,
)

_ZERO_POINT_BYTES = 8

_Data: TypeAlias = bytes | memoryview
_Maker: TypeAlias = Callable[[], _Data]


class Contents:
    """The bytes of each vector, computed when they are asked for."""

    def __init__(
        self, base: memoryview, sidecar: Sidecar, patch: Patch, fit: Fit
    ) -> None:
        self._numbers = _Numbers(base, sidecar, fit)
        kind = _Int8Copy if sidecar.precision == INT8 else _FloatCopy
        self._makers: dict[int | None, _Maker] = {}
        for kernel in sidecar.kernels:
            kernel = kernel.for_classes(fit.classes)
            for copy in kernel.copies:
                self._makers.update(kind(self._numbers, kernel, copy).makers())
        if patch.model_metadata:
            self._makers[sidecar.metadata_vector] = lambda: patch.model_metadata

    def data(self, vector: int) -> _Data:
        """The items of a vector.

        Raises:
          NumberError: if a number there would not be finite.
        """
        maker = self._makers.get(vector)
        return self._numbers.kept_data(vector) if maker is None else maker()


class _Numbers:
    """What base and patch together say of one task."""

    def __init__(self, base: memoryview, sidecar: Sidecar, fit: Fit) -> None:
        self._base = base
        self._sidecar = sidecar
        self._fit = fit
        self._places = base_places(sidecar)
        self._folds: dict[int, arithmetic.Fold] = {}
        self.precision = sidecar.precision

    def kept_data(self, vector: int) -> _Data:
        """The base's at the task's input size, of what no kernel uses."""
        size = self._fit.size
        if size is None or vector not in size.contents:
            return self.base_data(vector)
        return size.contents[vector]

    def base_data(self, vector: int) -> memoryview:
        place = self._places[vector]
        return self._base[place.start : place.end]

    def edit(self, kernel: Kernel) -> arithmetic.KernelEdit | None:
        return self._fit.kernel_edit(kernel.name)

    def is_norm_edited(self, copy: Copy) -> bool:
        if copy.norm is None:
            return False
        name = self._sidecar.norms[copy.norm].name
        return self._fit.norm_edit(name) is not None

    def fold(self, kernel: Kernel, copy: Copy) -> arithmetic.Fold:
        if copy.norm is None:
            return arithmetic.no_fold(kernel.channels)
        if copy.norm not in self._folds:
            norm = self._sidecar.norms[copy.norm]
            edit = self._fit.norm_edit(norm.name)
            self._folds[copy.norm] = arithmetic.fold_norm(norm, edit)
        return self._folds[copy.norm]

    def offset(
        self, kernel: Kernel, copy: Copy, operation: Operation
    ) -> np.ndarray:
        """b', float32 (channels,)."""
        if operation.tensor is None:
            return self.fold(kernel, copy).offset
        bias = self._sidecar.biases[operation.tensor]
        new = self._fit.new_bias(bias.name)
        return bias.values if new is None else new

    def input_scale(self, operation: Operation) -> np.float32:
        """a, of the activation that an operation of an int8 model reads."""
        # `fit` and `check_sidecar` have seen to it that both are there.
        release = cast(Release, self._fit.release)
        activation = cast(int, operation.activation)
        return np.float32(release.activations[activation][0])


class _FloatCopy:
    """A copy of a kernel in a model of floats."""

    def __init__(self, numbers: _Numbers, kernel: Kernel, copy: Copy) -> None:
        self._numbers = numbers
        self._kernel = kernel
        self._copy = copy

    def makers(self) -> Iterator[tuple[int, _Maker]]:
        yield self._copy.weights, self._weights
        for operation in self._copy.operations:
            yield operation.bias, functools.partial(self._bias, operation)

    def _weights(self) -> _Data:
        numbers, kernel = self._numbers, self._kernel
        base = numbers.base_data(self._copy.weights)
        edit = numbers.edit(kernel)
        if edit is None and not numbers.is_norm_edited(self._copy):
            return base
        patched = arithmetic.patched_weights(
            kernel.name,
            arithmetic.loaded_float(base, numbers.precision),
            edit,
            numbers.fold(kernel, self._copy),
            kernel.form,
        )
        return self._stored(patched)

    def _bias(self, operation: Operation) -> bytes:
        return self._stored(
            self._numbers.offset(self._kernel, self._copy, operation)
        )

    def _stored(self, values: np.ndarray) -> bytes:
        return arithmetic.stored_float(
            self._kernel.name, values, self._numbers.precision
        )


class _Int8Copy:
    """A copy of a kernel in an int8 model."""

    def __init__(self, numbers: _Numbers, kernel: Kernel, copy: Copy) -> None:
        self._numbers = numbers
        self._kernel = kernel
        self._copy = copy

    def makers(self) -> Iterator[tuple[int | None, _Maker]]:
        zero_points = functools.partial(
            bytes, _ZERO_POINT_BYTES * self._kernel.channels
        )
        yield self._copy.weights, lambda: self._quantised.weights.tobytes()
        yield self._copy.scales, lambda: _scale_bytes(self._quantised.scales)
        yield self._copy.zero_points, zero_points
        for operation in self._copy.operations:
            yield operation.bias, functools.partial(self._bias, operation)
            yield (
                operation.bias_scales,
                functools.partial(self._bias_scales, operation),
            )
            yield operation.bias_zero_points, zero_points

    # Weights and scales are two vectors of one computation.
    @functools.cached_property
    def _quantised(self) -> quantisation.Quantised:
        numbers, kernel, copy = self._numbers, self._kernel, self._copy
        base = quantisation.Quantised(
            np.frombuffer(numbers.base_data(copy.weights), np.int8),
            np.frombuffer(numbers.base_data(cast(int, copy.scales)), "<f4"),
        )
        return quantisation.requantised(
            kernel.name,
            base,
            numbers.edit(kernel),
            numbers.fold(kernel, copy),
            kernel.form,
            [
                (numbers.offset(kernel, copy, o), numbers.input_scale(o))
                for o in copy.operations
            ],
        )

    def _bias(self, operation: Operation) -> bytes:
        return self._quantised_bias(operation)[0].tobytes()

    def _bias_scales(self, operation: Operation) -> bytes:
        return _scale_bytes(self._quantised_bias(operation)[1])

    def _quantised_bias(
        self, operation: Operation
    ) -> tuple[np.ndarray, np.ndarray]:
        return quantisation.quantised_bias(
            self._kernel.name,
            self._numbers.offset(self._kernel, self._copy, operation),
            self._quantised.scales,
            self._numbers.input_scale(operation),
        )


def _scale_bytes(scales: np.ndarray) -> bytes:
    return scales.astype("<f4", copy=False).tobytes()

"""Puts a patched kernel where a Keras layer reads its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from object_detection_patch.hosts import HostKernel
from object_detection_patch.methods.base import KernelPatch

Rounding: TypeAlias = Callable[[tf.Tensor, HostKernel], tf.Tensor]

_scope = threading.local()


class _AsStored(KernelPatch):
    """The kernel itself, in float32 under mixed precision too."""

    def call(self, kernel: tf.Variable) -> tf.Tensor:
        return tf.convert_to_tensor(kernel)


class KernelView:
    """Stands in for a layer's kernel and converts to the patched tensor.

    It replaces the layer's attribute outside Keras' tracking, so the layer's
    own variable keeps its place and its checkpoint key.

    Args:
      patch: what changes the kernel, or None.
      roundings: what then rounds it, one after the other.
    """

    def __init__(
        self,
        host: HostKernel,
        patch: KernelPatch | None,
        roundings: Sequence[Rounding] = (),
    ) -> None:
        self._host = host
        self._patch = _AsStored() if patch is None else patch
        self._roundings = roundings

    @property
    def shape(self) -> tf.TensorShape:
        return self._host.variable.shape

    @property
    def dtype(self) -> tf.DType:
        return tf.as_dtype(self._host.layer.compute_dtype)

    def value(self) -> tf.Tensor:
        """The patched kernel in the layer's compute dtype."""
        computed = getattr(_scope, "computed", None)
        if computed is None:
            return self._compute()
        graph = None
        if not tf.executing_eagerly():
            graph = tf.compat.v1.get_default_graph()
        key = (id(self), id(graph))
        if key not in computed:
            # The graph is kept beside its tensor so that its id stays taken.
            computed[key] = (self._compute(), graph)
        return computed[key][0]

    def _compute(self) -> tf.Tensor:
        kernel = self._patch(self._host.variable)
        for rounding in self._roundings:
            kernel = rounding(kernel, self._host)
        return tf.cast(kernel, self.dtype)


def _to_tensor(
    view: KernelView,
    dtype: tf.DType | None = None,
    name: str | None = None,
    as_ref: bool = False,
) -> tf.Tensor:
    del name, as_ref
    value = view.value()
    return value if dtype is None else tf.cast(value, dtype)


tf.register_tensor_conversion_function(KernelView, _to_tensor)


@contextlib.contextmanager
def computed_once() -> Iterator[None]:
    """Within it every patched kernel is computed once a graph.

    For one forward pass of a model that calls a layer several times, as the
    shared prediction tower is. Variables must not change inside.
    """
    before = getattr(_scope, "computed", None)
    _scope.computed = {}
    try:
        yield
    finally:
        _scope.computed = before


def attach(
    host: HostKernel,
    patch: KernelPatch | None,
    roundings: Sequence[Rounding] = (),
) -> None:
    """Makes `host.layer` compute with the patched kernel from now on."""
    view = KernelView(host, patch, roundings)
    object.__setattr__(host.layer, host.attribute, view)


def detach(host: HostKernel) -> None:
    """Gives `host.layer` its own kernel back."""
    object.__setattr__(host.layer, host.attribute, host.variable)


def is_attached(host: HostKernel) -> bool:
    return isinstance(getattr(host.layer, host.attribute), KernelView)


def frozen(layer: Any) -> None:
    """No gradient for the layer's weights, and inference mode for BatchNorm.

    The Object Detection API's BatchNorm keeps updating its statistics when
    `trainable` is False unless its `_training` says otherwise.
    """
    layer.trainable = False
    if hasattr(layer, "moving_mean"):
        layer._training = False  # noqa: SLF001

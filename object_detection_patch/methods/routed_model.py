"""Runs a functional Keras model whose blocks exist twice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from object_detection_patch.methods.blocks import Unit

Branch = Callable[[], list[tf.Tensor]]


class RoutedModel:
    """Calls a model's layers as its graph says, but blocks as `route` says.

    Args:
      model: functional; its layers are used as they are, nothing is copied.
      units: `find_units(model)`.
      others: id of a layer in a block -> the layer in its place in the other
        branch. Layers without weights may be left out: they serve in both.
    """

    def __init__(
        self, model: Any, units: Sequence[Unit], others: Mapping[int, Any]
    ) -> None:
        self._model = model
        self._units = units
        self._others = others

    def __call__(
        self,
        inputs: Any,
        route: Callable[[str, Branch, Branch], list[tf.Tensor]],
    ) -> Any:
        """The model's outputs.

        Args:
          inputs: as the model's own.
          route: (block, own branch, other branch) -> what the block gives;
            either branch gives one tensor for each of the block's outputs.
        """
        values = {
            str(id(reference)): value
            for reference, value in zip(
                self._model.inputs, tf.nest.flatten(inputs), strict=True
            )
        }
        for unit in self._units:
            own = functools.partial(_run, unit, values, {})
            if unit.block is None:
                found = own()
            else:
                other = functools.partial(_run, unit, values, self._others)
                found = route(unit.block, own, other)
            values.update(zip(unit.outputs, found, strict=True))
        outputs = [values[str(id(tensor))] for tensor in self._model.outputs]
        return tf.nest.pack_sequence_as(
            self._model._nested_outputs,  # noqa: SLF001
            outputs,
        )


class _Kept(list):
    """A value that may be taken any number of times, as nodes take them."""

    def pop(self, index: Any = -1) -> Any:
        return self[index]


def _run(
    unit: Unit, values: Mapping[str, tf.Tensor], others: Mapping[int, Any]
) -> list[tf.Tensor]:
    kept = {tensor: _Kept([values[tensor]]) for tensor in unit.inputs}
    for node in unit.nodes:
        arguments, named = node.map_arguments(kept)
        layer = others.get(id(node.layer), node.layer)
        found = tf.nest.flatten(layer(*arguments, **named))
        for tensor, value in zip(node.flat_output_ids, found, strict=True):
            kept[tensor] = _Kept([value])
    return [kept[tensor][0] for tensor in unit.outputs]

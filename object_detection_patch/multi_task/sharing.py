"""Models of one architecture that share variables, not copies of them.

A model is built in the same order each time, so the n-th variable of the
second is the n-th of the first. Sharing begins when a variable would be made:
layers, regularisers and checkpoints then know no other.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from object_detection_patch.hosts import Hosts


@contextlib.contextmanager
def recorded() -> Iterator[list[Any]]:
    """Within it every variable made joins the yielded list, in order."""
    made: list[Any] = []

    def create(make: Callable[..., Any], **options: Any) -> Any:
        variable = make(**options)
        made.append(variable)
        return variable

    with tf.variable_creator_scope(create):
        yield made


@contextlib.contextmanager
def sharing(made: Sequence[Any], shared: Sequence[Any]) -> Iterator[None]:
    """Within it those of `made` that are in `shared` are not made again.

    Args:
      made: what `recorded` yielded while the first model was built.
      shared: variables among them.
    """
    known = {id(variable) for variable in shared}
    positions = itertools.count()

    def create(make: Callable[..., Any], **options: Any) -> Any:
        position = next(positions)
        if position < len(made) and id(made[position]) in known:
            return made[position]
        return make(**options)

    with tf.variable_creator_scope(create):
        yield


def shared_tensors(
    hosts: Hosts, private: dict[str, Any], *, heads: bool = False
) -> dict[str, Any]:
    """Stable name -> variable that all tasks have.

    Args:
      private: stable name -> variable of the base that each task has its own
        of.
      heads: whether they have the heads in common, too.
    """
    tensors = hosts.base_tensors()
    if heads:
        tensors |= hosts.head_tensors()
    return {
        name: variable
        for name, variable in tensors.items()
        if name not in private
    }


def refuse_unshared(
    hosts: Hosts, shared: dict[str, Any], *, first: str, other: str
) -> None:
    """Raises ValueError unless a model has these very variables.

    Args:
      hosts: of the model.
      shared: of the first task's model.
      first: the first task's config, for the message.
      other: this task's.
    """
    tensors = hosts.base_tensors() | hosts.head_tensors()
    missing = [n for n, v in shared.items() if tensors.get(n) is not v]
    if missing:
        raise ValueError(
            "Tasks share one base, so they must have one architecture. "
            f"Received: {other}, in whose model {missing[0]} and "
            f"{len(missing) - 1} more are not where {first} has them."
        )

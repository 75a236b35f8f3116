"""Hosts: the tensors of a Keras model that a patch may edit, by stable name.

A name is `<place>/<layer name>/<attribute>`, for example
`backbone/block_1_expand/kernel`. Names enter checkpoints, patch files and
fingerprints, so they depend on the architecture alone: Keras counters in
automatic layer names (`conv2d_7`) are replaced by positions.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

BACKBONE = "backbone"
FPN = "fpn"
TOWER = "tower"
BOX_HEAD = "box_head"
CLASS_HEAD = "class_head"
PLACES = (BACKBONE, FPN, TOWER, BOX_HEAD, CLASS_HEAD)
HEADS = (BOX_HEAD, CLASS_HEAD)

CONVOLUTION = "convolution"
DEPTHWISE = "depthwise"
POINTWISE = "pointwise"

_AUTOMATIC_NAME = re.compile(
    r"(conv2d|conv2d_transpose|depthwise_conv2d|separable_conv2d|dense"
    r"|batch_normalization|sync_batch_normalization|freezable_batch_norm"
    r"|freezable_sync_batch_norm)(_\d+)?"
)


@dataclasses.dataclass(frozen=True, eq=False)
class HostKernel:
    """One convolution kernel.

    Args:
      name: stable name, unique in its model.
      place: one of PLACES.
      kind: CONVOLUTION (h, w, in, out), DEPTHWISE (h, w, in, multiplier) or
        POINTWISE (1, 1, in, out).
      layer: the built Keras layer that owns it.
      attribute: `kernel`, `depthwise_kernel` or `pointwise_kernel`.
      variable: the layer's own, frozen unless a part or a head trains it;
        kept here because a view may replace the layer's attribute.
    """

    name: str
    place: str
    kind: str
    layer: Any
    attribute: str
    variable: Any

    @property
    def size(self) -> int:
        return int(np.prod(self.variable.shape))

    def tensors(self) -> dict[str, Any]:
        """Stable name -> variable."""
        return {self.name: self.variable}


@dataclasses.dataclass(frozen=True, eq=False)
class HostBatchNorm:
    """One batch normalisation layer; `name` has no attribute at its end."""

    name: str
    place: str
    layer: Any

    @property
    def channels(self) -> int:
        return int(self.layer.moving_mean.shape[0])

    def tensors(self) -> dict[str, Any]:
        """Stable name -> variable, of the tensors that this layer has."""
        attributes = ("gamma", "beta", "moving_mean", "moving_variance")
        found = {key: getattr(self.layer, key, None) for key in attributes}
        return {
            f"{self.name}/{key}": variable
            for key, variable in found.items()
            if variable is not None
        }


@dataclasses.dataclass(frozen=True, eq=False)
class HostBias:
    """The bias of a convolution; `layer` is the layer that owns it."""

    name: str
    place: str
    layer: Any
    variable: Any

    @property
    def size(self) -> int:
        return int(np.prod(self.variable.shape))

    def tensors(self) -> dict[str, Any]:
        """Stable name -> variable."""
        return {self.name: self.variable}


@dataclasses.dataclass(frozen=True, eq=False)
class HeadTensor:
    """A tensor of a head: shipped whole by every task, and trained in full
    unless the patch freezes heads.

    Args:
      layer: the layer that owns it.
      counted: False for the class head's last layer, whose size depends on
        the task's classes and which the SpotPatch paper leaves out of its
        footprints.
    """

    name: str
    place: str
    layer: Any
    variable: Any
    counted: bool

    @property
    def size(self) -> int:
        return int(np.prod(self.variable.shape))


@dataclasses.dataclass(frozen=True, eq=False)
class Backbone:
    """A functional Keras model, and where its caller finds it.

    Args:
      model: the backbone.
      owner: the object that calls it; the model itself, if it is called as
        a whole.
      attribute: the owner's attribute that is called.
      original: what that attribute is.
    """

    model: Any
    owner: Any
    attribute: str
    original: Any

    def replace(self, function: Callable[..., Any]) -> None:
        """Makes the owner call `function`, outside Keras' tracking: layers
        and checkpoint keys stay where they are."""
        object.__setattr__(self.owner, self.attribute, function)

    def restore(self) -> None:
        """Makes the owner call the backbone again."""
        object.__setattr__(self.owner, self.attribute, self.original)


@dataclasses.dataclass(frozen=True)
class Hosts:
    """Everything in a model that a patch may edit, in network order.

    `head_kernels` are the kernels among `heads`, with the layers that read
    them: no part patches them.
    """

    kernels: tuple[HostKernel, ...]
    batch_norms: tuple[HostBatchNorm, ...]
    biases: tuple[HostBias, ...]
    heads: tuple[HeadTensor, ...]
    head_kernels: tuple[HostKernel, ...] = ()
    backbone: Backbone | None = None

    def __iter__(self) -> Iterator[HostKernel | HostBatchNorm | HostBias]:
        """The hosts of the base model, heads not among them."""
        yield from self.kernels
        yield from self.batch_norms
        yield from self.biases

    def base_tensors(self) -> dict[str, Any]:
        """Stable name -> variable of the base model, heads left out."""
        tensors = {host.name: host.variable for host in self.kernels}
        for batch_norm in self.batch_norms:
            tensors.update(batch_norm.tensors())
        tensors.update({host.name: host.variable for host in self.biases})
        return tensors

    def fingerprint(self) -> str:
        """SHA-256 of the base tensors as they are now, 64 hex digits."""
        tensors = self.base_tensors().items()
        return fingerprint({name: value.numpy() for name, value in tensors})

    def head_tensors(self) -> dict[str, Any]:
        """Stable name -> variable of the box and class heads."""
        return {head.name: head.variable for head in self.heads}


def find_hosts(
    placed_layers: Iterable[tuple[str, Any]],
    *,
    uncounted_head_attributes: Mapping[int, tuple[str, ...]] | None = None,
) -> Hosts:
    """Finds the hosts among built Keras layers.

    Args:
      placed_layers: (place, layer) pairs in network order. A layer met twice
        counts once; layers without a convolution kernel, a BatchNorm or, in
        a head, any weight are skipped, and so are unbuilt ones.
      uncounted_head_attributes: id of a head's layer -> its attributes that
        footprints leave out.

    Raises:
      ValueError: if two hosts get the same name.
    """
    uncounted = uncounted_head_attributes or {}
    kernels: list[HostKernel] = []
    batch_norms: list[HostBatchNorm] = []
    biases: list[HostBias] = []
    heads: list[HeadTensor] = []
    head_kernels: list[HostKernel] = []
    for place, layer, name in _named(placed_layers):
        if place in HEADS:
            heads.extend(
                _head_tensors(place, layer, name, uncounted.get(id(layer), ()))
            )
            head_kernels.extend(_kernels(place, layer, name))
            continue
        if _is_batch_norm(layer):
            batch_norms.append(HostBatchNorm(name, place, layer))
            continue
        found = _kernels(place, layer, name)
        kernels.extend(found)
        bias = getattr(layer, "bias", None)
        if found and bias is not None:
            biases.append(HostBias(f"{name}/bias", place, layer, bias))
    hosts = Hosts(
        tuple(kernels),
        tuple(batch_norms),
        tuple(biases),
        tuple(heads),
        tuple(head_kernels),
    )
    _refuse_duplicates(hosts)
    return hosts


def fingerprint(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, as 64 hex digits.

    Independent of the mapping's order. Values are hashed little endian.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = np.asarray(tensors[name])
        value = value.astype(value.dtype.newbyteorder("<"))
        digest.update(f"{name}|{value.dtype.str}|{value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _named(
    placed_layers: Iterable[tuple[str, Any]],
) -> Iterator[tuple[str, Any, str]]:
    seen: set[int] = set()
    automatic: collections.Counter[tuple[str, str]] = collections.Counter()
    for place, layer in placed_layers:
        if id(layer) in seen or not layer.built or not _own_weights(layer):
            continue
        seen.add(id(layer))
        match = _AUTOMATIC_NAME.fullmatch(layer.name)
        layer_name = layer.name
        if match:
            automatic[place, match[1]] += 1
            layer_name = f"{match[1]}@{automatic[place, match[1]]}"
        elif place in HEADS:
            # SSDs without a shared predictor have a head of one name a level.
            automatic[place, layer_name] += 1
            if automatic[place, layer_name] > 1:
                layer_name += f"@{automatic[place, layer_name]}"
        yield place, layer, f"{place}/{layer_name}"


def _own_weights(layer: Any) -> list[Any]:
    # Keras gives no public list of a layer's weights without its sublayers'.
    return layer._trainable_weights + layer._non_trainable_weights  # noqa: SLF001


def _is_batch_norm(layer: Any) -> bool:
    return all(
        getattr(layer, attribute, None) is not None
        for attribute in ("moving_mean", "moving_variance", "epsilon")
    )


def _kernels(place: str, layer: Any, name: str) -> list[HostKernel]:
    return [
        HostKernel(f"{name}/{key}", place, kind, layer, key, variable)
        for key, kind in (
            ("kernel", CONVOLUTION),
            ("depthwise_kernel", DEPTHWISE),
            ("pointwise_kernel", POINTWISE),
        )
        if (variable := getattr(layer, key, None)) is not None
        and len(variable.shape) == 4
    ]


def _head_tensors(
    place: str, layer: Any, name: str, uncounted: tuple[str, ...]
) -> list[HeadTensor]:
    attributes = (
        "kernel",
        "depthwise_kernel",
        "pointwise_kernel",
        "bias",
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
    )
    return [
        HeadTensor(
            f"{name}/{key}", place, layer, variable, key not in uncounted
        )
        for key in attributes
        if (variable := getattr(layer, key, None)) is not None
    ]


def _refuse_duplicates(hosts: Hosts) -> None:
    names = [host.name for host in hosts] + [head.name for head in hosts.heads]
    for name, count in collections.Counter(names).items():
        if count > 1:
            raise ValueError(
                f"Each tensor of a base model needs a name of its own. "
                f"Received: {name!r} {count} times; name the layers of the "
                "model apart."
            )

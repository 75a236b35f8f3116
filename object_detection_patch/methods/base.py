"""The questions that every part of a patch answers.

Checklist for a new part: one file here named like its arm in
`Part.part` of protos/patch.proto, holding one class derived from `Part`, and
that arm. The registry, the footprint, the patch file and the contract test
find it by themselves.
"""

from __future__ import annotations

import abc
import collections
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.hosts import (
    HostBatchNorm,
    HostBias,
    HostKernel,
    Hosts,
)
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import grid
from object_detection_patch.patch_file import edits

Host = HostKernel | HostBatchNorm | HostBias


class HostPatch(keras.layers.Layer):
    """What one part adds to one host: a Keras layer with its variables.

    It never owns the host's variables: they stay where the base model keeps
    them, and reach the methods below as arguments.

    Computes in float32 under mixed precision too, as whoever applies the
    edits does: a mask cut in 16 bits is another mask.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32"} | kwargs)

    def initialise(self, host: Host) -> None:
        """Sets what depends on the base's values, once they are restored."""

    def start_from(self, host: Host, edit: edits.Edit) -> None:
        """Takes the numbers of a patch file's edit, after `initialise`.

        Where a class has none, no training of it starts from a file.

        Raises:
          ValueError: where they cannot be a start.
        """
        raise NotImplementedError(type(self).__name__)

    def trained_in_place(self, host: Host) -> list[Any]:
        """Variables of the host itself that this patch trains."""
        del host
        return []

    def private_tensors(self, host: Host) -> dict[str, Any]:
        """Stable name -> base variable whose values become the task's own."""
        trained = {id(variable) for variable in self.trained_in_place(host)}
        return {
            name: variable
            for name, variable in host.tensors().items()
            if id(variable) in trained
        }

    def rebase(self, host: Host, base: Mapping[str, np.ndarray]) -> None:
        """Makes edits relative to another base: stable name -> values."""

    def take_over(self, host: Host) -> None:  # noqa: B027
        """Changes how the host's layer computes while the patch is attached."""

    def give_back(self, host: Host) -> None:  # noqa: B027
        """Undoes `take_over`."""

    def penalties(self) -> dict[str, Any]:
        """Loss name -> weighted scalar tensor, added to the training loss."""
        return {}

    @classmethod
    def summed_penalties(cls, patches: Sequence[Any]) -> dict[str, Any]:
        """Loss name -> sum over layers of this class.

        To override where one operation on all layers' values costs less
        than a few on each.
        """
        terms = collections.defaultdict(list)
        for patch in patches:
            for name, term in patch.penalties().items():
                terms[name].append(term)
        return {name: sum(values) for name, values in terms.items()}

    def edits(self, host: Host) -> list[edits.Edit]:
        """What ships for this host; an empty list when nothing changed."""
        raise NotImplementedError(type(self).__name__)


class KernelPatch(HostPatch):
    """A patch whose `call` turns the frozen kernel into the task's kernel."""


class GatedKernelPatch(KernelPatch):
    """A kernel patch that training may switch off."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        object.__setattr__(self, "_limit", None)

    def limit(self, allowed: tf.Variable, index: int) -> None:
        """Keeps the gate closed wherever a bool [gates] is False."""
        # Its owner is the whole patch.
        object.__setattr__(self, "_limit", (allowed, index))

    def allowed(self) -> tf.Tensor:
        """Whether the gate may be open, scalar bool."""
        if self._limit is None:
            return tf.constant(True)
        allowed, index = self._limit
        return tf.convert_to_tensor(allowed)[index]

    def latent(self) -> tf.Tensor:
        """The scalar that opens the gate above 0; the higher, the sooner."""
        raise NotImplementedError(type(self).__name__)

    def gate(self) -> Any:
        """The hard gate, a scalar tensor 0 or 1."""
        raise NotImplementedError(type(self).__name__)

    def gate_is_open(self) -> bool:
        """Whether the hard gate is 1, read from the variables."""
        return bool(self.gate() > 0)

    def edits_if_open(self, host: Host) -> list[edits.Edit]:
        """What ships for this host when its gate is open."""
        raise NotImplementedError(type(self).__name__)

    def edits(self, host: Host) -> list[edits.Edit]:
        return self.edits_if_open(host) if self.gate_is_open() else []


class ModelPatch(keras.layers.Layer):
    """What one part does to a model beside its hosts' patches."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32"} | kwargs)

    def initialise(self) -> None:
        """Sets what depends on the base's values, once they are restored."""

    def attach(self) -> None:
        """Changes how the model computes, from now on, if at all."""

    def detach(self) -> None:
        """Makes the model compute as before."""

    def set_training(self, is_training: bool) -> None:
        """Says whether the next pass is one of training."""

    def penalties(self) -> dict[str, Any]:
        """Loss name -> weighted scalar tensor, of the last pass."""
        return {}

    def ships(self, host: Host) -> bool:
        """Whether a host's edits belong to the patch."""
        del host
        return True

    def prefix(self, host: Host) -> str:
        """What the patch puts before the names of a host's tensors."""
        del host
        return ""

    def edits(self) -> list[edits.Edit]:
        """What ships beside the hosts' edits."""
        return []


class Part(abc.ABC):
    """One kind of thing that a patch adds to a base model.

    `shares_base` says whether what the part leaves of the base may train
    too, for all tasks at once. Not where it counts on a frozen base; options
    may take it back.

    Args:
      options: the message of this part's arm.

    Raises:
      ValueError: for an option outside its range.
    """

    shares_base: bool = False

    def __init__(self, options: Any) -> None:
        self.options = options
        self.start: Mapping[str, edits.Edit] = {}

    def start_from(self, start: Mapping[str, edits.Edit]) -> None:
        """Target -> edit of the patch file that the training starts with."""
        self.start = start

    @abc.abstractmethod
    def patches(self, host: Host) -> bool:
        """Whether this part edits `host`."""

    @abc.abstractmethod
    def attach(self, host: Host) -> HostPatch:
        """A built layer for `host`, which `patches` accepted."""

    def check(self, hosts: Hosts) -> None:  # noqa: B027
        """Raises ValueError where the base model cannot carry this part."""

    def allows_others(self, host: Host) -> bool:
        """Whether another part of the same patch may edit `host`."""
        del host
        return True

    def gives_way(self, host: Host) -> bool:
        """Whether `host`, which this part edits, goes to whoever else does."""
        del host
        return False

    def model_patch(self, hosts: Hosts) -> ModelPatch | None:
        """What this part does to the model as a whole, if anything."""
        del hosts
        return None


@keras.utils.register_keras_serializable("object_detection_patch")
class TrainedInPlace(HostPatch):
    """A kernel or bias that the task trains as it stands, and ships whole."""

    def start_from(self, host: Host, edit: edits.Edit) -> None:
        assign_replaced(host.variable, edit)

    def trained_in_place(self, host: Host) -> list[Any]:
        return [host.variable]

    def edits(self, host: Host) -> list[edits.Edit]:
        return [edits.Replace(host.name, host.variable.numpy())]


@keras.utils.register_keras_serializable("object_detection_patch")
class TrainedBatchNorm(HostPatch):
    """BatchNorm with the task's gamma, beta, mean and variance.

    The file holds two floats a channel: the four adapted vectors folded onto
    the base's statistics (v0, m0), which gives the same function,

        scale = s * sqrt(v0 + eps),  offset = beta - m * s + m0 * s,
        s = gamma / sqrt(v + eps),

    so SpotPatch's count of two floats a channel is what ships. They may be
    put on a grid, in training too: there on the statistics of the moment.

    Args:
      grid_bits: of that grid, 0 for none.
    """

    def __init__(self, grid_bits: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grid_bits = grid_bits
        object.__setattr__(self, "_grid_begun", None)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"grid_bits": self.grid_bits}

    def put_on_grid(self, bits: int, begun: tf.Variable | None) -> None:
        """Makes it train and ship on a grid; see `grid.if_begun`."""
        self.grid_bits = bits
        # Its owner is the whole patch.
        object.__setattr__(self, "_grid_begun", begun)

    def build(self, channels: int) -> None:
        """Creates the copies of the base's statistics, float32 [channels]."""
        for name in ("base_mean", "base_variance"):
            setattr(
                self,
                name,
                self.add_weight(
                    name=name,
                    shape=(channels,),
                    initializer="zeros",
                    trainable=False,
                ),
            )
        self.built = True

    def initialise(self, host: HostBatchNorm) -> None:
        self.base_mean.assign(host.layer.moving_mean)
        self.base_variance.assign(host.layer.moving_variance)

    def start_from(self, host: HostBatchNorm, edit: edits.Edit) -> None:
        if not isinstance(edit, edits.ScaleOffset):
            raise _no_start("a BatchNorm", edit)
        # Folded onto the statistics that the layer has now.
        assign(host.layer.gamma, edit.scale, edit.target)
        assign(host.layer.beta, edit.offset, edit.target)

    def trained_in_place(self, host: HostBatchNorm) -> list[Any]:
        layer = host.layer
        return [
            variable
            for variable in (layer.gamma, layer.beta)
            if variable is not None
        ]

    def private_tensors(self, host: HostBatchNorm) -> dict[str, Any]:
        return host.tensors()

    def take_over(self, host: HostBatchNorm) -> None:
        if self.grid_bits:
            normalise = type(host.layer).call.__get__(host.layer)
            # It then gives what it normalised, neither scaled nor shifted.
            host.layer.scale = host.layer.center = False

            def call(inputs: Any, training: Any = None) -> Any:
                gamma, beta = self.gamma_and_beta(host.layer)
                normalised = normalise(inputs, training=training)
                wide = tf.cast(normalised, gamma.dtype)
                return tf.cast(wide * gamma + beta, normalised.dtype)

            replace_call(host.layer, call)

    def give_back(self, host: HostBatchNorm) -> None:
        if self.grid_bits:
            own_call(host.layer)
            host.layer.scale = host.layer.center = True

    def gamma_and_beta(self, layer: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Those which, folded, are the numbers that ship; with a grid."""
        mean, variance = layer.moving_mean, layer.moving_variance
        base_deviation = tf.sqrt(self.base_variance + layer.epsilon)
        deviation = tf.sqrt(variance + layer.epsilon)
        shift = mean - self.base_mean
        slope = layer.gamma / deviation
        scale = self._rounded(slope * base_deviation)
        offset = self._rounded(layer.beta - shift * slope)
        slope = scale / base_deviation
        return slope * deviation, offset + shift * slope

    def _rounded(self, values: tf.Tensor) -> tf.Tensor:
        rounded = grid.on_grid(values, None, self.grid_bits)
        return grid.if_begun(self._grid_begun, rounded, values)

    def rebase(
        self, host: HostBatchNorm, base: Mapping[str, np.ndarray]
    ) -> None:
        self.base_mean.assign(base[f"{host.name}/moving_mean"])
        self.base_variance.assign(base[f"{host.name}/moving_variance"])

    def edits(self, host: HostBatchNorm) -> list[edits.Edit]:
        layer = host.layer
        scale, offset = fold_batch_norm(
            gamma=layer.gamma.numpy(),
            beta=layer.beta.numpy(),
            mean=layer.moving_mean.numpy(),
            variance=layer.moving_variance.numpy(),
            base_mean=self.base_mean.numpy(),
            base_variance=self.base_variance.numpy(),
            epsilon=layer.epsilon,
        )
        if self.grid_bits:
            scale, offset = (
                grid.on_grid(values, None, self.grid_bits).numpy()
                for values in (scale, offset)
            )
        return [edits.ScaleOffset(host.name, scale, offset)]


def fold_batch_norm(
    *,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    base_mean: np.ndarray,
    base_variance: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Gamma and beta that act alike on the base's statistics.

    All arrays have shape [channels]; computed in float64, returned float32.
    """
    slope = gamma.astype(np.float64) / np.sqrt(
        variance.astype(np.float64) + epsilon
    )
    scale = slope * np.sqrt(base_variance.astype(np.float64) + epsilon)
    offset = beta - mean * slope + base_mean * slope
    return scale.astype(np.float32), offset.astype(np.float32)


def assign(variable: Any, values: np.ndarray, target: str) -> None:
    """Gives a variable the values of a patch file; ValueError for its shape."""
    if tuple(variable.shape) != values.shape:
        raise ValueError(
            "`init_from_patch` must have tensors of this model's shapes. "
            f"Received: {values.shape} for {target}, which is "
            f"{tuple(variable.shape)} here (pipeline.config, "
            "[object_detection_patch.patch])."
        )
    variable.assign(values)


def assign_replaced(variable: Any, edit: edits.Edit) -> None:
    """`assign` for a tensor that a patch file holds whole, or ValueError."""
    if not isinstance(edit, edits.Replace):
        raise _no_start("what trains whole", edit)
    assign(variable, edit.values, edit.target)


def _no_start(what: str, edit: edits.Edit) -> ValueError:
    return ValueError(
        f"`init_from_patch` cannot start {what} with this edit. Received: "
        f"{type(edit).__name__} of {edit.target} (pipeline.config, "
        "[object_detection_patch.patch])."
    )


def attach_trained(host: Host) -> HostPatch:
    """The layer for a host that a task trains in place."""
    if isinstance(host, HostBatchNorm):
        patch = TrainedBatchNorm(name=layer_name(host))
        patch.build(host.channels)
        return patch
    patch = TrainedInPlace(name=layer_name(host))
    patch.built = True
    return patch


def replace_call(layer: Any, call: Callable[..., Any]) -> None:
    """Makes a layer compute otherwise, outside Keras' tracking: no checkpoint
    key changes."""
    vars(layer)["call"] = tf.autograph.experimental.do_not_convert(call)


def own_call(layer: Any) -> None:
    """Makes a layer compute as its class does."""
    vars(layer).pop("call", None)


def layer_name(host: Host) -> str:
    """The host's name in the characters that Keras layer names allow."""
    return host.name.replace("@", "_at_")


def refuse_unfoldable(hosts: Hosts, patches: Any) -> None:
    """Raises ValueError for a patched BatchNorm without gamma or beta."""
    for host in hosts.batch_norms:
        if not patches(host):
            continue
        if host.layer.gamma is None or host.layer.beta is None:
            raise ValueError(
                "A patched BatchNorm needs gamma and beta (`batch_norm { "
                "scale: true center: true }` in pipeline.config), or its "
                "adapted statistics cannot be folded. Received: "
                f"{host.name} without "
                f"{'gamma' if host.layer.gamma is None else 'beta'}."
            )


def check_option(
    part: str,
    option: str,
    value: float,
    *,
    minimum: float,
    open_: bool,
    maximum: float = np.inf,
) -> None:
    """Raises ValueError unless minimum <= value <= maximum and finite.

    `minimum` itself is refused if `open_`.
    """
    good = value > minimum if open_ else value >= minimum
    if not (good and value <= maximum and np.isfinite(value)):
        upper = f", <= {maximum:g}" if np.isfinite(maximum) else ""
        raise ValueError(
            f"`{part}.{option}` must be {'>' if open_ else '>='} "
            f"{minimum:g}{upper} and finite. Received: {value:g} "
            "(pipeline.config, [object_detection_patch.patch])."
        )

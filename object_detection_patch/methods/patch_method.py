"""The Keras layer that owns everything one task adds to a base model."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import Hosts
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, kernel_view, start
from object_detection_patch.methods import budget as budget_lib
from object_detection_patch.methods import grid as grid_lib
from object_detection_patch.methods.fake_quantize import FakeQuantizer
from object_detection_patch.methods.grid import Grid, GridQuantizer
from object_detection_patch.patch_file import Patch, edits
from object_detection_patch.protos import patch_pb2

_FINGERPRINT_BYTES = 32
_MAX_PARTS = 16


class OtherPatchError(ValueError):
    """Restored variables belong to a patch of other parts, or to none."""


@dataclasses.dataclass(frozen=True)
class GateState:
    """One kernel's gate.

    Args:
      target: what the host's edit names, once the gate is open.
      weights: number of weights behind it.
    """

    host: str
    target: str
    place: str
    is_open: bool
    weights: int


class PatchMethod(keras.layers.Layer):
    """Parts, attached to the hosts of one base model.

    Owned by the patched model, so its variables reach the model's trainable
    variables and its checkpoints by themselves. The base model's variables
    stay where they are.

    Args:
      parts: arm of `Part.part` -> part.
      hosts: hosts of the built base model.
      method: name for logs and files, a preset's where it is one.
      quantize: rounds every kernel, the heads' too, while the patch is
        attached; or None.
      grid: on which BatchNorms and heads ship, if on one.
      starts_from: whose numbers `initialise` sets, or None for the base's.
      target: that bounds the file, if one does.
      freeze_heads: heads keep the numbers they have, and ship them.

    Raises:
      ValueError: if two parts claim one host, or one cannot be carried.
    """

    def __init__(
        self,
        *,
        parts: Mapping[str, base.Part],
        hosts: Hosts,
        method: str,
        quantize: FakeQuantizer | None = None,
        grid: Grid | None = None,
        starts_from: Patch | None = None,
        target: budget_lib.Target | None = None,
        freeze_heads: bool = False,
    ) -> None:
        super().__init__(name="patch")
        for part in parts.values():
            part.check(hosts)
        claims = _claims(parts, hosts)
        self.method = method
        # Keras would track lists and dicts of layers that belong to the base
        # model a second time, and change their checkpoint keys.
        object.__setattr__(self, "hosts", hosts)
        object.__setattr__(self, "_patched", {})
        object.__setattr__(self, "_starts_from", starts_from)
        self._freeze_heads = freeze_heads
        grid = grid or Grid()
        self._quantize = quantize
        self._grid_begins = grid.begin_step
        self.grid_begun = None
        if grid.begin_step:
            self.grid_begun = self.add_weight(
                name="grid_begun",
                shape=(),
                dtype=tf.bool,
                initializer="zeros",
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._head_grid = None
        if grid.head_bits:
            self._head_grid = GridQuantizer(grid.head_bits, self.grid_begun)
        self.host_patches = {}
        for host, part in claims:
            patch = part.attach(host)
            self.host_patches[host.name] = patch
            self._patched[host.name] = (host, patch)
        if grid.batch_norm_bits:
            self._put_on_grid(grid.batch_norm_bits)
        self.model_patches = _model_patches(parts, hosts)
        self.budget = self._budget(target)
        self.fingerprint_bytes = self.add_weight(
            name="fingerprint_bytes",
            shape=(_FINGERPRINT_BYTES,),
            dtype=tf.int32,
            initializer="zeros",
            trainable=False,
        )
        self._own_numbers = _part_numbers(parts, grid, target)
        self.part_numbers = self.add_weight(
            name="part_numbers",
            shape=(_MAX_PARTS,),
            dtype=tf.int32,
            initializer="zeros",
            trainable=False,
        )
        self.part_numbers.assign(self._own_numbers)
        self.built = True

    def attach(self, *, freeze_base: bool = True) -> None:
        """Puts the patched kernels in place.

        Args:
          freeze_base: what no part trains stays as it is. Otherwise it
            trains too, for every task that shares it.
        """
        for layer in self._host_layers():
            if freeze_base and not self._trains_whole(layer):
                kernel_view.frozen(layer)
        if self._freeze_heads:
            for head in self.hosts.heads:
                kernel_view.frozen(head.layer)
        for host, patch in self._viewed_kernels():
            kernel_view.attach(host, patch, self._roundings(host))
        for model_patch in self.model_patches:
            model_patch.attach()
        for host, patch in self._patched.values():
            patch.take_over(host)

    def detach(self) -> None:
        """Gives every layer its own kernel and way of computing back."""
        for host, patch in self._patched.values():
            patch.give_back(host)
        for host, _ in self._viewed_kernels():
            kernel_view.detach(host)
        for model_patch in self.model_patches:
            model_patch.detach()

    def set_training(self, is_training: bool) -> None:
        """Says whether the model's next pass is one of training."""
        for model_patch in self.model_patches:
            model_patch.set_training(is_training)

    def follow(self, step: Any) -> None:
        """Hears after every training step how many were done before it.

        Args:
          step: integer, or a scalar tensor of one.
        """
        if self.grid_begun is not None:
            self.grid_begun.assign(step + 1 >= self._grid_begins)
        if self.budget is not None:
            self.budget.follow(step + 1)

    def initialise(self) -> None:
        """Starts from the values that the base model holds now.

        Sets what depends on them (residual scales, statistics to fold onto)
        and remembers the base's fingerprint. What the training starts with,
        if it is a patch, is set last.

        Raises:
          FingerprintError: if that is a patch of another base.
          ValueError: if it does not fit the parts.
        """
        for host, patch in self._patched.values():
            patch.initialise(host)
        for model_patch in self.model_patches:
            model_patch.initialise()
        digest = bytes.fromhex(self.compute_base_fingerprint())
        self.fingerprint_bytes.assign(list(digest))
        if self._starts_from is not None:
            start.begin(
                self._starts_from,
                base_fingerprint=self.base_fingerprint,
                patched=self._patched.values(),
                hosts=self.hosts,
            )

    def private_tensors(self) -> dict[str, Any]:
        """Stable name -> base variable that holds the task's own values.

        The rest of the base is what tasks can share; heads are in neither.
        """
        return {
            name: variable
            for host, patch in self._patched.values()
            for name, variable in patch.private_tensors(host).items()
        }

    def rebase(self, base: Mapping[str, np.ndarray]) -> None:
        """Binds the patch to a base that was trained along with it.

        Args:
          base: stable name -> values of every tensor of that base; what is
            not private has the values of this model.
        """
        for host, patch in self._patched.values():
            patch.rebase(host, base)
        digest = bytes.fromhex(hosts_lib.fingerprint(base))
        self.fingerprint_bytes.assign(list(digest))

    def compute_base_fingerprint(self) -> str:
        """SHA-256 of the base tensors as they are now."""
        return self.hosts.fingerprint()

    @property
    def base_fingerprint(self) -> str:
        """Fingerprint of the base that training started from, 64 hex digits.

        Raises:
          OtherPatchError: if the patch was never initialised on a base, nor
            restored from a training's checkpoint.
        """
        digest = np.asarray(self.fingerprint_bytes.numpy(), dtype=np.uint8)
        if not digest.any():
            raise OtherPatchError(
                "A patch is bound to the base model that it was trained on. "
                "Received: a patch that no base was restored for; set "
                "`train_config.fine_tune_checkpoint` (pipeline.config)."
            )
        return digest.tobytes().hex()

    def refuse_other_parts(
        self, source: str, stored: np.ndarray | None = None
    ) -> None:
        """Raises unless a checkpoint's patch has the parts of this one.

        A patch of more parts holds every variable that one of fewer parts
        looks for, so restoring it would lose the rest in silence.

        Args:
          source: where the checkpoint is, for the message.
          stored: its `part_numbers`; by default those restored here.

        Raises:
          OtherPatchError: naming the parts of both.
        """
        numbers = self.part_numbers.numpy() if stored is None else stored
        if list(numbers) != self._own_numbers:
            raise OtherPatchError(
                "A checkpoint and its config must agree on the parts of the "
                f"patch. Received: {_part_text(numbers)} in {source!r}, but "
                f"{_part_text(self._own_numbers)} in pipeline.config "
                "([object_detection_patch.patch])."
            )

    @property
    def trainable_weights(self) -> list[Any]:
        """Own variables and the host variables trained in place."""
        own = super().trainable_weights
        return own + [
            variable
            for host, patch in self._patched.values()
            for variable in patch.trained_in_place(host)
        ]

    def penalties(self) -> dict[str, tf.Tensor]:
        """Loss name -> weighted sum over hosts, scalar float32."""
        by_class = collections.defaultdict(list)
        for patch in self.host_patches.values():
            by_class[type(patch)].append(patch)
        totals: collections.Counter[str] = collections.Counter()
        for kind, patches in by_class.items():
            totals.update(kind.summed_penalties(patches))
        for model_patch in self.model_patches:
            totals.update(model_patch.penalties())
        return dict(totals)

    def edits(
        self, *, gates: Literal["trained", "open", "closed"] = "trained"
    ) -> list[edits.Edit]:
        """What ships: hosts in network order, the heads, what routes.

        Args:
          gates: `open` and `closed` give the largest and the smallest patch
            that these parts can become.
        """
        shipped = []
        for host, patch in self._shipped():
            gated = isinstance(patch, base.GatedKernelPatch)
            if not gated or gates == "trained":
                shipped += self._renamed(host, patch.edits(host))
            elif gates == "open":
                shipped += self._renamed(host, patch.edits_if_open(host))
        shipped += self._head_edits()
        for model_patch in self.model_patches:
            shipped += model_patch.edits()
        return shipped

    def _head_edits(self) -> list[edits.Edit]:
        values = {h.name: h.variable for h in self.hosts.heads}
        for host in self._gridded_heads():
            values[host.name] = self._head_grid.shipped(host.variable, host)
        return [edits.Replace(name, v.numpy()) for name, v in values.items()]

    def grid_bits(self) -> dict[str, int]:
        """Target -> bits, of what trains and ships on a grid."""
        bits = {
            host.name: patch.grid_bits
            for host, patch in self._patched.values()
            if isinstance(patch, base.TrainedBatchNorm) and patch.grid_bits
        }
        heads = self._head_grid.bits if self._head_grid else 0
        return bits | {host.name: heads for host in self._gridded_heads()}

    def _gridded_heads(self) -> tuple[hosts_lib.HostKernel, ...]:
        return self.hosts.head_kernels if self._head_grid else ()

    def _put_on_grid(self, bits: int) -> None:
        """Raises ValueError for BatchNorms that cannot be trained so."""
        found = [
            patch
            for host, patch in self._patched.values()
            if isinstance(host, hosts_lib.HostBatchNorm)
        ]
        others = {type(patch).__name__ for patch in found}
        others.discard(base.TrainedBatchNorm.__name__)
        # tf_keras' others scale and shift whatever they are told.
        others |= {
            f"{host.name}, which is not fused"
            for host, patch in self._patched.values()
            if isinstance(host, hosts_lib.HostBatchNorm)
            and not host.layer.fused
        }
        if others or not found:
            raise ValueError(
                "`grid.batch_norm_bits` puts BatchNorms on a grid that train "
                "scale and offset. Received: "
                f"{', '.join(sorted(others)) or 'a patch without any'} "
                "(pipeline.config, [object_detection_patch.patch])."
            )
        for patch in found:
            patch.put_on_grid(bits, self.grid_begun)

    @property
    def target_file_bytes(self) -> int | None:
        """Most bytes that the patch's file may have, if that is bounded."""
        return None if self.budget is None else self.budget.target.file_bytes

    def _budget(
        self, target: budget_lib.Target | None
    ) -> budget_lib.FileBudget | None:
        if target is None:
            return None
        gated = [
            patch
            for _, patch in self._patched.values()
            if isinstance(patch, base.GatedKernelPatch)
        ]
        return budget_lib.FileBudget(target, gated)

    def _shipped(self) -> list[tuple[base.Host, base.HostPatch]]:
        return [
            (host, patch)
            for host, patch in self._patched.values()
            if all(model.ships(host) for model in self.model_patches)
        ]

    def _renamed(
        self, host: base.Host, found: Iterable[edits.Edit]
    ) -> list[edits.Edit]:
        prefix = self._prefix(host)
        return [
            dataclasses.replace(edit, target=prefix + edit.target)
            if prefix
            else edit
            for edit in found
        ]

    def _prefix(self, host: base.Host) -> str:
        return "".join(model.prefix(host) for model in self.model_patches)

    def gates(self) -> list[GateState]:
        """The state of every gated kernel, in network order."""
        return [
            GateState(
                host.name,
                self._prefix(host) + host.name,
                host.place,
                patch.gate_is_open(),
                host.size,
            )
            for host, patch in self._patched.values()
            if isinstance(patch, base.GatedKernelPatch)
        ]

    def gate_tensors(self) -> dict[str, tf.Tensor]:
        """Host name -> hard gate, a scalar 0 or 1; empty without gates."""
        return {
            name: patch.gate()
            for name, patch in self.host_patches.items()
            if isinstance(patch, base.GatedKernelPatch)
        }

    def _viewed_kernels(
        self,
    ) -> list[tuple[hosts_lib.HostKernel, base.KernelPatch | None]]:
        """Kernels that the model reads through a view, and their patches."""
        patches = {
            name: patch
            for name, (_, patch) in self._patched.items()
            if isinstance(patch, base.KernelPatch)
        }
        return [
            (host, patches.get(host.name))
            for host in (*self.hosts.kernels, *self.hosts.head_kernels)
            if host.name in patches or self._roundings(host)
        ]

    def _roundings(
        self, host: hosts_lib.HostKernel
    ) -> tuple[kernel_view.Rounding, ...]:
        """What a kernel goes through: as it ships, as an int8 model has it."""
        on_grid = self._head_grid if host.place in hosts_lib.HEADS else None
        return tuple(filter(None, (on_grid, self._quantize)))

    def _host_layers(self) -> list[Any]:
        layers = {id(host.layer): host.layer for host in self.hosts}
        return list(layers.values())

    def _trains_whole(self, layer: Any) -> bool:
        """Whether every base tensor of `layer` is trained in place."""
        names = [host.name for host in self.hosts if host.layer is layer]
        return all(
            isinstance(
                self.host_patches.get(name),
                (base.TrainedInPlace, base.TrainedBatchNorm),
            )
            for name in names
        )


def _model_patches(
    parts: Mapping[str, base.Part], hosts: Hosts
) -> list[base.ModelPatch]:
    found = [part.model_patch(hosts) for part in parts.values()]
    return [patch for patch in found if patch is not None]


def _part_numbers(
    parts: Mapping[str, base.Part],
    grid: Grid,
    target: budget_lib.Target | None,
) -> list[int]:
    """The parts' field numbers in protos/patch.proto, and those of grid and
    target, filled up with 0."""
    fields = patch_pb2.Part.DESCRIPTOR.fields_by_name
    numbers = sorted(fields[name].number for name in parts)
    numbers += [grid.number] if grid.number else []
    numbers += [target.number] if target else []
    return numbers + [0] * (_MAX_PARTS - len(numbers))


def _part_text(numbers: Iterable[int]) -> str:
    fields = patch_pb2.Part.DESCRIPTOR.fields_by_number
    names = [
        fields[number].name
        if number in fields
        else grid_lib.name_of(number)
        or budget_lib.name_of(number)
        or f"part {number}"
        for number in map(int, numbers)
        if number
    ]
    return " + ".join(f"`{name}`" for name in names) or "no part"


def _claims(
    parts: Mapping[str, base.Part], hosts: Hosts
) -> list[tuple[base.Host, base.Part]]:
    claims = []
    for host in hosts:
        claimants = _claimants(parts, host)
        if len(claimants) > 1:
            raise ValueError(
                "Each host can be patched by one part. Received: "
                f"{' and '.join(f'`{name}`' for name in claimants)}, which "
                f"both patch {host.name} (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        if claimants:
            claims.append((host, parts[claimants[0]]))
    return claims


def _claimants(parts: Mapping[str, base.Part], host: base.Host) -> list[str]:
    """Parts that patch a host, less those that another forbids or outdoes."""
    allowed = [
        name
        for name, part in parts.items()
        if part.patches(host)
        and all(o is part or o.allows_others(host) for o in parts.values())
    ]
    firm = [name for name in allowed if not parts[name].gives_way(host)]
    return firm or allowed

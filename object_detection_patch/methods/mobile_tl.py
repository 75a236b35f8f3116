"""The top inverted residual blocks, trained at about half of the memory.

Reference: Chiang et al., MobileTL, AAAI 2023, Figure 2. Where we differ: the
prediction tower of a detector trains with its heads, since it stands on
layers that train.
"""

from __future__ import annotations

from typing import Any

from object_detection_patch.hosts import HostBatchNorm, HostKernel, Hosts
from object_detection_patch.methods import base, inverted_residual
from object_detection_patch.methods.frozen_int8 import FrozenInt8
from object_detection_patch.methods.positions import after
from object_detection_patch.methods.shift import ShiftedBatchNorm


class MobileTl(base.Part):
    """Trains the top blocks and what stands on them.

    In a block the BatchNorms before activations train their shift alone, on
    the base's statistics, and the activations behind them pass a signed
    gradient; its convolutions and its last BatchNorm train as usual. Kernels
    below may be held in int8.

    Another part beside this one, such as masks or adapters, patches what this
    one would train as it stands, and nothing below.
    """

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        base.check_option(
            "mobile_tl",
            "trainable_blocks",
            options.trainable_blocks,
            minimum=1,
            open_=False,
        )
        self._trained: set[str] = set()
        self._shifted: set[str] = set()
        self._rounded: set[str] = set()

    def check(self, hosts: Hosts) -> None:
        """Finds the blocks; ValueError where there are too few or none."""
        blocks = inverted_residual.blocks_of(hosts)
        wanted = self.options.trainable_blocks
        _refuse_missing(wanted, len(blocks))
        inside = {host.name for block in blocks for host in block.hosts}
        trained = after(hosts, inside)
        for block in blocks[-wanted:]:
            trained += block.hosts
            if self.options.approximate:
                self._shifted |= {h.name for h in block.inner_batch_norms}
        self._trained = {host.name for host in trained}
        if self.options.frozen_int8:
            self._rounded = {h.name for h in hosts.kernels} - self._trained
        base.refuse_unfoldable(hosts, self.patches)

    def patches(self, host: base.Host) -> bool:
        """Known once `check` has seen all hosts."""
        return host.name in self._trained | self._rounded

    def allows_others(self, host: base.Host) -> bool:
        return host.name in self._trained - self._shifted

    def gives_way(self, host: base.Host) -> bool:
        return self.allows_others(host)

    def attach(self, host: base.Host) -> base.HostPatch:
        if isinstance(host, HostBatchNorm) and host.name in self._shifted:
            patch = ShiftedBatchNorm(name=base.layer_name(host))
            patch.build(host.channels)
            return patch
        if isinstance(host, HostKernel) and host.name in self._rounded:
            return FrozenInt8(kind=host.kind, name=base.layer_name(host))
        return base.attach_trained(host)


def _refuse_missing(wanted: int, found: int) -> None:
    where = "(pipeline.config, [object_detection_patch.patch])"
    if not found:
        raise ValueError(
            "`mobile_tl` needs a base of inverted residual blocks, MobileNetV2 "
            "or V3 (model.ssd.feature_extractor.type in pipeline.config). "
            f"Received: a base without any {where}."
        )
    if wanted > found:
        raise ValueError(
            "`mobile_tl.trainable_blocks` must be at most the number of "
            f"inverted residual blocks of the base, {found}. Received: "
            f"{wanted} {where}."
        )

"""Residual adapters: small trained matrices at frozen convolutions."""

from __future__ import annotations

import numpy as np

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.hosts import HostKernel, Hosts
from object_detection_patch.methods import base
from object_detection_patch.methods.adapter_kernel import AdapterKernel
from object_detection_patch.methods.positions import Position, positions
from object_detection_patch.patch_file import adapter_edits
from object_detection_patch.patch_file.edits import Edit
from object_detection_patch.patch_file.layout import MAX_MIXED_OUTPUTS
from object_detection_patch.protos.patch_pb2 import ResidualAdapter as Options

_TRUNKS = {Options.EARLY: 0, Options.MID: 1, Options.LATE: 2}
# Rebuffi et al., Section 4.1, Regularization.
_DECAYS = {
    Options.SMALL_DATA: 0.002,
    Options.MEDIUM_DATA: 0.0005,
    Options.LARGE_DATA: 0.0001,
}
_WHERE = "(pipeline.config, [object_detection_patch.patch])."


class ResidualAdapter(base.Part):
    """An adapter on every convolution of a placement, none on depthwise."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        for option, maximum in (
            ("rank", np.inf),
            ("weight_decay", np.inf),
            ("dropout", 0.9),
        ):
            base.check_option(
                "residual_adapter",
                option,
                getattr(options, option),
                minimum=0.0,
                open_=False,
                maximum=maximum,
            )
        if options.decay and options.HasField("weight_decay"):
            raise ValueError(
                "`residual_adapter` takes `weight_decay` or `decay`, not both. "
                f"Received: {options.weight_decay:g} and "
                f"{Options.Decay.Name(options.decay)} {_WHERE}"
            )
        self._positions: dict[str, Position] = {}

    def patches(self, host: base.Host) -> bool:
        return (
            isinstance(host, HostKernel)
            and host.kind != hosts_lib.DEPTHWISE
            and self._is_placed(host)
        )

    def attach(self, host: HostKernel) -> AdapterKernel:
        is_second = self._positions[host.name].step == 2
        patch = AdapterKernel(
            topology=Options.Topology.Name(self.options.topology),
            rank=self._rank(host),
            left_only=self.options.left_only,
            weight_decay=_DECAYS.get(
                self.options.decay, self.options.weight_decay
            ),
            dropout=self.options.dropout if is_second else 0.0,
            name=base.layer_name(host),
        )
        patch.build(host.variable.shape)
        return patch

    def check(self, hosts: Hosts) -> None:
        self._positions = positions(hosts)
        patched = [host for host in hosts.kernels if self.patches(host)]
        self._check_placement(hosts, patched)
        for host in patched:
            self._check_kernel(host)
        self._check_start(patched)

    def _check_start(self, patched: list[HostKernel]) -> None:
        edits = [self._start_of(host) for host in patched]
        if self.options.left_only and not any(
            isinstance(edit, adapter_edits.PRODUCTS) for edit in edits
        ):
            raise ValueError(
                "`residual_adapter.left_only` is for adapters that "
                "`init_from_patch` gives as products. Received: "
                f"{'whole ones' if self.start else 'none'} {_WHERE}"
            )

    def _rank(self, host: HostKernel) -> int:
        edit = self._start_of(host)
        if edit is None:
            return self.options.rank if _is_pointwise(host) else 0
        is_product = isinstance(edit, adapter_edits.PRODUCTS)
        return len(edit.values) if is_product else 0

    def _start_of(self, host: HostKernel) -> adapter_edits.AdapterEdit | None:
        """The edit that the training starts from; None if from the base."""
        if not self.start:
            return None
        edit = self.start.get(host.name)
        topology = Options.Topology.Name(self.options.topology)
        parallel = isinstance(edit, adapter_edits.AT_CENTRE)
        if (
            not isinstance(edit, adapter_edits.ADAPTERS)
            or parallel != (self.options.topology == Options.PARALLEL)
            or not adapter_edits.fits(edit, tuple(host.variable.shape))
        ):
            raise ValueError(
                "`init_from_patch` must have an adapter of this topology and "
                "shape at every kernel of the placement. Received: "
                f"{_described(edit)} at {host.name}, whose adapter is "
                f"{topology} {_WHERE}"
            )
        self._check_rank_of_start(edit, host)
        return edit

    def _check_rank_of_start(
        self, edit: adapter_edits.AdapterEdit, host: HostKernel
    ) -> None:
        rank = self.options.rank
        is_product = isinstance(edit, adapter_edits.PRODUCTS)
        # Where a kernel is larger, an adapter of low rank is whole too.
        agrees = (
            len(edit.values) == rank if is_product else not _is_pointwise(host)
        )
        if rank and not agrees:
            found = (
                f"one of {len(edit.values)}" if is_product else "a whole one"
            )
            raise ValueError(
                "With `init_from_patch`, adapters have the rank that they have "
                "there; leave `residual_adapter.rank` out, and presets that "
                f"set it. Received: {rank}, and {found} at {host.name} "
                f"{_WHERE}"
            )

    def _is_placed(self, host: HostKernel) -> bool:
        position = self._positions.get(host.name)
        placement = self.options.placement
        if position is None or placement == Options.ALL:
            return True
        if placement == Options.SECOND_OF_BLOCK:
            return position.step == 2
        return position.trunk == _TRUNKS[placement]

    def _check_placement(self, hosts: Hosts, patched: list[HostKernel]) -> None:
        placement = Options.Placement.Name(self.options.placement)
        if not patched:
            placed = [host for host in hosts.kernels if self._is_placed(host)]
            raise ValueError(
                "`residual_adapter.placement` must hold a convolution that is "
                f"not depthwise. Received: {placement}, with {len(placed)} of "
                f"the base's {len(hosts.kernels)} kernels there, all of them "
                f"depthwise {_WHERE}"
            )
        if self.options.rank and not any(map(_is_pointwise, patched)):
            raise ValueError(
                "`residual_adapter.rank` is for 1 x 1 kernels; leave it out, "
                f"or choose another `placement`. Received: {self.options.rank} "
                f"and placement {placement}, which holds none {_WHERE}"
            )
        seconds = (self._positions[host.name].step == 2 for host in patched)
        if self.options.dropout and not any(seconds):
            raise ValueError(
                "`residual_adapter.dropout` is for the second adapter of each "
                f"residual block. Received: {self.options.dropout:g} and "
                f"placement {placement}, which holds none {_WHERE}"
            )

    def _check_kernel(self, host: HostKernel) -> None:
        height, width, inputs, outputs = host.variable.shape
        is_parallel = self.options.topology == Options.PARALLEL
        channels = min(inputs, outputs) if is_parallel else outputs
        if _is_pointwise(host) and self.options.rank > channels:
            raise ValueError(
                "`residual_adapter.rank` must be at most the channels of every "
                f"1 x 1 kernel. Received: {self.options.rank}, and {host.name} "
                f"has {channels} {_WHERE}"
            )
        if is_parallel and not (height % 2 and width % 2):
            raise ValueError(
                "A parallel adapter needs a kernel with a centre, of odd "
                f"height and width. Received: {host.name} of {height} x "
                f"{width}; choose `topology: SERIES` or another `placement` "
                f"{_WHERE}"
            )
        if not is_parallel and outputs > MAX_MIXED_OUTPUTS:
            raise ValueError(
                "A patch file mixes the outputs of a kernel of at most "
                f"{MAX_MIXED_OUTPUTS}. Received: {host.name} with {outputs}; "
                f"choose `topology: PARALLEL` or another `placement` {_WHERE}"
            )


def _is_pointwise(host: HostKernel) -> bool:
    return tuple(host.variable.shape[:2]) == (1, 1)


def _described(edit: Edit | None) -> str:
    if edit is None:
        return "none"
    values = getattr(edit, "values", None)
    return f"{type(edit).__name__} of shape {np.shape(values)}"

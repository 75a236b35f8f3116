"""Some blocks of the backbone train, and what follows it: SpotTune's rivals."""

from __future__ import annotations

import numpy as np

from object_detection_patch.hosts import Hosts
from object_detection_patch.methods import base
from object_detection_patch.methods.block_layers import main_path_block
from object_detection_patch.methods.positions import after
from object_detection_patch.protos import patch_pb2

_PART = "block_tuning"


class BlockTuning(base.Part):
    """Trains the last blocks, or some that chance picks; ships them whole.

    Heads train in every patch. Without blocks and neck the base is a feature
    extractor.

    Reference: SpotTune, Guo et al., Section 4.1, "Fine-tuning last-k",
    "Stochastic Fine-tuning" and "Feature Extractor".
    """

    shares_base = True

    def __init__(self, options: patch_pb2.BlockTuning) -> None:
        super().__init__(options)
        base.check_option(
            _PART,
            "share",
            options.share,
            minimum=0.0,
            open_=False,
            maximum=1.0,
        )
        if options.last and options.share:
            raise ValueError(
                f"`{_PART}` takes `last` or `share`. Received: last "
                f"{options.last} and share {options.share:g} "
                "(pipeline.config, [object_detection_patch.patch])."
            )
        self._chosen: frozenset[str] = frozenset()
        self._neck: set[str] = set()

    def check(self, hosts: Hosts) -> None:
        names = _blocks(hosts)
        if not names and (self.options.neck or self.options.share):
            raise ValueError(
                f"`{_PART}` needs a backbone of residual blocks, a MobileNet "
                "or a ResNet. Received: one without any (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        if self.options.last > len(names):
            raise ValueError(
                f"`{_PART}.last` must be at most the number of blocks that "
                f"the backbone has, {len(names)}. Received: "
                f"{self.options.last} (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        self._chosen = frozenset(self._choose(names))
        if self.options.neck:
            inside = {h.name for h in hosts if main_path_block(h.layer)}
            self._neck = {host.name for host in after(hosts, inside)}
        base.refuse_unfoldable(hosts, self.patches)

    def patches(self, host: base.Host) -> bool:
        """Known once `check` has seen all hosts."""
        if host.name in self._neck:
            return True
        return main_path_block(host.layer) in self._chosen

    def attach(self, host: base.Host) -> base.HostPatch:
        return base.attach_trained(host)

    def _choose(self, names: list[str]) -> list[str]:
        if self.options.last:
            return names[-self.options.last :]
        count = round(self.options.share * len(names))
        chance = np.random.default_rng(self.options.seed)
        return list(chance.choice(names, count, replace=False))


def _blocks(hosts: Hosts) -> list[str]:
    found = [main_path_block(host.layer) for host in hosts.kernels]
    return [name for name in dict.fromkeys(found) if name is not None]

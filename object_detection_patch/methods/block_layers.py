"""Which residual block a layer belongs to, told by its name.

tf_keras names the layers of its applications so, and the Object Detection API
keeps the names: `block_3_expand_BN`, `expanded_conv_depthwise` (MobileNetV2),
`expanded_conv_3/squeeze_excite/Conv` (MobileNetV3), `conv2_block1_0_conv`
(ResNet).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

DEPTHWISE, PROJECT = "depthwise", "project"
SQUEEZE_EXCITE = "squeeze_excite"
# Of a ResNet: what is on the shortcut.
SHORTCUT = "0"
_INVERTED = re.compile(
    r"(?P<block>block_\d+|expanded_conv(?:_\d+)?)[_/]"
    r"(?P<role>pad|expand|depthwise|project|squeeze_excite)(?:[_/].*)?"
)
_RESNET = re.compile(r"(?P<block>conv\d+_block\d+)_(?P<role>\d)_.*")


@dataclasses.dataclass(frozen=True)
class BlockLayer:
    """A layer's place.

    Args:
      block: as in the layer's name, `block_3` or `conv2_block1`.
      role: what it does in an inverted residual block, `expand`, `depthwise`,
        `project`, `squeeze_excite` or `pad`; in a ResNet its number, "0" on
        the shortcut.
    """

    block: str
    role: str

    @property
    def is_inverted(self) -> bool:
        """Whether the block is a MobileNet's."""
        return not self.role.isdecimal()


def block_layer(layer: Any) -> BlockLayer | None:
    """A Keras layer's place; None outside of blocks, or after an addition."""
    for pattern in (_INVERTED, _RESNET):
        match = pattern.fullmatch(layer.name)
        if match:
            return BlockLayer(match["block"], match["role"])
    return None


def main_path_block(layer: Any) -> str | None:
    """Name of the block whose main path a layer is on."""
    found = block_layer(layer)
    return found.block if found and found.role != SHORTCUT else None

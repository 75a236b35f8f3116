"""What makes an article of a shop."""

import dataclasses

from tfrecords_tools.synthetic.paint import Colour


@dataclasses.dataclass(frozen=True, kw_only=True)
class Product:
    """One article of the shop.

    Args:
        package: a key of `rpc_packages.PACKAGES`.
        label: a key of `rpc_labels.LABELS`.
        ground, print, accent: colours of package, label and details.
        size: half its length, of a usual article's.
    """

    package: str
    label: str
    ground: Colour
    print: Colour
    accent: Colour
    size: float = 1.0

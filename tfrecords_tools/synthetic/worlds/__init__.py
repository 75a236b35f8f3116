"""Ten worlds, one file each; the registry is what the folder holds.

A world is a module with

    KEY: str                          key of the dataset, as of its converter
    CLASS_NAMES: tuple[str, ...]      in the order of the label map
    draw_image(rng, side) -> NativeImage

`draw_image` takes every choice from `rng`, so equal generators give equal
bytes; `side` is the picture's height in pixels.
"""

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

__all__ = ["worlds"]


@functools.cache
def worlds() -> Mapping[str, ModuleType]:
    """The worlds' modules by key, in alphabetical order."""
    found: dict[str, ModuleType] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        if module.KEY in found:
            raise ValueError(
                f"A world's key must be unique. Received twice: "
                f"{module.KEY!r} ({module.__name__})"
            )
        found[module.KEY] = module
    return MappingProxyType(dict(sorted(found.items())))

"""Ten datasets, one file each; the registry is what the folder holds."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from tfrecords_tools.converters.base import SPLITS, Converter

__all__ = ["SPLITS", "Converter", "converters"]


@functools.cache
def converters() -> Mapping[str, type[Converter]]:
    """Converter classes by key, in alphabetical order."""
    found: dict[str, type[Converter]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            is_own = kind.__module__ == module.__name__
            if is_own and issubclass(kind, Converter) and kind is not Converter:
                if kind.key in found:
                    raise ValueError(
                        f"A converter's key must be unique. Received twice: "
                        f"{kind.key!r} ({module.__name__})"
                    )
                found[kind.key] = kind
    return MappingProxyType(dict(sorted(found.items())))

"""WHAT is learned: the registry of parts, and patches built from them.

The registry reads the arms of `Part.part` in protos/patch.proto and imports
the module of that name: a new part is one file and one arm.
"""

from __future__ import annotations

import importlib
import inspect

from object_detection_patch import keras_version
from object_detection_patch.hosts import Hosts
from object_detection_patch.protos import patch_pb2

# Before the modules below import TensorFlow.
keras_version.choose_legacy_keras()

from object_detection_patch.methods import (  # noqa: E402
    base,
    budget,
    fake_quantize,
    grid,
    presets,
    start,
)
from object_detection_patch.methods.patch_method import (  # noqa: E402
    OtherPatchError,
    PatchMethod,
)

__all__ = [
    "OtherPatchError",
    "PatchMethod",
    "build",
    "part_class",
    "part_names",
]


def part_names() -> list[str]:
    """The arms of `Part.part`."""
    oneof = patch_pb2.Part.DESCRIPTOR.oneofs_by_name["part"]
    return [field.name for field in oneof.fields]


def part_class(name: str) -> type[base.Part]:
    """The one class derived from `base.Part` in the module `name`."""
    module = importlib.import_module(f"{__name__}.{name}")
    (found,) = (
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, base.Part)
        and member.__module__ == module.__name__
    )
    return found


def check(config: patch_pb2.Patch) -> None:
    """Raises ValueError for options that no base model could carry."""
    _parts(config)
    start.of_config(config)
    fake_quantize.of_config(config)
    grid.of_config(config)
    budget.of_config(config)


def check_shared(config: patch_pb2.Patch) -> None:
    """Raises ValueError for a part beside which the base may not train."""
    if budget.of_config(config) is not None:
        raise ValueError(
            "Tasks that train one base together have no bound on their files. "
            "Received: `target_file_bytes` (pipeline.config, "
            "[object_detection_patch.patch])."
        )
    if grid.of_config(config).batch_norm_bits:
        raise ValueError(
            "Tasks that train one base together cannot put BatchNorms on a "
            "grid: it would lie elsewhere on the base that comes out. "
            "Received: `grid.batch_norm_bits` (pipeline.config, "
            "[object_detection_patch.patch])."
        )
    for name, part in _parts(config).items():
        if not part.shares_base:
            able = [n for n in part_names() if part_class(n).shares_base]
            raise ValueError(
                "Tasks that train one base together may keep these to "
                f"themselves: {', '.join(f'`{n}`' for n in able)}. Received: "
                f"`{name}`, which as written needs a base that stays as it is "
                "(pipeline.config, [object_detection_patch.patch])."
            )


def build(config: patch_pb2.Patch, hosts: Hosts) -> PatchMethod:
    """Builds the patch of `config` for a base model; attaches nothing yet.

    Raises:
      ValueError: for options outside their range, two parts that claim one
        host, or a base model that cannot carry a part.
    """
    parts = _parts(config)
    starts_from = start.of_config(config)
    if starts_from is not None:
        edits = {edit.target: edit for edit in starts_from.edits}
        for part in parts.values():
            part.start_from(edits)
    return PatchMethod(
        parts=parts,
        hosts=hosts,
        method=presets.method_name(config),
        quantize=fake_quantize.of_config(config),
        grid=grid.of_config(config),
        target=budget.of_config(config),
        starts_from=starts_from,
        freeze_heads=presets.freezes_heads(config),
    )


def _parts(config: patch_pb2.Patch) -> dict[str, base.Part]:
    parts = {}
    for part in presets.resolve_parts(config):
        name = part.WhichOneof("part")
        parts[name] = part_class(name)(getattr(part, name))
    return parts

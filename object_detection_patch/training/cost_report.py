"""The cost of a config's patch before it is trained."""

from __future__ import annotations

from typing import Any

from object_detection_patch.methods import presets
from object_detection_patch.od_api import pipeline_config
from object_detection_patch.training import cost, file_plan, patched_model

_MIB = 2**20


def count(pipeline_config_path: str, bits: int) -> dict[str, Any]:
    """Counts patch and base of a config, from the built model.

    Returns:
      Parameters and bytes of the base, and the patch with every gate open
      (`all_gates_open`) and with none (`no_gate_open`), both in bits, bytes
      and percent of the base. `class_head_bytes` stand beside them: the
      paper does not count the class head's last layer, but it ships.
      `file_bytes` are of the file as `od-patch extract` writes it, at most,
      labels and metadata apart; `target_file_bytes` of the config, or None.

    Raises:
      ValueError: for a config without a patch or one that cannot be built.
    """
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    config = pipeline_config.require_patch(pipeline, pipeline_config_path)
    model = patched_model.build_patched(pipeline.model, config)
    base = cost.base_size(model.patch.hosts)
    gated = bool(model.patch.gates())
    counted: dict[str, Any] = {
        "method": presets.method_name(config),
        "bits": bits,
        "base": {
            "host_kernels": len(model.patch.hosts.kernels),
            "parameters": base.total,
            "bytes": base.total * bits // 8,
        },
        "gated": gated,
        "target_file_bytes": model.patch.target_file_bytes,
        "all_gates_open": _counted(model.patch, base, bits, "open"),
    }
    if gated:
        counted["no_gate_open"] = _counted(model.patch, base, bits, "closed")
    return counted


def as_text(counted: dict[str, Any]) -> str:
    """The report for people."""
    base = counted["base"]
    lines = [
        f"{counted['method']} on a base of {base['parameters']:,} counted "
        f"parameters ({base['bytes'] / _MIB:.2f} MiB at {counted['bits']} "
        f"bits), {base['host_kernels']} host kernels"
    ]
    names = {
        "all_gates_open": "every gate open" if counted["gated"] else "patch",
        "no_gate_open": "no gate open",
    }
    for key, title in names.items():
        if key in counted:
            row = counted[key]
            lines.append(
                f"  {title:<16} {row['nominal_percent']:7.4f} %  "
                f"{row['nominal_bytes']:>12,} bytes nominal  "
                f"+ {row['class_head_bytes']:,} bytes class head; "
                f"file up to {row['file_bytes']:,} bytes"
            )
    lines.append("  files: labels and metadata apart")
    if counted["target_file_bytes"]:
        lines.append(
            "  target_file_bytes keeps the whole file to "
            f"{counted['target_file_bytes']:,} bytes"
        )
    return "\n".join(lines)


def _counted(method: Any, base: Any, bits: int, gates: Any) -> dict[str, Any]:
    footprint = cost.patch_footprint(method, gates=gates)
    nominal_bits = footprint.nominal_bits(bits=bits)
    return {
        "nominal_bits": nominal_bits,
        "nominal_bytes": -(-nominal_bits // 8),
        "nominal_percent": round(
            100.0 * footprint.fraction(base, bits=bits), 4
        ),
        "class_head_bytes": footprint.class_head_values * bits // 8,
        "file_bytes": file_plan.most_bytes(method, gates),
    }

"""Table 5 of K for the Price of 1 on a detector, and its cascade.

    python benchmarks/resolutions.py --config task.config --out_dir runs/table
        [--resolutions 160 128 96 64]

The config is that of one task with `preset: BN_PATCH`, on a base that the three
columns start from: `S/B patch` and `all shared` are `od-patch train-multitask`,
`independent` is FINE_TUNING, size by size, with the same optimizer and steps.
Each detector's mAP@0.5 is measured on the config's eval records. Parameters are
those of all sizes together, but for the class head's last layer. Trainings that
have ended are not begun again.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from object_detection_patch.cascades import measured, members, report
from object_detection_patch.cli.options import image_size
from object_detection_patch.methods import presets
from object_detection_patch.od_api import (
    compat,
    extractors,
    input_size,
    pipeline_config,
)
from object_detection_patch.patch_file import Patch, ScaleOffset, read_patch

Size = tuple[int, int]


def main() -> int:
    options = _parser().parse_args()
    compat.enable()
    extractors.register()
    out = pathlib.Path(options.out_dir)
    out.mkdir(parents=True, exist_ok=True)
    columns = {
        "S/B patch": _joint(options, out / "patches", "batch_norm"),
        "all shared": _joint(options, out / "shared", "none"),
        "independent": _independent(options, out / "independent"),
    }
    records = list(_records(options.config))
    found = {
        name: list(members.members(*base, patches, records))
        for name, (base, patches) in columns.items()
    }
    table = _table(columns, found)
    cascade = measured.cascade(*measured.halves(found["S/B patch"]))
    whole = {"table": table, "cascade": report.as_json(cascade)}
    (out / "table.json").write_text(json.dumps(whole, indent=2))
    print(json.dumps(table, indent=2))
    print(report.as_text(cascade))
    return 0


Column = tuple[tuple[str, str], list[str]]


def _joint(
    options: argparse.Namespace, model_dir: pathlib.Path, private: str
) -> Column:
    """((config, checkpoint) of the new base, patches) of a joint training."""
    sizes = [input_size.size_text(size) for size in options.resolutions]
    _run(
        "object_detection_patch.cli",
        ["train-multitask", "--tasks", options.config, "--resolutions", *sizes]
        + ["--private", private, "--model_dir", str(model_dir)],
    )
    trained = model_dir / "trained"
    name = pathlib.Path(options.config).stem
    base = str(trained / "base" / "pipeline.config"), str(trained / "base")
    return base, [str(trained / f"{name}_{size}.patch") for size in sizes]


def _independent(options: argparse.Namespace, folder: pathlib.Path) -> Column:
    """The same of FINE_TUNING at each size, on the base of the config."""
    folder.mkdir(exist_ok=True)
    pipeline = pipeline_config.read_pipeline(options.config)
    patches = [
        _fine_tuned(pipeline, size, folder) for size in options.resolutions
    ]
    plain = folder / "base.config"
    _write(plain, pipeline_config.without_patch(pipeline))
    checkpoint = pipeline.train_config.fine_tune_checkpoint
    return (str(plain), checkpoint), patches


def _fine_tuned(pipeline: Any, size: Size, folder: pathlib.Path) -> str:
    text = input_size.size_text(size)
    patch = folder / f"{text}.patch"
    config, work = folder / f"{text}.config", folder / text
    sized = input_size.with_size(pipeline, size)
    patch_message = pipeline_config.require_patch(sized, str(config))
    patch_message.CopyFrom(presets.patch_config("FINE_TUNING"))
    if patch.exists() and config.read_text() == _text(sized):
        return str(patch)
    if config.exists() and config.read_text() != _text(sized):
        raise SystemExit(f"{config} is of another training: use a new folder.")
    _write(config, sized)
    steps = sized.train_config.num_steps
    given = [f"--pipeline_config_path={config}", f"--model_dir={work}"]
    _run(
        "object_detection_patch.model_main_tf2",
        [*given, f"--checkpoint_every_n={min(steps, 1000)}"],
    )
    _run(
        "object_detection_patch.cli",
        ["extract", "--pipeline_config_path", str(config)]
        + ["--checkpoint_dir", str(work), "--output", str(patch)],
    )
    return str(patch)


def _write(path: pathlib.Path, pipeline: Any) -> None:
    path.write_text(_text(pipeline))


def _text(pipeline: Any) -> str:
    from google.protobuf import text_format

    return str(text_format.MessageToString(pipeline))


def _records(config: str) -> Sequence[str]:
    (reader,) = pipeline_config.read_pipeline(config).eval_input_reader
    return reader.tf_record_input_reader.input_path


def _table(
    columns: dict[str, Column], found: dict[str, list[members.Member]]
) -> dict[str, Any]:
    return {
        name: {
            "mAP": {
                input_size.size_text(one.image_size): measured.alone(one)
                for one in found[name]
            },
            "parameters": _parameters(name, patches),
        }
        for name, (_, patches) in columns.items()
    }


def _parameters(column: str, paths: Sequence[str]) -> int:
    """Of all sizes together: one base, and what the others have beside it."""
    patches = [read_patch(path) for path in paths]
    base = int(patches[0].metadata["base_parameters"])
    if column == "independent":
        return len(patches) * base
    return base + sum(map(_own, patches[1:]))


def _own(patch: Patch) -> int:
    """Scales and shifts; heads are shared."""
    return sum(
        edit.scale.size + edit.offset.size
        for edit in patch.edits
        if isinstance(edit, ScaleOffset)
    )


def _run(module: str, arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Table 5 of K for the Price of 1 on one detection task."
    )
    parser.add_argument("--config", required=True, help="with BN_PATCH")
    parser.add_argument("--out_dir", required=True)
    parser.add_argument(
        "--resolutions",
        nargs="+",
        type=image_size,
        default=[(160, 160), (128, 128), (96, 96), (64, 64)],
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""What a patch weighs, and what applying it costs, beside general tools.

    python benchmarks/phone.py --work_dir DIR [--rounds 15] [--json FILE]

The detector is the stock 320x320 SSD MobileNetV2 FPNLite of 90 classes with
seeded random weights; patches are for 20 classes. Making bases and models to
compare with takes half an hour once; DIR keeps them. Whatever is timed takes
turns, so what counts is the ratio. Tools that are not installed are named and
left out.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import tempfile
from typing import Any

import phone_files
import phone_measured
import phone_peers
import phone_table
import phone_timing
import phone_weights
from phone_files import Files, say

_QUICK_ROUNDS = 3


def main() -> int:
    options = _parser().parse_args()
    sys.path += options.import_folder
    files = Files(pathlib.Path(options.work_dir), options.architecture)
    found: dict[str, Any] = {
        "architecture": options.architecture,
        "missing": _missing(),
        "sizes": _sizes(files, pathlib.Path(options.work_dir) / "deltas"),
    }
    if phone_timing.can_build():
        found |= _measured(files, options)
    text = phone_table.markdown(found)
    print(text)
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps(found, indent=2) + "\n", encoding="utf-8"
        )
    return 0


def _sizes(files: Files, deltas: pathlib.Path) -> list[dict[str, Any]]:
    """For each precision and gates: bytes of patches and of deltas."""
    tools = [tool.name for tool in phone_peers.available()]
    tools += [phone_peers.HDIFFPATCH] * phone_peers.has_hdiffpatch()
    rows = []
    for precision in phone_files.PRECISIONS:
        for gates in phone_weights.GATES:
            say(f"sizes: {precision}, {gates} open")
            applications = {
                encoding: files.application(precision, gates, encoding)
                for encoding in phone_files.ENCODINGS
            }
            rows.append(
                {
                    "precision": precision,
                    "gates": gates,
                    "masked_weights": files.masked_weights(gates),
                    "base": applications["exact"].base.stat().st_size,
                    "sidecar": applications["exact"].sidecar.stat().st_size,
                    "patch": {
                        encoding: one.patch.stat().st_size
                        for encoding, one in applications.items()
                    },
                    "others": {
                        pair: {
                            name: phone_peers.delta(name, *both, deltas)
                            .stat()
                            .st_size
                            for name in tools
                        }
                        for pair, both in files.pairs(precision, gates).items()
                    },
                }
            )
    return rows


def _measured(files: Files, options: argparse.Namespace) -> dict[str, Any]:
    folder = tempfile.TemporaryDirectory(prefix="out-", dir=options.work_dir)
    say("compiling the C++ applier")
    with phone_timing.built() as programs, folder as output:
        bench = phone_measured.Bench(
            files,
            programs,
            pathlib.Path(output),
            deltas=pathlib.Path(options.work_dir) / "deltas",
            rounds=_QUICK_ROUNDS if options.quick else options.rounds,
            import_folders=options.import_folder,
        )
        return {"rounds": bench.rounds, "applications": bench.measure()}


def _missing() -> list[str]:
    there = {tool.name for tool in phone_peers.available()}
    missing = [
        f"{tool.name} (no program {tool.program})"
        for tool in phone_peers.TOOLS
        if tool.name not in there
    ]
    if not phone_peers.has_hdiffpatch():
        missing.append("HDiffPatch (no Python package hdiffpatch)")
    if not phone_timing.can_build():
        missing.append("the C++ applier (no cmake or no c++)")
    return missing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--work_dir",
        required=True,
        help="keeps what was made, on the disk to measure on",
    )
    parser.add_argument(
        "--architecture",
        choices=sorted(phone_files.ARCHITECTURES),
        default="stock",
        help="stock: 1280 filters at the end; narrow: 256; mini: 96 pixels",
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_ROUNDS} rounds: does it run?",
    )
    parser.add_argument(
        "--import_folder",
        action="append",
        default=[],
        help="site-packages folder with hdiffpatch, where it is not installed",
    )
    parser.add_argument("--json", help="file for all numbers")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Writes the folder of attack files and the table of README.md.

python tests/tflite/attacks/write_files.py
"""

from __future__ import annotations

import pathlib
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from attacks import (
    bases,
    patch_adapters,
    patch_counts,
    patch_directory,
    patch_fit,
    patch_frames,
    patch_sections,
    patch_texts,
    sidecar_counts,
    sidecar_frames,
    sidecar_kernels,
    sidecar_places,
    sidecar_sizes,
    sidecar_uses,
)
from attacks.attempt import FILES, Attempt, sound_files

README = pathlib.Path(__file__).with_name("README.md")
MARK = "<!-- what follows is written by write_files.py -->\n"
_MODULES = (
    *(patch_frames, patch_counts, patch_directory, patch_sections),
    *(patch_texts, patch_fit, patch_adapters, sidecar_frames, sidecar_counts),
    *(sidecar_places, sidecar_sizes, sidecar_uses, sidecar_kernels, bases),
)
ATTEMPTS: tuple[Attempt, ...] = tuple(
    attempt for module in _MODULES for attempt in module.ATTEMPTS
)


def files() -> dict[str, bytes]:
    """Name -> bytes of all files of the folder."""
    made = {attempt.path.name: attempt.made() for attempt in ATTEMPTS}
    return {**sound_files(), **made}


def tables() -> str:
    """What README.md says of each attempt."""
    return "".join(map(_table, _MODULES))


def _table(module: object) -> str:
    title = str(module.__doc__).strip()
    lines = [f"\n## {title}\n\n", "| file | attempt | outcome |\n"]
    lines.append("| --- | --- | --- |\n")
    for attempt in module.ATTEMPTS:
        outcome = "accepted"
        if attempt.error is not None:
            outcome = f"`{attempt.error.__name__}`"
        lines.append(
            f"| `{attempt.path.name}` | {attempt.what} | {outcome} |\n"
        )
    return "".join(lines)


def main() -> None:
    FILES.mkdir(exist_ok=True)
    made = files()
    for path in FILES.iterdir():
        if path.name not in made:
            path.unlink()
    for name, data in made.items():
        (FILES / name).write_bytes(data)
    head = README.read_text(encoding="utf-8").split(MARK)[0]
    README.write_text(head + MARK + tables(), encoding="utf-8")


if __name__ == "__main__":
    main()

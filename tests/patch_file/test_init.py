"""The room's promise: numpy and the standard library, nothing else."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def test_import_loads_no_framework():
    code = (
        "import sys; before = set(sys.modules)\n"
        "import object_detection_patch.patch_file\n"
        "import object_detection_patch.footprint\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ).stdout.split()

    foreign = set(loaded) - set(sys.stdlib_module_names)
    assert foreign == {"numpy", "object_detection_patch"}

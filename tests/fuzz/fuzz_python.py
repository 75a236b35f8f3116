"""Runs one Python target under atheris.

python tests/fuzz/fuzz_python.py TARGET [options of libFuzzer] [folders]
"""

from __future__ import annotations

import pathlib
import sys

import atheris

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
with atheris.instrument_imports(include=["object_detection_patch"]):
    from fuzz import targets


def main() -> None:
    target = targets.TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

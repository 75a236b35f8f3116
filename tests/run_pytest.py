"""`make test` for Bazel, which starts a file and not a module."""

import pathlib
import sys

import pytest

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent
    sys.exit(pytest.main(["-m", "not slow", str(folder), *sys.argv[1:]]))

"""What the plain install, which brings numpy alone, can import and do."""

from __future__ import annotations

import pathlib

from object_detection_patch import patch_file
from object_detection_patch.tflite import sidecar_file, store
from tests.tflite import tiny_base

_PACKAGE = pathlib.Path(__file__).parents[2] / "object_detection_patch"
_ROOMS = ("adapters", "cli", "patch_file", "tflite")
_FILES = ("__init__.py", "cli_main.py", "doctor.py", "footprint.py")
# flatbuffers comes with the extras `train` and `litert`.
_WITH_FLATBUFFERS = ("tflite.metadata_schema", "tflite.model_metadata")
_IMPORT_ALL = """
import importlib
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(name, error.name)
"""


def _modules() -> list[str]:
    paths = [_PACKAGE / name for name in _FILES]
    for room in _ROOMS:
        paths += sorted((_PACKAGE / room).rglob("*.py"))
    return [
        ".".join(
            path.relative_to(_PACKAGE.parent).with_suffix("").parts
        ).removesuffix(".__init__")
        for path in paths
        if path.name != "__main__.py"
    ]


def test_every_module_that_it_can_reach(with_numpy_alone):
    done = with_numpy_alone(*_modules(), script=_IMPORT_ALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{_PACKAGE.name}.{name} flatbuffers" for name in _WITH_FLATBUFFERS
    ]


def test_a_store(with_numpy_alone, tmp_path):
    tiny = tiny_base.make("float32")
    base, patch = tmp_path / "base.tflite", tmp_path / "task.patch"
    base.write_bytes(tiny.model)
    base.with_suffix(".odpatch").write_bytes(
        sidecar_file.to_bytes(tiny.sidecar)
    )
    patch.write_bytes(patch_file.to_bytes(tiny_base.patch_for(tiny)))
    for words in (
        ["init", f"--base={base}"],
        ["add", f"--patch={patch}", "--name=task"],
        ["activate", "task"],
        ["list"],
    ):
        done = with_numpy_alone("store", *words, f"--store={tmp_path / 'all'}")
        assert (done.returncode, done.stderr) == (0, ""), words
    assert store.active_name(tmp_path / "all") == "task"

"""setup.py, pyproject.toml and protos/: what gets built and installed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from object_detection_patch.od_api import install

_ROOT = pathlib.Path(__file__).parents[1]
_PROTOS = "object_detection_patch/protos"
_LOCKS = ["requirements/build.lock", "requirements/dev.lock"]
_LOCKS += [
    "object_detection_patch/od_api/od_api.lock",
    "requirements/fuzz.lock",
]
_WHATEVER_MAKE_LEAVES = shutil.ignore_patterns(
    ".*",
    "build",
    "dist",
    "demo_output",
    "*.egg-info",
    "__pycache__",
    "*_pb2.py",
)


def _protoc(output, *includes):
    names = ("patch.proto", "pipeline_extension.proto")
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc"),
            *(f"-I{include}" for include in includes),
            f"-I{_PROTOS}={_ROOT / 'protos'}",
            f"--python_out={output}",
            *(f"{_PROTOS}/{name}" for name in names),
        ],
        check=True,
        # Else the tests' own warning filters would reach protoc.
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in (output / _PROTOS).iterdir()
    }


def test_the_stand_in_compiles_to_the_code_of_the_real_proto(tmp_path):
    stand_in, real = tmp_path / "stand_in", tmp_path / "real"
    stand_in.mkdir()
    real.mkdir()
    od_api = install.find_od_api()
    assert (od_api.folder / "protos" / "pipeline.proto").is_file()
    expected = _protoc(real, od_api.folder.parent)
    assert sorted(expected) == ["patch_pb2.py", "pipeline_extension_pb2.py"]
    assert _protoc(stand_in, _ROOT / "protos" / "stand_in") == expected
    # What was built here is up to date.
    for name, text in expected.items():
        assert (_ROOT / _PROTOS / name).read_text(encoding="utf-8") == text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in a wheel built from a tree that nothing was built in."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(_ROOT, source, ignore=_WHATEVER_MAKE_LEAVES)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check"),
            *("wheel", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--no-index", "--wheel-dir", str(folder), str(source)),
        ],
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_only_our_names_are_installed(wheel):
    tops = {name.partition("/")[0] for name in wheel}
    (metadata,) = (top for top in tops if top.endswith(".dist-info"))
    assert tops == {"object_detection_patch", "tfrecords_tools", metadata}


def test_every_module_and_the_data_are_installed(wheel):
    for folder in ("object_detection_patch", "tfrecords_tools"):
        for path in (_ROOT / folder).rglob("*.py"):
            assert path.relative_to(_ROOT).as_posix() in wheel
    assert f"{_PROTOS}/patch_pb2.py" in wheel
    assert f"{_PROTOS}/pipeline_extension_pb2.py" in wheel
    assert "object_detection_patch/od_api/od_api.lock" in wheel
    for room in ("adapters", "patch_file", "tflite"):
        assert f"object_detection_patch/{room}/FORMAT.md" in wheel
    report = _ROOT / "object_detection_patch/decathlon/report"
    for path in (*report.glob("*_figures.json"), *report.glob("page.*")):
        assert path.relative_to(_ROOT).as_posix() in wheel


def test_the_metadata(wheel):
    (name,) = (name for name in wheel if name.endswith("dist-info/METADATA"))
    metadata = wheel[name].decode()
    plain = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    assert plain == ["Requires-Dist: numpy>=1.26"]
    assert "\nRequires-Python: <3.13,>=3.10\n" in metadata
    entry = wheel[name.replace("METADATA", "entry_points.txt")].decode()
    assert "od-patch = object_detection_patch.cli:program" in entry


@pytest.mark.parametrize("name", _LOCKS)
def test_a_lock_pins_every_package_by_hash(name):
    text = (_ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^(?![ #]).*(?:\n +--hash=.*)*", text, re.MULTILINE)
    entries = [entry for entry in entries if entry]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+( ; .*)? \\\n", entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text

"""Adds to pyproject.toml what it cannot say: our packages and our protos.

The packages are picked by name, so that `protos`, `configs` and `tests` never
install as top-level packages. The protos are compiled before anything is
packed, for wheels and for editable installs alike, into the git-ignored
modules object_detection_patch/protos/*_pb2.py.
"""

import pathlib
import subprocess
import sys

from setuptools import Command, find_packages, setup
from setuptools.command.build import build

_ROOT = pathlib.Path(__file__).resolve().parent
_GENERATED = "object_detection_patch/protos"
_PACKAGES = ("object_detection_patch", "tfrecords_tools")
_PACKAGE_DATA = {
    "object_detection_patch.adapters": ["*.md"],
    "object_detection_patch.decathlon.report": [
        *("*.json", "page.css", "page.html", "page.js"),
    ],
    "object_detection_patch.decathlon.suite": ["kept_bases/*/*"],
    "object_detection_patch.od_api": ["*.lock"],
    "object_detection_patch.patch_file": ["*.md"],
    "object_detection_patch.tflite": ["*.md"],
}


class BuildProtos(Command):
    """Compiles protos/*.proto with the protoc of grpcio-tools.

    protos/stand_in takes the place of the OD API's own .proto files, so the
    build needs no OD API: generated code holds nothing of what it imports
    except names.
    """

    description = "compile protos/*.proto into object_detection_patch/protos"
    user_options: list[tuple[str, str, str]] = []
    editable_mode = False
    build_lib = None

    def initialize_options(self) -> None:
        self.sources: list[str] = []

    def finalize_options(self) -> None:
        self.sources = sorted(
            path.name for path in (_ROOT / "protos").glob("*.proto")
        )

    def run(self) -> None:
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc"),
                f"-I{_GENERATED}=protos",
                "-Iprotos/stand_in",
                "--python_out=.",
                *(f"{_GENERATED}/{name}" for name in self.sources),
            ],
            check=True,
            cwd=_ROOT,
        )

    def get_source_files(self) -> list[str]:
        paths = (_ROOT / "protos").rglob("*.proto")
        return [path.relative_to(_ROOT).as_posix() for path in sorted(paths)]

    def get_outputs(self) -> list[str]:
        return []  # build_py packs the modules and lists them.

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class Build(build):
    """The ordinary build, with the protos compiled first."""

    sub_commands = [("build_protos", None), *build.sub_commands]


setup(
    packages=find_packages(
        include=[
            pattern for name in _PACKAGES for pattern in (name, f"{name}.*")
        ]
    ),
    package_data=_PACKAGE_DATA,
    cmdclass={"build": Build, "build_protos": BuildProtos},
)

"""Puts the OD API beside us, unless the user has one.

It is on no package index under its own name. One wheel carries a complete
copy of its TF2 era; `od_api.lock` pins that wheel and a protoc by hash. Only
its folder `object_detection` is taken, with its protos compiled anew, because
the wheel's own generated code fails on protobuf 4 and later.

Needs neither TensorFlow nor the OD API. `python -m
object_detection_patch.od_api.install` is `od-patch install-od-api`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator

_PACKAGE = "object_detection"
_LOCK = pathlib.Path(__file__).with_name("od_api.lock")
_WHEEL_FOLDER = "picsellia_tf2"
# Lies in the folder that we installed, and in no other copy of the OD API.
_MARK = "INSTALLED_BY_OBJECT_DETECTION_PATCH"
_STAGING = ".object_detection_patch_staging_"
_STAGING_LIFETIME_SECONDS = 3600.0


class OdApiInstallError(OSError):
    """The OD API could not be put in place; nothing was changed."""


@dataclasses.dataclass(frozen=True)
class OdApi:
    """An importable OD API.

    Args:
      folder: where `object_detection` lies.
      ours: True if `install_od_api` put it there.
    """

    folder: pathlib.Path
    ours: bool

    def shortcoming(self) -> str | None:
        """What is missing in this copy and how to mend it; None if nothing."""
        if not (self.folder / "model_lib_v2.py").is_file():
            return (
                f"The package `{_PACKAGE}` must be a TF2-era OD API. Received: "
                f"{self.folder}, which has no model_lib_v2.py. Mend: take it "
                "off sys.path, then run `od-patch install-od-api`"
            )
        if not (self.folder / "protos" / "pipeline_pb2.py").is_file():
            return (
                "The protos of the OD API must be compiled. Received: "
                f"{self.folder}, which is your own and whose protos are not. "
                f"Mend: cd {self.folder.parent} && protoc --python_out=. "
                f"{_PACKAGE}/protos/*.proto"
            )
        return None

    def describe(self) -> str:
        owner = "installed by od-patch" if self.ours else "your own"
        return f"{self.folder} ({owner})"


def find_od_api() -> OdApi | None:
    """The `object_detection` that Python would import; imports nothing."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec(_PACKAGE)
    # Without an origin it is any folder of that name, and a package installed
    # later wins over it.
    if spec is None or spec.origin is None:
        return None
    folder = pathlib.Path(spec.origin).parent
    return OdApi(folder, (folder / _MARK).is_file())


def install_od_api(site_packages: pathlib.Path | None = None) -> OdApi:
    """Installs the OD API if none is importable, and says what it did.

    The folder appears complete or not at all: it is prepared beside its place
    and renamed.

    Args:
      site_packages: where to put it; the running Python's own by default.

    Returns:
      The OD API that was there, untouched, or the new one.

    Raises:
      OdApiInstallError: if fetching, compiling or writing failed, or the
        importable package is incomplete or no OD API at all.
    """
    found = find_od_api()
    if found is not None:
        if shortcoming := found.shortcoming():
            raise OdApiInstallError(shortcoming)
        print(f"Nothing to do: {_PACKAGE} is importable, {found.describe()}")
        return found
    target = site_packages or pathlib.Path(sysconfig.get_path("purelib"))
    _require_writable(target)
    print("Fetching the OD API (20 MB) and the compiler of its protos")
    with tempfile.TemporaryDirectory() as work:
        _fetch(pathlib.Path(work))
        source = pathlib.Path(work) / _WHEEL_FOLDER
        _compile_protos(source, tools=pathlib.Path(work))
        (source / _PACKAGE / _MARK).write_text(_mark_text(), encoding="utf-8")
        _put_in_place(source / _PACKAGE, target)
    installed = OdApi(target / _PACKAGE, ours=True)
    print(f"{_PACKAGE} is now in {installed.describe()}")
    return installed


def _require_writable(target: pathlib.Path) -> None:
    if not os.access(target, os.W_OK):
        raise OdApiInstallError(
            "The OD API goes into the packages of the running Python, which "
            f"must be writable. Received: {target}, which is not. Mend: run "
            "this in a virtual environment of your own"
        )


def _fetch(folder: pathlib.Path) -> None:
    """Installs the pinned wheels into `folder`, without dependencies."""
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check"),
        *("install", "--quiet", "--no-deps", "--no-compile"),
        *("--require-hashes", "--only-binary", ":all:"),
        *("--target", str(folder), "--requirement", str(_LOCK)),
    ]
    _run(
        command,
        rule="The wheels pinned in od_api.lock must be fetched once",
        mend="look at the network (or the settings of pip), then run "
        "`od-patch install-od-api` again; or put your own "
        f"`{_PACKAGE}` on PYTHONPATH",
    )


def _compile_protos(parent: pathlib.Path, *, tools: pathlib.Path) -> None:
    """Compiles parent/object_detection/protos/*.proto where they lie."""
    protos = sorted((parent / _PACKAGE / "protos").glob("*.proto"))
    if not protos:
        raise OdApiInstallError(
            "The wheel pinned in od_api.lock must hold the OD API's protos. "
            f"Received: none in {parent / _PACKAGE}. Mend: restore od_api.lock"
        )
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        *(f"-I{parent}", f"--python_out={parent}"),
        *(path.relative_to(parent).as_posix() for path in protos),
    ]
    _run(
        command,
        environment={"PYTHONPATH": str(tools)},
        rule="The OD API's protos must compile",
        mend="restore od_api.lock, which pins a protoc that compiles them",
    )


def _run(
    command: list[str],
    *,
    rule: str,
    mend: str,
    environment: dict[str, str] | None = None,
) -> None:
    finished = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if finished.returncode:
        lines = (finished.stderr or finished.stdout).strip().splitlines()
        last = lines[-1] if lines else "no message"
        raise OdApiInstallError(
            f"{rule}. Received: {last} (exit status {finished.returncode} of "
            f"{' '.join(command[1:4])}). Mend: {mend}"
        )


def _mark_text() -> str:
    return (
        "Copied by `od-patch install-od-api`; its sources are Apache-2.0 "
        "(The TensorFlow Authors).\nTo remove it, delete this folder.\n"
    )


def _put_in_place(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies beside the final place, then renames: complete or absent."""
    final = target / _PACKAGE
    with _staging(target) as staging:
        try:
            copy = staging / _PACKAGE
            shutil.copytree(source, copy)
            copy.rename(final)
        except OSError as error:
            raise OdApiInstallError(
                f"The OD API must be written to {final}, which must not "
                f"exist. Received: {error}. Mend: remove what is there, or "
                "free space on the disk, then run "
                "`od-patch install-od-api` again"
            ) from error


@contextlib.contextmanager
def _staging(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder in `target`; also clears what a killed run left behind."""
    for path in target.glob(f"{_STAGING}*"):
        # Younger ones may belong to a run that is still alive.
        if time.time() - path.stat().st_mtime > _STAGING_LIFETIME_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
    staging = pathlib.Path(tempfile.mkdtemp(prefix=_STAGING, dir=target))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def main() -> int:
    """Exit status 0 if the OD API is there at the end, else 1."""
    try:
        install_od_api()
    except OdApiInstallError as error:
        print(f"od-patch install-od-api: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

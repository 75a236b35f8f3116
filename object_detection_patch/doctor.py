"""What is missing on this machine, and the one command that mends it.

Runs in the plain install: standard library only. Whatever needs TensorFlow is
asked in a process of its own, so a broken package cannot break the report.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Sequence

from object_detection_patch.od_api import install

_PROJECT = "object_detection_patch"
_ROOT = pathlib.Path(__file__).parents[1]
_PYTHONS = ((3, 10), (3, 13))
_KERAS_SETTING = "TF_USE_LEGACY_KERAS"
_GENERATED = ("patch_pb2", "pipeline_extension_pb2")
_INSTALL_OD_API = "od-patch install-od-api"
# Prints one JSON object as its last line.
_PROBE = """
import json
from object_detection_patch.od_api import compat
fixes = len(compat.applied_fixes())
import tensorflow as tf
from object_detection import model_lib_v2
from object_detection_patch.keras_version import keras
print(json.dumps({
    "keras": keras.__version__,
    "fixes": fixes,
    "gpus": len(tf.config.list_physical_devices("GPU")),
    "tpus": len(tf.config.list_physical_devices("TPU")),
}))
"""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
      subject: package, setting or file.
      found: what is there, in words or as a version.
      needed: what is asked for; empty where nothing is.
      mend: the one command that mends it; None if all is well.
    """

    subject: str
    found: str
    needed: str = ""
    mend: str | None = None


def diagnose() -> list[Finding]:
    """Looks at everything that training, evaluation and export need."""
    packages = list(_packages())
    findings = [_python(), *packages, _keras_setting(), _od_api()]
    findings.extend(_generated(name) for name in _GENERATED)
    # Its answer would only repeat the first thing that is missing.
    if all(finding.mend is None for finding in findings):
        findings.extend(_probe())
    return findings


def print_report(findings: Sequence[Finding]) -> int:
    """Prints a table and the mending commands; 0 if all is well, else 1."""
    rows = [("", "subject", "found", "needed")]
    rows += [
        ("ok" if item.mend is None else "--", item.subject, item.found)
        + (item.needed,)
        for item in findings
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    # Many findings may share one command: each is given once, in order.
    mends = list(dict.fromkeys(item.mend for item in findings if item.mend))
    if not mends:
        print("\nAll is well.")
        return 0
    print("\nTo mend it:")
    for mend in mends:
        print(f"  {mend}")
    return 1


def _python() -> Finding:
    low, above = (".".join(map(str, version)) for version in _PYTHONS)
    good = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    found = ".".join(map(str, sys.version_info[:3]))
    mend = None if good else "python3.11 -m venv .venv"
    return Finding("Python", found, f">={low},<{above}", mend)


def _packages() -> Iterator[Finding]:
    """Our requirements, as the metadata of our own package states them."""
    try:
        requirements = importlib.metadata.requires(_PROJECT) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            _PROJECT,
            f"not installed, used from {_ROOT}",
            "installed",
            _install_train("--editable "),
        )
        return
    for requirement in requirements:
        name, specifier, extra = parse_requirement(requirement)
        if extra in ("", "train"):
            yield _package(name, specifier)


def _package(name: str, specifier: str) -> Finding:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", specifier, _install_train())
    good = version_matches(version, specifier)
    return Finding(name, version, specifier, None if good else _install_train())


def _install_train(options: str = "") -> str:
    """The command that installs what training needs, from where we are from."""
    return f'pip install {options}"{_source()}[train]"'


def _source() -> str:
    """The folder that pip took us from, or our name.

    pip keeps the source of what it did not take from an index (PEP 610). What
    a build leaves in a checkout says nothing of it, and may be found first.
    """
    if (_ROOT / "pyproject.toml").is_file():
        return str(_ROOT)
    try:
        distribution = importlib.metadata.distribution(_PROJECT)
    except importlib.metadata.PackageNotFoundError:
        return str(_ROOT)
    recorded = distribution.read_text("direct_url.json")
    if recorded:
        url = urllib.parse.urlparse(json.loads(recorded)["url"])
        if url.scheme == "file":
            return urllib.parse.unquote(url.path)
    return _PROJECT


def parse_requirement(requirement: str) -> tuple[str, str, str]:
    """Splits `name<specifier>; extra == "x"` into name, specifier, extra.

    Only the forms that pyproject.toml uses; the plain install has no package
    that reads all of them.

    Raises:
      ValueError: for any other form.
    """
    pattern = (
        r"([A-Za-z0-9_.-]+?)\s*((?:[=<>!~]=?[0-9][0-9A-Za-z.*]*,?)*)"
        r"(?:\s*;\s*extra\s*==\s*['\"]([\w-]+)['\"])?"
    )
    match = re.fullmatch(pattern, requirement)
    if match is None:
        raise ValueError(
            "A requirement must read `name>=1,<2; extra == 'x'`. Received: "
            f"{requirement!r} (dependencies in pyproject.toml)"
        )
    return match[1], match[2].rstrip(","), match[3] or ""


def version_matches(version: str, specifier: str) -> bool:
    """Whether a version satisfies all of e.g. `>=5.28,<7` or `==2.20.*`.

    Compares the numbers of the release alone: 2.20.0rc1 counts as 2.20.0.

    Raises:
      ValueError: for a comparison other than ==, >= and <.
    """
    return all(
        _satisfies(version, clause) for clause in specifier.split(",") if clause
    )


def _satisfies(version: str, clause: str) -> bool:
    match = re.fullmatch(r"(==|>=|<)(\d[\d.]*?)(\.\*)?", clause)
    if match is None or (match[3] and match[1] != "=="):
        raise ValueError(
            "A version must be asked for with ==, >= or <. Received: "
            f"{clause!r} (dependencies in pyproject.toml)"
        )
    wanted = _release(match[2])
    length = max(len(wanted), len(_release(version)))
    left, right = (
        release + (0,) * (length - len(release))
        for release in (_release(version), wanted)
    )
    if match[3]:
        return left[: len(wanted)] == wanted
    return {"==": left == right, ">=": left >= right, "<": left < right}[
        match[1]
    ]


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _keras_setting() -> Finding:
    value = os.environ.get(_KERAS_SETTING)
    if value is None:
        return Finding(_KERAS_SETTING, "unset: we set it", "1 or unset")
    mend = None if value in ("1", "true", "True") else f"unset {_KERAS_SETTING}"
    return Finding(_KERAS_SETTING, repr(value), "1 or unset", mend)


def _od_api() -> Finding:
    found = install.find_od_api()
    if found is None:
        return Finding(
            "object_detection", "missing", "the OD API", _INSTALL_OD_API
        )
    shortcoming = found.shortcoming()
    if shortcoming is None:
        return Finding("object_detection", found.describe(), "the OD API")
    rule, mend = shortcoming.rsplit(" Mend: ", 1)
    return Finding("object_detection", found.describe(), rule, mend)


def _generated(name: str) -> Finding:
    module = f"{_PROJECT}.protos.{name}"
    root = pathlib.Path(__file__).parents[1]
    if importlib.util.find_spec(module) is None:
        mend = f"pip install --no-deps --editable {root}"
        return Finding(module, "not compiled", "compiled", mend)
    return Finding(module, "compiled", "compiled")


def _probe() -> Iterator[Finding]:
    """Imports TensorFlow and the OD API together, and counts accelerators."""
    finished = subprocess.run(
        [sys.executable, "-c", _PROBE],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or ["no message"]
        yield Finding("import of the OD API", lines[-1], "", _mend(lines[-1]))
        return
    seen = json.loads(finished.stdout.strip().splitlines()[-1])
    fixes = f"works, with {seen['fixes']} fixes of od_api/compat.py"
    yield Finding("import of the OD API", fixes)
    yield Finding("Keras in use", seen["keras"], "2.*")
    for kind in ("GPU", "TPU"):
        count = seen[f"{kind.lower()}s"]
        yield Finding(kind, f"{count} visible" if count else "none visible")


def _mend(error: str) -> str:
    if "libGL" in error:
        # lvis asks for opencv-python, which needs a desktop's libraries.
        return (
            "pip uninstall --yes opencv-python opencv-python-headless && "
            "pip install opencv-python-headless"
        )
    return _install_train("--force-reinstall ")

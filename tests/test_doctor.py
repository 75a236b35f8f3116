"""doctor.py: each missing thing is seen, with one command that mends it."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

import hypothesis
import packaging.requirements
import packaging.specifiers
import pytest
from hypothesis import strategies as st

from object_detection_patch import doctor
from object_detection_patch.od_api import install

_ROOT = pathlib.Path(__file__).parents[1]
_GOOD = doctor.Finding("numpy", "2.0.0", ">=1.26")
_NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
_CLAUSES = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["==", ">=", "<"]), _NUMBERS),
    st.builds("=={}.*".format, _NUMBERS),
)


@hypothesis.given(_NUMBERS, st.lists(_CLAUSES, max_size=3).map(",".join))
def test_versions_compare_as_packaging_says(version, specifier):
    expected = packaging.specifiers.SpecifierSet(specifier).contains(version)
    assert doctor.version_matches(version, specifier) == expected


@pytest.mark.parametrize("clause", ["~=1.2", "!=1", "<1.*", "1.2", ">=", "<=2"])
def test_other_comparisons_are_refused(clause):
    with pytest.raises(ValueError, match="must be asked for with ==, >= or <"):
        doctor.version_matches("1.0", clause)


@hypothesis.given(
    st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?", fullmatch=True),
    st.lists(_CLAUSES, max_size=3).map(",".join),
    st.sampled_from(["", "train", "dev"]),
)
def test_requirements_split_as_packaging_does(name, specifier, extra):
    text = f"{name}{specifier}"
    if extra:
        text += f'; extra == "{extra}"'
    assert doctor.parse_requirement(text) == (name, specifier, extra)
    oracle = packaging.requirements.Requirement(text)
    assert oracle.name == name
    assert oracle.specifier == packaging.specifiers.SpecifierSet(specifier)


@hypothesis.given(st.text(max_size=30))
def test_any_text_is_split_or_refused(text):
    try:
        name, _, _ = doctor.parse_requirement(text)
    except ValueError as error:
        assert repr(text) in str(error)
    else:
        assert text.startswith(name)


def test_every_requirement_of_ours_is_understood():
    for requirement in importlib.metadata.requires("object_detection_patch"):
        name, specifier, extra = doctor.parse_requirement(requirement)
        doctor.version_matches("1.0", specifier)
        known = ("", "train", "litert", "sign", "convert", "dev")
        assert name and extra in known


def _by_subject(findings):
    return {finding.subject: finding for finding in findings}


def test_missing_and_old_packages_are_named(monkeypatch):
    requirements = [
        "numpy>=1.26",
        'no-such-package>=1; extra == "train"',
        'pytest<1; extra == "train"',
        'neither-this; extra == "dev"',
    ]
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda name: requirements
    )
    found = _by_subject(doctor._packages())
    command = f'pip install "{_ROOT}[train]"'
    assert found["numpy"].mend is None
    assert found["no-such-package"].found == "missing"
    assert found["no-such-package"].mend == command
    assert found["pytest"].found == importlib.metadata.version("pytest")
    assert found["pytest"].mend == command
    assert "neither-this" not in found


@pytest.mark.parametrize(
    ("recorded", "source"),
    [
        (None, "object_detection_patch"),
        ('{"url": "file:///a%20b/c"}', "/a b/c"),
        ('{"url": "https://x/y.whl"}', "object_detection_patch"),
    ],
)
def test_installs_from_where_it_came_from(
    monkeypatch, tmp_path, recorded, source
):
    class Installed:
        def read_text(self, name):
            assert name == "direct_url.json"
            return recorded

    monkeypatch.setattr(
        importlib.metadata, "distribution", lambda name: Installed()
    )
    monkeypatch.setattr(doctor, "_ROOT", tmp_path)
    assert doctor._install_train() == f'pip install "{source}[train]"'


def test_a_checkout_is_installed_whatever_a_build_left_in_it(
    monkeypatch, tmp_path
):
    (tmp_path / "pyproject.toml").touch()
    left = tmp_path / "object_detection_patch.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text("Name: object_detection_patch\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor, "_ROOT", tmp_path)
    assert doctor._install_train() == f'pip install "{tmp_path}[train]"'


def test_a_tree_that_was_never_installed(monkeypatch):
    def refuse(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", refuse)
    monkeypatch.setattr(importlib.metadata, "distribution", refuse)
    (finding,) = doctor._packages()
    assert finding.mend == f'pip install --editable "{_ROOT}[train]"'


@pytest.mark.parametrize(
    ("version", "mend"),
    [
        ((3, 9, 7), "python3.11 -m venv .venv"),
        ((3, 10, 0), None),
        ((3, 12, 9), None),
        ((3, 13, 0), "python3.11 -m venv .venv"),
    ],
)
def test_pythons(monkeypatch, version, mend):
    monkeypatch.setattr(sys, "version_info", version)
    finding = doctor._python()
    assert (finding.mend, finding.needed) == (mend, ">=3.10,<3.13")


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        (None, None),
        ("1", None),
        ("True", None),
        ("0", "unset TF_USE_LEGACY_KERAS"),
        ("yes", "unset TF_USE_LEGACY_KERAS"),
    ],
)
def test_the_keras_setting(monkeypatch, value, mend):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    if value is not None:
        monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    assert doctor._keras_setting().mend == mend


def test_no_od_api(monkeypatch):
    monkeypatch.setattr(install, "find_od_api", lambda: None)
    finding = doctor._od_api()
    assert (finding.found, finding.mend) == (
        "missing",
        "od-patch install-od-api",
    )


def test_an_od_api_without_compiled_protos(monkeypatch, tmp_path):
    folder = tmp_path / "object_detection"
    folder.mkdir()
    (folder / "model_lib_v2.py").write_text("")
    found = install.OdApi(folder, ours=False)
    monkeypatch.setattr(install, "find_od_api", lambda: found)
    finding = doctor._od_api()
    assert "(your own)" in finding.found
    assert finding.mend == (
        f"cd {tmp_path} && protoc --python_out=. "
        "object_detection/protos/*.proto"
    )


def test_protos_that_were_not_compiled():
    assert doctor._generated("patch_pb2").mend is None
    missing = doctor._generated("no_such_pb2")
    assert missing.found == "not compiled"
    assert missing.mend == f"pip install --no-deps --editable {_ROOT}"


def test_a_library_of_the_desktop_that_is_missing():
    error = "ImportError: libGL.so.1: cannot open shared object file"
    assert "opencv-python-headless" in doctor._mend(error)
    assert "--force-reinstall" in doctor._mend("ImportError: whatever")


def test_a_failing_probe_is_a_finding(monkeypatch):
    monkeypatch.setattr(doctor, "_PROBE", "raise ImportError('broken here')")
    (finding,) = doctor._probe()
    assert finding.found == "ImportError: broken here"
    assert finding.mend is not None


def test_the_report_when_all_is_well(capsys):
    assert doctor.print_report([_GOOD]) == 0
    assert capsys.readouterr().out == (
        "    subject  found  needed\n"
        "ok  numpy    2.0.0  >=1.26\n"
        "\nAll is well.\n"
    )


def test_the_report_gives_each_command_once(capsys):
    findings = [
        _GOOD,
        doctor.Finding("a", "missing", ">=1", "mend both"),
        doctor.Finding("b", "missing", ">=2", "mend both"),
        doctor.Finding("c", "missing", "", "mend c"),
    ]
    assert doctor.print_report(findings) == 1
    table, mends = capsys.readouterr().out.split("\nTo mend it:\n")
    assert [line[:2] for line in table.splitlines()] == "  |ok|--|--|--".split(
        "|"
    )
    assert mends == "  mend both\n  mend c\n"


def test_it_runs_without_any_package():
    code = (
        "from object_detection_patch import doctor\n"
        "raise SystemExit(doctor.print_report(doctor.diagnose()))"
    )
    # -S leaves out site-packages: less than even the plain install.
    report = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
    )
    assert report.returncode == 1
    assert "\n  od-patch install-od-api\n" in report.stdout
    assert report.stderr == ""


@pytest.mark.slow
def test_all_is_well_where_these_tests_run():
    findings = doctor.diagnose()
    assert [item for item in findings if item.mend] == []
    found = _by_subject(findings)
    assert found["Keras in use"].found.startswith("2.")
    assert found["GPU"].found.endswith("visible")

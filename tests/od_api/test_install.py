"""od_api/install.py: found, left alone, or installed whole."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from object_detection_patch.od_api import install

_ROOT = pathlib.Path(__file__).parents[2]
_PROTO = """syntax = "proto2";
package object_detection.protos;
import "object_detection/protos/two.proto";
message One { optional Two two = 1; }
"""


def _write_copy(folder, *, compiled=True, era=2):
    package = folder / "object_detection"
    (package / "protos").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    if era == 2:
        (package / "model_lib_v2.py").write_text("")
    if compiled:
        (package / "protos" / "pipeline_pb2.py").write_text("")
    return package


@pytest.fixture
def first_on_path(tmp_path, monkeypatch):
    """A folder where Python looks for `object_detection` first."""
    monkeypatch.delitem(sys.modules, "object_detection", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def none_importable(monkeypatch):
    monkeypatch.setattr(install, "find_od_api", lambda: None)


def _fake_fetch(folder):
    """Stands for the wheel: two protos that import each other, one module."""
    package = _write_copy(folder / "picsellia_tf2", compiled=False)
    (package / "protos" / "one.proto").write_text(_PROTO)
    two = _PROTO.replace("One { optional Two two = 1; }", "Two {}")
    two = re.sub("import .*\n", "", two)
    (package / "protos" / "two.proto").write_text(two)


def test_a_copy_of_the_user_is_found_and_left_alone(first_on_path, capsys):
    package = _write_copy(first_on_path)
    before = sorted(first_on_path.rglob("*"))
    found = install.install_od_api(first_on_path)
    assert (found.folder, found.ours) == (package, False)
    assert sorted(first_on_path.rglob("*")) == before
    assert f"{package} (your own)" in capsys.readouterr().out


def test_a_copy_of_the_user_without_compiled_protos(first_on_path):
    package = _write_copy(first_on_path, compiled=False)
    with pytest.raises(install.OdApiInstallError) as error:
        install.install_od_api(first_on_path)
    assert "protos of the OD API must be compiled" in str(error.value)
    assert str(error.value).endswith(
        f"Mend: cd {first_on_path} && protoc --python_out=. "
        "object_detection/protos/*.proto"
    )
    assert list((package / "protos").iterdir()) == []


def test_another_package_of_that_name_is_no_od_api(first_on_path):
    _write_copy(first_on_path, era=1)
    with pytest.raises(install.OdApiInstallError, match="TF2-era OD API"):
        install.install_od_api(first_on_path)


def test_a_folder_that_is_no_package_is_not_taken_for_the_od_api(tmp_path):
    (tmp_path / "object_detection" / "pictures").mkdir(parents=True)
    code = (
        "from object_detection_patch.od_api import install\n"
        "print(install.find_od_api())"
    )
    # -S leaves out site-packages, where a real one may lie.
    found = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{_ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "None\n"


def test_installs_compiles_and_marks(none_importable, monkeypatch, tmp_path):
    monkeypatch.setattr(install, "_fetch", _fake_fetch)
    installed = install.install_od_api(tmp_path)
    assert installed == install.OdApi(tmp_path / "object_detection", ours=True)
    assert "(installed by od-patch)" in installed.describe()
    assert (installed.folder / install._MARK).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["object_detection"]
    code = (
        "from object_detection.protos import one_pb2\n"
        "print(one_pb2.One().two.DESCRIPTOR.full_name)"
    )
    read = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout == "object_detection.protos.Two\n"


def test_without_a_network_there_is_one_error(
    none_importable, monkeypatch, tmp_path
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(install.OdApiInstallError) as error:
        install.install_od_api(tmp_path)
    message = str(error.value)
    assert message.startswith("The wheels pinned in od_api.lock must be fetch")
    assert "No matching distribution found" in message
    assert "Mend: look at the network" in message
    assert list(tmp_path.iterdir()) == []


def test_main_says_the_error_in_one_line(none_importable, monkeypatch, capsys):
    def refuse(folder):
        raise install.OdApiInstallError("rule. Received: x. Mend: y")

    monkeypatch.setattr(install, "_fetch", refuse)
    monkeypatch.setattr(install, "_require_writable", lambda target: None)
    assert install.main() == 1
    assert capsys.readouterr().err == (
        "od-patch install-od-api: rule. Received: x. Mend: y\n"
    )


def test_a_proto_that_does_not_compile(none_importable, monkeypatch, tmp_path):
    def fetch(folder):
        _fake_fetch(folder)
        protos = folder / "picsellia_tf2" / "object_detection" / "protos"
        (protos / "two.proto").write_text("no proto")

    monkeypatch.setattr(install, "_fetch", fetch)
    with pytest.raises(install.OdApiInstallError, match="protos must compile"):
        install.install_od_api(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_protos(none_importable, monkeypatch, tmp_path):
    monkeypatch.setattr(
        install, "_fetch", lambda folder: _write_copy(folder / "picsellia_tf2")
    )
    with pytest.raises(install.OdApiInstallError, match="must hold the OD API"):
        install.install_od_api(tmp_path)


def test_packages_that_are_not_writable(none_importable, monkeypatch, tmp_path):
    # Asked of the system, because root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(install.OdApiInstallError, match="must be writable"):
        install.install_od_api(tmp_path)


def test_what_lies_in_the_way_is_kept(none_importable, monkeypatch, tmp_path):
    theirs = tmp_path / "object_detection" / "theirs.txt"
    theirs.parent.mkdir()
    theirs.write_text("kept")
    monkeypatch.setattr(install, "_fetch", _fake_fetch)
    with pytest.raises(install.OdApiInstallError, match="must not exist"):
        install.install_od_api(tmp_path)
    assert theirs.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [theirs.parent]


def test_kill_while_copying_leaves_nothing_importable(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    _write_copy(source)
    target.mkdir()
    code = (
        "import os, pathlib, shutil, signal, sys\n"
        "from object_detection_patch.od_api import install\n"
        "copy2 = shutil.copy2\n"
        "def copy(*names, **options):\n"
        "    copy2(*names, **options)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "copytree = shutil.copytree\n"
        "shutil.copytree = lambda a, b: copytree(a, b, copy_function=copy)\n"
        "source, target = map(pathlib.Path, sys.argv[1:])\n"
        "install._put_in_place(source / 'object_detection', target)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(source), str(target)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = target.iterdir()
    assert left.name.startswith(install._STAGING)
    # A young rest may belong to a living run; an old one is cleared.
    install._put_in_place(source / "object_detection", target)
    assert left.is_dir() and (target / "object_detection").is_dir()
    old = time.time() - install._STAGING_LIFETIME_SECONDS - 1
    os.utime(left, (old, old))
    with install._staging(target):
        assert not left.exists()
    assert [path.name for path in target.iterdir()] == ["object_detection"]


def test_the_lock_pins_two_packages_by_hash():
    text = install._LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^([\w-]+)==([\d.]+) \\$", text, re.MULTILINE)
    assert pins == [("grpcio-tools", "1.62.3"), ("picsellia-tf2", "0.11.10")]
    assert "://" not in text
    # The wheel that was read and tested; the index states the same digest.
    assert (
        "7256ac38fc2f2857e7ae55283a2a240d41b95b8962b13dc15fd395ba0c0f9129"
        in (text)
    )


@pytest.mark.slow
def test_the_real_wheel_becomes_an_od_api(none_importable, tmp_path):
    """Needs a network or a filled pip cache."""
    installed = install.install_od_api(tmp_path)
    assert installed.shortcoming() is None
    code = (
        "from object_detection.protos import pipeline_pb2 as p\n"
        "print(p.TrainEvalPipelineConfig.DESCRIPTOR.extension_ranges)"
    )
    read = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout.startswith("[(1000, ")

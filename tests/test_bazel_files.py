"""The BUILD files tell the truth: sources exist, imports are in deps.

A BUILD file reads as Python, so `ast` parses it; nothing here needs Bazel.
"""

import ast
import dataclasses
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_ROOMS = ("object_detection_patch", "tfrecords_tools")
_FOLDERS = (*_ROOMS, "tests", "configs", "benchmarks")
_KINDS = ("py_library", "py_binary", "py_test", "proto_library")


@dataclasses.dataclass(frozen=True)
class Target:
    label: str
    kind: str
    srcs: list[pathlib.Path]
    data: list[str]
    deps: list[str]
    main: str | None


def _glob(folder, include, exclude=()):
    found = {path for pattern in include for path in folder.glob(pattern)}
    for pattern in exclude:
        found -= set(folder.glob(pattern))
    return sorted(str(p.relative_to(folder)) for p in found if p.is_file())


def _value(node, folder):
    """A list or string of a BUILD file, globs resolved in its folder."""
    if isinstance(node, ast.BinOp):
        return _value(node.left, folder) + _value(node.right, folder)
    if isinstance(node, ast.Call):
        assert node.func.id == "glob"
        options = {k.arg: ast.literal_eval(k.value) for k in node.keywords}
        return _glob(folder, *map(ast.literal_eval, node.args), **options)
    return ast.literal_eval(node)


def _label(text, folder):
    """`:a` and `//x/y` in their long form, `//x/y:y`."""
    here = folder.relative_to(_ROOT).as_posix()
    if text.startswith(":"):
        return f"//{here}{text}"
    return text if ":" in text else f"{text}:{text.rpartition('/')[2]}"


def _targets(build):
    folder = build.parent
    for call in ast.walk(ast.parse(build.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or call.func.id not in _KINDS:
            continue
        given = {k.arg: _value(k.value, folder) for k in call.keywords}
        yield Target(
            _label(f":{given['name']}", folder),
            call.func.id,
            [folder / name for name in given["srcs"]],
            [
                str(folder / name)
                for name in given.get("data", ())
                if not name.startswith("//")
            ],
            [_label(name, folder) for name in given.get("deps", ())],
            given.get("main"),
        )


def _build_files():
    found = [_ROOT / "protos/BUILD"]
    for folder in _FOLDERS:
        found.extend(sorted((_ROOT / folder).rglob("BUILD")))
    return found


_ALL = {t.label: t for build in _build_files() for t in _targets(build)}
_OWNER = {path: target for target in _ALL.values() for path in target.srcs}


def _closure(label, seen=()):
    assert label not in seen, f"cycle: {[*seen, label]}"
    reached = {label}
    for dep in _ALL[label].deps:
        reached |= _closure(dep, (*seen, label))
    return reached


def _modules(path):
    """The files of ours that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in _ROOMS:
                yield _file(name)


def _file(name):
    base = _ROOT.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return _file(name.rpartition(".")[0])


def test_the_rooms_are_there():
    assert "//object_detection_patch/methods:methods" in _ALL
    assert "//object_detection_patch:od_patch" in _ALL
    assert len(_ALL["//protos:pipeline_extension_proto"].deps) == 2
    assert (
        (_ROOT / "WORKSPACE")
        .read_text(encoding="utf-8")
        .endswith('workspace(name = "object_detection_patch")\n')
    )


@pytest.mark.parametrize("target", _ALL.values(), ids=_ALL)
def test_every_source_exists(target):
    assert target.srcs, "no source"
    for path in target.srcs:
        assert path.is_file(), path
    for name in target.data:
        assert pathlib.Path(name).is_file(), name
    if target.kind in ("py_binary", "py_test"):
        assert target.main or len(target.srcs) == 1
        assert target.main in (None, *(path.name for path in target.srcs))


@pytest.mark.parametrize("target", _ALL.values(), ids=_ALL)
def test_every_dependency_exists_without_a_cycle(target):
    assert set(target.deps) <= set(_ALL)
    assert target.label in _closure(target.label)


def test_every_python_file_is_in_one_target():
    owned = [path for target in _ALL.values() for path in target.srcs]
    assert len(owned) == len(set(owned)), "a file in two targets"
    files = {
        path for folder in _FOLDERS for path in (_ROOT / folder).rglob("*.py")
    }
    assert files - set(owned) == set()


def test_every_proto_is_in_one_target():
    protos = set((_ROOT / "protos").rglob("*.proto"))
    owned = [p for t in _ALL.values() for p in t.srcs if p.suffix == ".proto"]
    assert sorted(owned) == sorted(protos)


@pytest.mark.parametrize(
    "target",
    [t for t in _ALL.values() if t.kind in ("py_library", "py_binary")],
    ids=lambda target: target.label,
)
def test_what_a_target_imports_is_in_its_deps(target):
    reached = _closure(target.label)
    for path in target.srcs:
        for module in _modules(path):
            owner = _OWNER[module].label
            assert owner in reached, f"{path} imports {module} of {owner}"

"""The rooms of the house import each other only as ARCHITECTURE.md allows."""

import ast
import pathlib
import re
import sys
from collections.abc import Iterator

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_PACKAGE = "object_detection_patch"
_ANYTHING = frozenset({"anything"})
_TF = {"tensorflow", "tf_keras", "absl", "google", "numpy"}
_TABLE = _ROOT / "ARCHITECTURE.md"

# Room -> (our rooms, packages of others) that it may import, as the table in
# ARCHITECTURE.md has it. A room may always import itself and the standard
# library.
_RULES = {
    "__init__": (set(), set()),
    "patch_file": (set(), {"numpy"}),
    "footprint": ({"patch_file"}, {"numpy"}),
    "adapters": ({"patch_file", "footprint"}, {"numpy"}),
    "keras_version": (set(), {"tensorflow", "tf_keras"}),
    "hosts": ({"keras_version"}, {"numpy"}),
    "pictures": (set(), {"numpy", "PIL", "matplotlib"}),
    "protos": (set(), {"google", "object_detection"}),
    # cryptography only where signatures are made or checked.
    "tflite": ({"patch_file"}, {"numpy", "flatbuffers", "cryptography"}),
    "methods": ({"patch_file", "protos", "keras_version", "hosts"}, _TF),
    "od_api": (
        {"protos", "keras_version", "hosts", "tflite.tensor_map"},
        {*_TF, "object_detection", "PIL"},
    ),
    "training": (
        {"methods", "od_api", "patch_file", "footprint", "hosts", "protos"}
        | {"keras_version", "pictures", "decathlon.evaluated"}
        | {"decathlon.score"},
        _TF,
    ),
    "profiling": (
        {"keras_version", "methods", "od_api", "training"},
        _TF,
    ),
    "checkpoints": (
        {"methods", "od_api", "patch_file", "training", "footprint", "hosts"}
        | {"keras_version", "protos"},
        {*_TF, "tqdm"},
    ),
    "multi_task": (
        {"checkpoints", "hosts", "keras_version", "methods", "od_api"}
        | {"patch_file", "protos", "training"},
        _TF,
    ),
    "on_device": (
        {"checkpoints", "hosts", "keras_version", "methods", "od_api"}
        | {"patch_file", "training"},
        {*_TF, "ai_edge_litert"},
    ),
    "export": (
        {"checkpoints", "decathlon", "hosts", "keras_version", "od_api"}
        | {"patch_file", "tflite", "methods.block_layers"}
        | {"methods.instance_routing"},
        {*_TF, "ai_edge_litert", "flatbuffers"},
    ),
    "cascades": (
        {"checkpoints", "decathlon.evaluated", "keras_version", "od_api"}
        | {"patch_file", "profiling"},
        {"numpy"},
    ),
    "recipes": ({"protos"}, {"google"}),
    "doctor": ({"od_api.install"}, set()),
    "decathlon": _ANYTHING,
    "cli": _ANYTHING,
    "cli_main": ({"cli"}, set()),
    "demo": _ANYTHING,
    "configure": _ANYTHING,
    "draw": _ANYTHING,
    "run_od_api": _ANYTHING,
    "model_main_tf2": _ANYTHING,
    "tfrecords_tools": (
        set(),
        {"numpy", "PIL", "google", "google_crc32c", "tqdm", "scipy"}
        | {"apache_beam", "defusedxml", "ijson", "upath"},
    ),
}


def _imports(path: pathlib.Path) -> Iterator[str]:
    """Dotted names; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.args[0].value


def _sources(folder: pathlib.Path) -> list[pathlib.Path]:
    paths = sorted(folder.rglob("*.py"))
    assert paths, f"no source in {folder}"
    return [path for path in paths if not path.stem.endswith("_pb2")]


def _room(path: pathlib.Path) -> str:
    return path.relative_to(_ROOT / _PACKAGE).parts[0].removesuffix(".py")


def _violations(path: pathlib.Path, room: str, rule: object) -> list[str]:
    ours, others = rule
    bad = []
    for name in _imports(path):
        top, _, rest = name.partition(".")
        if top == _PACKAGE:
            allowed = [room, *ours]
            # `from object_detection_patch.a import b` reaches b in a.
            good = any(f"{rest}.".startswith(f"{a}.") for a in allowed)
        else:
            good = top in sys.stdlib_module_names or top in others
        if not good:
            bad.append(name)
    return bad


@pytest.mark.parametrize(
    "path",
    _sources(_ROOT / _PACKAGE),
    ids=lambda path: path.relative_to(_ROOT).as_posix(),
)
def test_a_room_imports_only_what_its_rule_allows(path):
    room = _room(path)
    assert room in _RULES, f"{room} has no rule: decide and write it down"
    if _RULES[room] is not _ANYTHING:
        assert _violations(path, room, _RULES[room]) == []


def test_tfrecords_tools_stand_alone():
    ours, others = _RULES["tfrecords_tools"]
    rule = (ours, {*others, "tfrecords_tools"})
    for path in _sources(_ROOT / "tfrecords_tools"):
        assert _violations(path, "-", rule) == [], path


def _cell(text: str) -> set[str]:
    """What a cell of the table names, with the names of imports."""
    words = set() if text == "nothing" else set(text.split(", "))
    if "TensorFlow" in words:
        words = words - {"TensorFlow"} | {f"`{name}`" for name in _TF}
    assert all(re.fullmatch("`[^`]+`", word) for word in words), text
    return {w.strip("`").removesuffix(".py").replace("/", ".") for w in words}


def _rules_of_the_table(text: str) -> dict[str, object]:
    (table,) = re.findall(r"^\| room \|.*\n(?:\|.*\n)+", text, re.MULTILINE)
    rules = {}
    for row in table.splitlines()[2:]:
        rooms, ours, others = (c.strip() for c in row.strip("|").split("|"))
        rule = _ANYTHING
        if (ours, others) != ("anything", "anything"):
            rule = (_cell(ours), _cell(others))
        rules.update(dict.fromkeys(_cell(rooms), rule))
    return rules


def test_the_table_has_the_rules_that_are_checked():
    text = _TABLE.read_text(encoding="utf-8")
    assert _rules_of_the_table(text) == _RULES
    (stands_for,) = re.findall(
        r"TensorFlow stands for (.*?)\.", text, re.DOTALL
    )
    assert set(re.findall(r"`(\w+)`", stands_for)) == _TF


def test_every_rule_is_of_a_room():
    for room in _RULES:
        folder = _ROOT if room == "tfrecords_tools" else _ROOT / _PACKAGE
        assert (folder / room).is_dir() or (folder / f"{room}.py").is_file()


def test_a_part_never_imports_another_part():
    proto = (_ROOT / "protos/patch.proto").read_text(encoding="utf-8")
    (arms,) = re.findall(r"oneof part \{(.*?)\}", proto, re.DOTALL)
    parts = re.findall(r"(\w+) = \d+;", arms)
    assert "binary_mask" in parts
    for path in _sources(_ROOT / _PACKAGE / "methods"):
        for part in parts:
            prefix = f"{_PACKAGE}.methods.{part}"
            assert not any(
                f"{name}.".startswith(f"{prefix}.") for name in _imports(path)
            ), f"{path} imports the part {part}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tensorflow as tf", ["tensorflow"]),
        ("def f():\n    import tensorflow", ["tensorflow"]),
        (
            "from object_detection.utils import ops",
            ["object_detection.utils.ops"],
        ),
        (
            "from object_detection_patch import methods",
            ["object_detection_patch.methods"],
        ),
        ("importlib.import_module('tf_keras')", ["tf_keras"]),
        ("import json\nimport numpy as np", []),
    ],
)
def test_the_rules_see_every_way_to_import(tmp_path, source, expected):
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    rule = _RULES["patch_file"]
    assert _violations(path, "patch_file", rule) == expected

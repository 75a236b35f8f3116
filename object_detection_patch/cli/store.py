"""od-patch store: one base and many patches in a folder, by name."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable

from object_detection_patch.cli.options import (
    add_base_file,
    add_json,
    add_require_signature,
    add_sidecar,
    classes,
    print_json,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "store",
        help="one base and many patches in a folder; switch tasks by name",
        description="Keeps one base, the patches of its tasks, each "
        "distinct file once, and active.tflite, the model to run. A crash "
        "leaves the store as it was before or as it is after. Needs numpy "
        "alone: no TensorFlow.",
    )
    actions = verb.add_subparsers(required=True, metavar="ACTION")
    _add_init(actions)
    _add_add(actions)
    _add_list(actions)
    _add_remove(actions)
    _add_activate(actions)


def run(options: argparse.Namespace) -> int:
    return options.action(options)


def _action(
    actions: argparse._SubParsersAction,
    name: str,
    sentence: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=sentence, description=sentence)
    action.add_argument(
        "--store", required=True, metavar="DIR", help="folder of the store"
    )
    action.set_defaults(run=run, action=function)
    return action


def _add_init(actions: argparse._SubParsersAction) -> None:
    action = _action(actions, "init", "begin a store with its base", _init)
    add_base_file(action)
    add_sidecar(action)


def _init(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import store

    store.init(options.store, options.base, options.sidecar)
    print(f"{options.store}: a store for patches of {options.base}")
    return 0


def _add_add(actions: argparse._SubParsersAction) -> None:
    action = _action(actions, "add", "put a patch into the store", _add)
    action.add_argument("--patch", required=True, help="patch file")
    action.add_argument(
        "--name",
        help="name of the task (default: the patch file's, without its ending)",
    )
    action.add_argument(
        "--replace",
        action="store_true",
        help="a patch that has this name already gives way",
    )
    add_require_signature(action)


def _add(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import store

    entry = store.add(
        options.store,
        options.patch,
        options.name,
        replace=options.replace,
        require_signature=options.require_signature,
    )
    print(f"{options.store}: {entry.name} added, {classes(entry.classes)}")
    return 0


def _add_list(actions: argparse._SubParsersAction) -> None:
    add_json(_action(actions, "list", "show the patches of the store", _list))


def _list(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import store

    entries = store.list_patches(options.store)
    active = store.active_name(options.store)
    if options.json:
        patches = [dataclasses.asdict(entry) for entry in entries]
        print_json({"active": active, "patches": patches})
        return 0
    print(f"active: {active or 'none, activate a name to mend it'}")
    for entry in entries:
        print(entry)
    return 0


def _add_remove(actions: argparse._SubParsersAction) -> None:
    action = _action(
        actions, "remove", "take a patch out of the store", _remove
    )
    action.add_argument("name", metavar="NAME", help="name of the task")


def _remove(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import store

    was_active = store.remove(options.store, options.name)
    now = ", the base is active now" if was_active else ""
    print(f"{options.store}: {options.name} removed{now}")
    return 0


def _add_activate(actions: argparse._SubParsersAction) -> None:
    action = _action(
        actions, "activate", "make a task's model the one to run", _activate
    )
    action.add_argument(
        "name", metavar="NAME", help="name of the task; base for none"
    )
    action.add_argument(
        "--output",
        metavar="FILE",
        help=".tflite file to write outside of the store, which stays as it "
        "is (default: active.tflite in the store)",
    )


def _activate(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import store

    if options.output:
        require_folder(options.output)
    path = store.activate(options.store, options.name, output=options.output)
    print(f"{path}: {options.name}")
    return 0

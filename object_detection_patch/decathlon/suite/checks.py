"""What types cannot say about a suite, checked before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from object_detection_patch import recipes
from object_detection_patch.decathlon.mean_ap import FLAGS
from object_detection_patch.decathlon.suite.runs import all_tasks
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Suite,
    SuiteTask,
)
from object_detection_patch.methods import presets

_Fault: TypeAlias = tuple[str, str]
"""A rule that is broken, and what broke it."""


def check(suite: Suite, path: str) -> None:
    """Raises ValueError, naming `path`, for a suite that cannot run."""
    for rule, received in _faults(suite):
        raise ValueError(f"{rule} Received: {received} ({path}).")


def _faults(suite: Suite) -> Iterator[_Fault]:
    tasks = (suite.source, *all_tasks(suite))
    yield from _repeated("task", [task.key for task in tasks])
    bases = [suite.base, *(suite.updating.bases if suite.updating else ())]
    yield from _repeated("base", [base.key for base in bases])
    if not suite.tasks or not suite.methods:
        yield "A suite needs tasks and methods.", "none"
    yield from _unknown(
        "`architecture` must be",
        [suite.architecture],
        recipes.ARCHITECTURES,
    )
    yield from _unknown(
        "A method must be", suite.methods, presets.preset_names()
    )
    keys = [task.key for task in tasks]
    trained = [base.task for base in bases if isinstance(base, Base)]
    yield from _unknown("A base's `task` must be", trained, keys)
    if suite.updating:
        own = [task.key for task in suite.tasks]
        yield from _unknown(
            "`updating.task` must be", [suite.updating.task], own
        )
    if suite.sparsity:
        yield from _unknown(
            "`sparsity.method` must be", [suite.sparsity.method], suite.methods
        )
    if suite.tuning:
        yield from _unknown(
            "`tuning.rates` must be of", suite.tuning.rates, suite.methods
        )
        own = [task.key for task in suite.tasks]
        yield from _unknown("`tuning.tasks` must be", suite.tuning.tasks, own)
    yield from _unknown(
        "`quick` must name", suite.quick[0], [t.key for t in suite.tasks]
    )
    yield from _unknown("`quick` must name", suite.quick[1], suite.methods)
    for task in tasks:
        yield from _task_faults(task)


def _task_faults(task: SuiteTask) -> Iterator[_Fault]:
    yield from _unknown(
        f"`honoured_flags` of {task.key} must be", task.honoured_flags, FLAGS
    )


def _unknown(
    rule: str, names: Iterable[str], known: Collection[str]
) -> Iterator[_Fault]:
    for name in names:
        if name not in known:
            yield f"{rule} one of {', '.join(known)}.", repr(name)


def _repeated(what: str, keys: list[str]) -> Iterator[_Fault]:
    for key, times in Counter(keys).items():
        if times > 1:
            yield f"A {what}'s `key` must be used once.", f"{key!r} twice"

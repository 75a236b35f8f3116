"""What types cannot say about a suite, checked before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from google.protobuf import text_format

from object_detection_patch import recipes
from object_detection_patch.decathlon.mean_ap import FLAGS
from object_detection_patch.decathlon.suite import kept
from object_detection_patch.decathlon.suite.runs import (
    COMPACT_PRESET,
    COMPRESSED_METHOD,
    JOINT_SVD,
    SVD,
    all_runs,
    all_tasks,
)
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Family,
    Suite,
    kept_fingerprint,
)
from object_detection_patch.methods import check as check_patch
from object_detection_patch.methods import presets

_Fault: TypeAlias = tuple[str, str]
"""A rule that is broken, and what broke it."""

_COMPRESSIONS = (SVD, JOINT_SVD)


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
    own = [task.key for task in suite.tasks]
    yield from _unknown(
        "A base's `fingerprint` must be",
        [name for name in map(kept_fingerprint, bases) if name],
        kept.fingerprints(),
    )
    if suite.updating:
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
        yield from _unknown("`tuning.tasks` must be", suite.tuning.tasks, own)
    yield from _family_faults(suite)
    if suite.compact:
        yield from _unknown("`compact.tasks` must be", suite.compact.tasks, own)
        yield from _unknown(
            "`compact.on_all_tasks` must name",
            suite.compact.on_all_tasks,
            suite.compact.options,
        )
    yield from _joint_faults(suite)
    yield from _unknown("`quick` must name", suite.quick[0], own)
    yield from _unknown("`quick` must name", suite.quick[1], suite.methods)
    for task in tasks:
        yield from _unknown(
            f"`honoured_flags` of {task.key} must be",
            task.honoured_flags,
            FLAGS,
        )
    # Rates that are written alike make one id.
    yield from _repeated("run", [run.id for run in all_runs(suite, 1)])
    yield from _drawing_faults(suite)
    yield from _option_faults(suite)


def _family_faults(suite: Suite) -> Iterator[_Fault]:
    families = suite.families
    if families is None:
        return
    own = [task.key for task in suite.tasks]
    split = suite.tuning.tasks if suite.tuning else ()
    for rule, names, known in (
        ("A method must be", families.methods, presets.preset_names()),
        ("`families.tasks` must be", families.tasks, own),
        ("`families.rates` must be of", families.rates, families.methods),
        ("`families.tuned_on` must be of `tuning`,", families.tuned_on, split),
        ("`families.variants` must be of", families.variants, families.methods),
        ("`families.compressed` must be", families.compressed, _COMPRESSIONS),
    ):
        yield from _unknown(rule, names, known)
    if families.compressed and COMPRESSED_METHOD not in families.methods:
        yield (
            f"`families.compressed` needs {COMPRESSED_METHOD} in "
            "`families.methods`.",
            ", ".join(families.methods),
        )
    for method in (*families.methods.values(), *families.compressed.values()):
        yield from _unknown(
            "`options_of` must be of `families.tasks`,",
            method.options_of,
            families.tasks,
        )
    if families.rates and not families.tuned_on:
        yield "`families.rates` need tasks in `families.tuned_on`.", "none"
    yield from _repeated("method", [*suite.methods, *families.methods])


def _joint_faults(suite: Suite) -> Iterator[_Fault]:
    joint = suite.joint
    if not joint:
        return
    own = [task.key for task in suite.tasks]
    split = suite.tuning.tasks if suite.tuning else ()
    for rule, names, known in (
        ("`joint.tasks` must be", joint.tasks, own),
        ("`joint.rates` must be of", joint.rates, joint.private),
        ("`joint.tuned_on` must be of `tuning`,", joint.tuned_on, split),
    ):
        yield from _unknown(rule, names, known)
    yield from _repeated("task in `joint.tasks`", list(joint.tasks))
    for what, tasks in (
        ("`joint.tasks` must be", joint.tasks),
        ("`joint.rates` need `joint.tuned_on` of", joint.tuned_on),
    ):
        if len(set(tasks)) < 2 and (tasks is joint.tasks or joint.rates):
            yield (
                f"{what} two tasks or more, which train together.",
                ", ".join(tasks) or "none",
            )


def _drawing_faults(suite: Suite) -> Iterator[_Fault]:
    if suite.drawn:
        # Of an extra that other suites do without.
        from tfrecords_tools.synthetic.worlds import worlds

        yield from _unknown(
            "A task of a suite with `drawn` must be",
            [task.key for task in (suite.source, *suite.tasks)],
            worlds(),
        )


def _option_faults(suite: Suite) -> Iterator[_Fault]:
    """Options that only a training would refuse, hours later."""
    written = [(name, m.options) for name, m in suite.methods.items()]
    if suite.sparsity:
        method = suite.sparsity.method
        written += [(method, text) for text in suite.sparsity.options.values()]
    if suite.compact:
        for text in suite.compact.options.values():
            written.append((COMPACT_PRESET, text))
    for name, family in _families(suite):
        texts = (family.options, *family.options_of.values())
        written += [(name, text) for text in texts]
    if suite.families:
        for name, variants in suite.families.variants.items():
            written += [(name, text) for text in variants.values()]
    for name, options in written:
        try:
            patch = presets.patch_config(name)
            text_format.Merge(options, patch)
            check_patch(patch)
        except (text_format.ParseError, ValueError) as error:
            yield (
                f"`options` of {name} must be fields of protos/patch.proto.",
                f"{options!r}, refused with: {error}",
            )


def _families(suite: Suite) -> Iterator[tuple[str, Family]]:
    """Presets, and how the suite trains them in `families`."""
    if suite.families:
        yield from suite.families.methods.items()
        for compressed in suite.families.compressed.values():
            yield COMPRESSED_METHOD, compressed


def _unknown(
    rule: str, names: Iterable[str], known: Collection[str]
) -> Iterator[_Fault]:
    for name in names:
        if name not in known:
            yield f"{rule} one of {', '.join(known)}.", repr(name)


def _repeated(what: str, keys: list[str]) -> Iterator[_Fault]:
    for key, times in Counter(keys).items():
        if times > 1:
            yield f"The key of a {what} must be used once.", f"{key!r} twice"

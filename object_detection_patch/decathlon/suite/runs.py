"""The runs of a suite, by experiment."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from object_detection_patch.decathlon.suite.suite import (
    Families,
    Family,
    Joint,
    Method,
    Private,
    Suite,
    SuiteTask,
    Tuning,
)

MAIN, UPDATING, SPARSITY = "main", "updating", "sparsity"
TUNING, PHONE, FAMILIES = "tuning", "phone", "families"
COMPACT, COMPACT_PRESET = "compact", "COMPACT"
JOINT = "joint"
HELD_OUT, HELD_OUT_FOLDER = "_held_out", "held_out"
"""Ending of a key, and folder of records, of a task to tune on."""
COMPRESSED_METHOD = "PARALLEL_ADAPTERS"
SVD, JOINT_SVD = "svd", "joint_svd"
"""Variants of it in `families`: its patches, cut to low rank, trained on."""
EXPERIMENTS = (
    *(TUNING, MAIN, PHONE, UPDATING, SPARSITY),
    *(FAMILIES, COMPACT, JOINT),
)
"""All but `phone` consist of trainings; it measures those of `main` on."""


@dataclasses.dataclass(frozen=True)
class Compression:
    """Adapters that other runs learned, cut to low rank.

    Args:
      share: rank of a product, as a share of its adapter's channels.
      patches_of: ids of the runs; those of several share factors.
    """

    share: float
    patches_of: tuple[str, ...]

    @property
    def is_joint(self) -> bool:
        return len(self.patches_of) > 1


@dataclasses.dataclass(frozen=True)
class Together:
    """Tasks that train one base in one training.

    Args:
      private: what each keeps to itself.
      tasks: all of them, in order; the new base detects the first's classes.
    """

    private: Private
    tasks: tuple[SuiteTask, ...]


@dataclasses.dataclass(frozen=True)
class Run:
    """One training, or a task's part of one, and its evaluation.

    Args:
      variant: key of the base in `updating`, label of the options in
        `sparsity` and `compact`, the rate in `tuning`, SVD, JOINT_SVD, a
        label of `variants` or empty in `families`, empty in `main` and
        `joint`.
      base: key of the base that is patched.
      training: rate and options of the method.
      starts_from: what it trains on; None for a patch that changes nothing.
      together: None for a training of this task alone.
    """

    experiment: str
    method: str
    task: SuiteTask
    seed: int
    base: str
    training: Method
    variant: str = ""
    starts_from: Compression | None = None
    together: Together | None = None

    @property
    def id(self) -> str:
        """Unique in a suite; a file name."""
        return run_id(
            self.experiment,
            self.method,
            self.task.key,
            self.variant,
            self.seed,
        )

    @property
    def training_id(self) -> str:
        """Of its training: its own id, or that of all that train together."""
        if self.together is None:
            return self.id
        return run_id(self.experiment, self.method, "", self.variant, self.seed)

    @property
    def of_training(self) -> tuple[Run, ...]:
        """All runs that one training gives, in order; mostly itself alone."""
        if self.together is None:
            return (self,)
        return tuple(
            dataclasses.replace(self, task=task) for task in self.together.tasks
        )


def run_id(
    experiment: str, method: str, task: str, variant: str, seed: int
) -> str:
    """The id of a run; its variant may be empty, its task of a joint one."""
    parts = (experiment, method.lower(), task, variant)
    return "__".join([*filter(None, parts), f"seed{seed}"])


def select(
    suite: Suite,
    *,
    experiments: Sequence[str] = (MAIN,),
    methods: Sequence[str] = (),
    tasks: Sequence[str] = (),
    variants: Sequence[str] = (),
    seeds: int = 1,
) -> list[Run]:
    """The runs that are asked for, by experiment; `phone` needs those of main.

    Those that start from others' patches, or train together with others, are
    left out unless all of these are asked for.

    Args:
      methods, tasks: by name and key; none means all of the suite's.
      variants: of the runs that have one; none means all.
      seeds: how many, from 1 on.

    Raises:
      ValueError: naming what the suite has, for anything it has not, and
        if nothing is left to run; for a part of `joint`.
    """
    _check_known("An experiment", experiments, EXPERIMENTS)
    _check_known("A method", methods, all_methods(suite))
    _check_known("A task", tasks, tuple(task.key for task in all_tasks(suite)))
    _check_known("A variant", variants, _all_variants(suite))
    trained = {MAIN if name == PHONE else name for name in experiments}
    if seeds < 1:
        raise ValueError(f"`--seeds` must be 1 or more. Received: {seeds}.")
    known = [
        run
        for seed in range(1, seeds + 1)
        for run in all_runs(suite, seed)
        if (not methods or run.method in methods)
        and (not tasks or run.task.key in tasks)
        and (not variants or run.variant in ("", *variants))
    ]
    runs = [run for run in known if run.experiment in trained]
    if not runs:
        others = dict.fromkeys(run.experiment for run in known)
        raise ValueError(
            f"Suite {suite.name} must have something to run. Received: "
            f"experiments {', '.join(experiments)} with methods "
            f"{', '.join(methods) or 'all'}, tasks "
            f"{', '.join(tasks) or 'all'} and variants "
            f"{', '.join(variants) or 'all'}, which it has no runs for; "
            f"it has some in: {', '.join(others) or 'no experiment'}."
        )
    asked = {run.id for run in runs}
    whole = [run for run in runs if asked.issuperset(_needed(run))]
    _refuse_parted(runs, whole)
    return sorted(whole, key=lambda run: EXPERIMENTS.index(run.experiment))


def all_runs(suite: Suite, seed: int) -> Iterator[Run]:
    """Every run of a suite with one seed."""
    for task in suite.tasks:
        for name, method in suite.methods.items():
            yield Run(MAIN, name, task, seed, suite.base.key, method)
    yield from _updating(suite, seed)
    yield from _sparsity(suite, seed)
    yield from _tuning(suite, seed)
    yield from _families(suite, seed)
    yield from _compact(suite, seed)
    yield from _joint(suite, seed)


def all_methods(suite: Suite) -> tuple[str, ...]:
    """The methods of every experiment."""
    families = suite.families.methods if suite.families else ()
    compact = (COMPACT_PRESET,) if suite.compact else ()
    joint = map(joint_method, suite.joint.private) if suite.joint else ()
    return (*suite.methods, *families, *compact, *joint)


def _all_variants(suite: Suite) -> tuple[str, ...]:
    variants = dict.fromkeys(run.variant for run in all_runs(suite, seed=1))
    return tuple(filter(None, variants))


def joint_method(private: Private) -> str:
    """What runs of a joint training are called."""
    return f"PRIVATE_{private.upper()}"


def all_tasks(suite: Suite) -> tuple[SuiteTask, ...]:
    """The tasks of every experiment, the source left out."""
    return (*suite.tasks, *held_out_tasks(suite))


def held_out_tasks(suite: Suite) -> tuple[SuiteTask, ...]:
    """Tasks to tune on: the training images of others, split."""
    if suite.tuning is None:
        return ()
    percent = suite.tuning.percent
    known = {task.key: task for task in suite.tasks}
    return tuple(
        _held_out(known[key], percent)
        for key in suite.tuning.tasks
        if key in known
    )


def origin_of(suite: Suite, task: SuiteTask) -> SuiteTask:
    """The task whose images a held-out task splits; any other, itself."""
    tuned = suite.tuning.tasks if suite.tuning else ()
    origins = {f"{t.key}{HELD_OUT}": t for t in suite.tasks if t.key in tuned}
    return origins.get(task.key, task)


def _held_out(task: SuiteTask, percent: int) -> SuiteTask:
    held_out = max(1, task.train_images * percent // 100)
    return msgspec.structs.replace(
        task,
        key=f"{task.key}{HELD_OUT}",
        name=f"{task.name}, training images split",
        train_records=f"{HELD_OUT_FOLDER}/{task.key}_train.record",
        eval_records=f"{HELD_OUT_FOLDER}/{task.key}_eval.record",
        train_images=task.train_images - held_out,
        eval_images=held_out,
    )


def bases_of(suite: Suite, runs: Sequence[Run]) -> list[str]:
    """Keys of the bases that runs need, the suite's own first."""
    needed = {run.base for run in runs}
    known = [suite.base.key]
    if suite.updating:
        known += [base.key for base in suite.updating.bases]
    return [key for key in known if key in needed]


def config_sha256(suite: Suite, run: Run) -> str:
    """Digest of what decides a run's result but the base's weights.

    Paths are those of the suite, so a moved directory keeps its runs.
    """
    decides = {
        "architecture": suite.architecture,
        "base": msgspec.to_builtins(base_of(suite, run.base)),
        "drawn": msgspec.to_builtins(suite.drawn),
        "method": run.method,
        "training": msgspec.to_builtins(run.training),
        "task": msgspec.to_builtins(run.task),
        "seed": run.seed,
        "phone": suite.phone,
    }
    if run.starts_from:
        decides["starts_from"] = {
            "share": run.starts_from.share,
            "configs": [
                config_sha256(suite, find_run(suite, needed))
                for needed in run.starts_from.patches_of
            ],
        }
    if run.together:
        decides["together"] = {
            "private": run.together.private,
            "tasks": msgspec.to_builtins(run.together.tasks),
        }
    return _digest(decides)


def base_sha256(suite: Suite, key: str) -> str:
    """Digest of what decides a base's weights."""
    base = base_of(suite, key)
    task = getattr(base, "task", None)
    return _digest(
        {
            "architecture": suite.architecture,
            "base": msgspec.to_builtins(base),
            "task": msgspec.to_builtins(task_of(suite, task)) if task else None,
            "drawn": msgspec.to_builtins(suite.drawn),
        }
    )


def data_sha256(suite: Suite, task: SuiteTask) -> str:
    """Digest of what decides the images that a suite draws for a task."""
    return _digest(
        {
            "drawn": msgspec.to_builtins(suite.drawn),
            "task": task.key,
            "images": [task.train_images, task.eval_images],
        }
    )


def base_of(suite: Suite, key: str) -> Any:
    """The suite's `Base` or `GivenBase` of a key.

    Raises:
      ValueError: if it has none.
    """
    updating = suite.updating.bases if suite.updating else ()
    bases = {base.key: base for base in (suite.base, *updating)}
    _check_known("A base", [key], tuple(bases))
    return bases[key]


def task_of(suite: Suite, key: str) -> SuiteTask:
    """The source or the task of a key.

    Raises:
      ValueError: if there is none.
    """
    tasks = {task.key: task for task in (suite.source, *all_tasks(suite))}
    _check_known("A task", [key], tuple(tasks))
    return tasks[key]


def find_run(suite: Suite, run_id: str) -> Run:
    """The run of an id.

    Raises:
      ValueError: if the suite has none of it.
    """
    seed = run_id.rpartition("__seed")[2]
    if seed.isdecimal() and int(seed) >= 1:
        for run in all_runs(suite, int(seed)):
            if run.id == run_id:
                return run
    raise ValueError(
        "A run must be one of the suite's, as --print_commands prints them. "
        f"Received: {run_id!r}."
    )


def _updating(suite: Suite, seed: int) -> Iterator[Run]:
    if suite.updating is None:
        return
    task = task_of(suite, suite.updating.task)
    for base in suite.updating.bases:
        for name, method in suite.methods.items():
            yield Run(UPDATING, name, task, seed, base.key, method, base.key)


def _sparsity(suite: Suite, seed: int) -> Iterator[Run]:
    sparsity = suite.sparsity
    if sparsity is None:
        return
    usual = suite.methods[sparsity.method]
    for label, options in sparsity.options.items():
        if options == usual.options:
            continue  # The main experiment has it.
        method = Method(rate=usual.rate, options=options)
        for task in suite.tasks:
            yield Run(
                SPARSITY,
                sparsity.method,
                task,
                seed,
                suite.base.key,
                method,
                label,
            )


def _tuning(suite: Suite, seed: int) -> Iterator[Run]:
    if suite.tuning is None:
        return
    yield from _own_trials(suite, suite.tuning, seed)
    if suite.families:
        yield from _family_trials(suite, suite.families, seed)
    if suite.joint:
        yield from _joint_trials(suite, suite.joint, seed)


def _own_trials(suite: Suite, tuning: Tuning, seed: int) -> Iterator[Run]:
    tasks = held_out_tasks(suite)
    for name, rates in tuning.rates.items():
        for rate in rates:
            method = Method(rate=rate, options=suite.methods[name].options)
            for task in tasks:
                yield _trial(suite, name, task, seed, method)


def _family_trials(
    suite: Suite, families: Families, seed: int
) -> Iterator[Run]:
    tasks = held_out_tasks(suite)
    for name, rates in families.rates.items():
        for rate in rates:
            for task in tasks:
                origin = origin_of(suite, task).key
                if origin in families.tuned_on:
                    options = _given(families, name, origin).options
                    method = Method(rate=rate, options=options)
                    yield _trial(suite, name, task, seed, method)


def _joint_trials(suite: Suite, joint: Joint, seed: int) -> Iterator[Run]:
    tasks = [
        task
        for task in held_out_tasks(suite)
        if origin_of(suite, task).key in joint.tuned_on
    ]
    for private, rates in joint.rates.items():
        for rate in rates:
            yield from _jointly(
                suite, TUNING, private, tasks, seed, rate, f"{rate:g}"
            )


def _trial(
    suite: Suite, name: str, task: SuiteTask, seed: int, method: Method
) -> Run:
    variant = f"{method.rate:g}"
    return Run(TUNING, name, task, seed, suite.base.key, method, variant)


def _families(suite: Suite, seed: int) -> Iterator[Run]:
    families = suite.families
    if families is None:
        return
    for task in suite.tasks:
        for name in families.methods if task.key in families.tasks else ():
            method = _given(families, name, task.key)
            run = Run(FAMILIES, name, task, seed, suite.base.key, method)
            yield run
            for label, options in families.variants.get(name, {}).items():
                yield dataclasses.replace(
                    run,
                    variant=label,
                    training=Method(rate=method.rate, options=options),
                )
    yield from _compressed(suite, families, seed)


def _compressed(suite: Suite, families: Families, seed: int) -> Iterator[Run]:
    whole = {
        task: Run(
            FAMILIES,
            COMPRESSED_METHOD,
            task,
            seed,
            suite.base.key,
            _given(families, COMPRESSED_METHOD, task.key),
        )
        for task in suite.tasks
        if families.compressed and task.key in families.tasks
    }
    for variant, family in families.compressed.items():
        for task, own in whole.items():
            compressed = whole.values() if variant == JOINT_SVD else (own,)
            yield dataclasses.replace(
                own,
                variant=variant,
                training=_method_of(family, task.key),
                starts_from=Compression(
                    family.share, tuple(run.id for run in compressed)
                ),
            )


def _needed(run: Run) -> tuple[str, ...]:
    """Ids of what a run starts from, and of what trains together with it."""
    start = run.starts_from.patches_of if run.starts_from else ()
    return (*start, *(one.id for one in run.of_training))


def _refuse_parted(asked: Sequence[Run], whole: Sequence[Run]) -> None:
    """Raises ValueError for tasks asked for without those they train with."""
    parted = [run for run in asked if run.together and run not in whole]
    # Among other trials of `tuning` they may be left out.
    if parted and (not whole or any(run.experiment == JOINT for run in parted)):
        # Of all trainings it is the same tasks that are there.
        group = parted[-1].of_training
        raise ValueError(
            "Tasks that train together must be asked for together "
            "(`--tasks`). Received: "
            f"{', '.join(run.task.key for run in group if run in parted)}, of "
            f"{', '.join(run.task.key for run in group)}."
        )


def _compact(suite: Suite, seed: int) -> Iterator[Run]:
    compact = suite.compact
    if not compact:
        return
    for task in suite.tasks:
        for label, options in compact.options.items():
            if task.key in compact.tasks or label in compact.on_all_tasks:
                method = Method(rate=compact.rate, options=options)
                yield Run(
                    COMPACT,
                    COMPACT_PRESET,
                    task,
                    seed,
                    suite.base.key,
                    method,
                    label,
                )


def _joint(suite: Suite, seed: int) -> Iterator[Run]:
    joint = suite.joint
    if not joint:
        return
    tasks = [task for task in suite.tasks if task.key in joint.tasks]
    for private, rate in joint.private.items():
        yield from _jointly(suite, JOINT, private, tasks, seed, rate)


def _jointly(
    suite: Suite,
    experiment: str,
    private: Private,
    tasks: Sequence[SuiteTask],
    seed: int,
    rate: float,
    variant: str = "",
) -> Iterator[Run]:
    """The runs of one training of these tasks together."""
    steps = max((task.schedule.steps for task in tasks), default=0)
    together = Together(
        private, tuple(_of_steps(task, steps) for task in tasks)
    )
    for task in together.tasks:
        yield Run(
            experiment,
            joint_method(private),
            task,
            seed,
            suite.base.key,
            Method(rate=rate),
            variant,
            together=together,
        )


def _of_steps(task: SuiteTask, steps: int) -> SuiteTask:
    schedule = msgspec.structs.replace(task.schedule, steps=steps)
    return msgspec.structs.replace(task, schedule=schedule)


def _given(families: Families, name: str, task: str) -> Method:
    """How a method is trained on a task of this key."""
    return _method_of(families.methods[name], task)


def _method_of(family: Family, task: str) -> Method:
    options = family.options_of.get(task, family.options)
    return Method(rate=family.rate, options=options)


def _check_known(what: str, asked: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise ValueError(
            f"{what} must be one of {', '.join(known)}. Received: "
            f"{', '.join(unknown)}."
        )


def _digest(content: dict[str, Any]) -> str:
    text = msgspec.json.encode(content, order="deterministic")
    return hashlib.sha256(text).hexdigest()

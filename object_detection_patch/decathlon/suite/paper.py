"""The Detection Decathlon of SpotPatch on the real data sets, at 320 px."""

from __future__ import annotations

from object_detection_patch.decathlon import tasks
from object_detection_patch.decathlon.suite import families, mini
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Method,
    Schedule,
    Sparsity,
    Suite,
    SuiteTask,
    Updating,
)
from object_detection_patch.decathlon.tasks import Task

_BATCH = 32
# The OD API's passes for its public 320 px model, with a floor for the small
# data sets and a ceiling for the large ones.
_EPOCHS = 50
_FEWEST_STEPS, _MOST_STEPS = 8_000, 100_000
_BASE_RATE = 8e-3
_LAMBDAS = ("1e-3", "1e-4", "1e-5")
_LAMBDA = "1e-4"
_FAMILY_TASKS = ("voc", "birds", "kitti")

_SETTINGS = (
    "The paper gives neither batch, steps, optimizer nor rates: batches of "
    f"{_BATCH}, {_EPOCHS} passes over a task's images, at least "
    f"{_FEWEST_STEPS:,} and at most {_MOST_STEPS:,} steps, Adam with cosine "
    "decay.",
    "Mirrored at random, but for kitti, and cropped as the OD API's public "
    "320 px model is.",
    "Learning rates are those that the miniature suite chose; the experiment "
    "tuning tries the same three of each method on a fifth of the training "
    "images of three tasks, for a suite file that says which was best.",
    "The step of gates (gate_rate) is the default, a tenth of the masks'; the "
    "paper does not give one.",
    "The bases of model updating are trained from scratch; the paper's begin "
    "with a backbone trained on ImageNet.",
    "Pet's and RPC's evaluation images are chosen by a hash of their names; "
    "the paper does not say how it chose its own.",
    "The paper does not say on which images of Open Images V4 it evaluates its "
    "base; here it is the validation set.",
)


def suite() -> Suite:
    """The suite; its records are those that `tfrecords_tools` converts."""
    methods = {
        name: Method(rate=method.rate, options=_sparse(_LAMBDA))
        if name == "SPOTPATCH"
        else Method(rate=method.rate)
        for name, method in mini.suite().methods.items()
    }
    return Suite(
        name="paper",
        architecture="narrow_320",
        source=_task(tasks.SOURCE_TASK),
        tasks=tuple(map(_task, tasks.TARGET_TASKS)),
        base=Base(
            key="oid",
            task="oid",
            schedule=schedule(tasks.SOURCE_TASK),
            rate=_BASE_RATE,
        ),
        methods=methods,
        updating=_updating(),
        sparsity=Sparsity(
            method="SPOTPATCH",
            options={label: _sparse(label) for label in _LAMBDAS},
        ),
        tuning=mini.tuning(),
        families=families.families(
            [_task(tasks.task(key)) for key in _FAMILY_TASKS],
            mini.family_rates(),
            masks=_sparse(_LAMBDA),
        ),
        compact=mini.compact(
            _FAMILY_TASKS,
            _sparse,
            _LAMBDA,
            steps=min(schedule(tasks.task(key)).steps for key in _FAMILY_TASKS),
        ),
        joint=mini.joint(_FAMILY_TASKS),
        quick=mini.suite().quick,
        settings=_SETTINGS,
    )


def _sparse(value: str) -> str:
    """Patch options that set SPOTPATCH's lambda_sps."""
    return f"  part {{ binary_mask {{ lambda_sps: {value} }} }}\n"


def schedule(task: Task) -> Schedule:
    """How long a real data set is trained on: whole thousands of steps."""
    wanted = round(_EPOCHS * task.train_images / _BATCH / 1000) * 1000
    steps = min(max(wanted, _FEWEST_STEPS), _MOST_STEPS)
    return Schedule(steps=steps, batch_size=_BATCH)


def _task(task: Task) -> SuiteTask:
    return SuiteTask(
        key=task.key,
        name=task.name,
        train_records=f"{task.key}_train.record-?????-of-?????",
        eval_records=f"{task.key}_eval.record-?????-of-?????",
        label_map=f"{task.key}_label_map.pbtxt",
        train_images=task.train_images,
        # Open Images V4 has 41,620 validation images with boxes.
        eval_images=task.eval_images or 41_620,
        schedule=schedule(task),
        flip=task.key not in mini.NOT_MIRRORED,
        honoured_flags=tuple(sorted(task.honoured_flags)),
    )


def _updating() -> Updating:
    coco = tasks.task("coco")
    return Updating(
        task="coco",
        bases=tuple(
            Base(
                key=f"coco_{percent}",
                task="coco",
                percent=percent,
                schedule=schedule(coco),
                rate=_BASE_RATE,
            )
            for percent in (10, 20, 40, 80)
        ),
    )

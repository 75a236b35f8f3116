"""od-patch train-multitask: several tasks train one base together."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from object_detection_patch.cli.options import (
    at_least_one,
    count,
    image_size,
)

if TYPE_CHECKING:
    from object_detection_patch.multi_task.tasks import Task


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "train-multitask",
        help="train one new base and a patch for each of several tasks",
        description="Trains a base together with all tasks that stand on it. "
        "Each task keeps its BatchNorms (or depthwise kernels) and heads to "
        "itself; everything else is moved by the gradients of all. With "
        "--resolutions, the tasks are one task at several image sizes. Leaves "
        "MODEL_DIR/trained: a new base, an ordinary checkpoint directory, and "
        "a patch for each task. Run again, it goes on from its newest "
        "checkpoint.",
        epilog="Exit codes: 0 good; 1 a task stopped, because its loss or a "
        "gradient was not finite, and the others were trained; 2 refused.",
    )
    verb.add_argument(
        "--tasks",
        required=True,
        nargs="+",
        metavar="CONFIG",
        help="pipeline.config of each task, all with the same base; the new "
        "base also detects the classes of the first. Or one config, with "
        "--resolutions",
    )
    verb.add_argument(
        "--resolutions",
        nargs="+",
        type=image_size,
        metavar="SIDE",
        help="train the one config at each of these image sizes, as tasks "
        "that share all but what is private: pixels of a side, or "
        "HEIGHTxWIDTH. The new base has the first",
    )
    verb.add_argument(
        "--model_dir", required=True, help="new, empty, or to go on with"
    )
    verb.add_argument(
        "--private",
        choices=("batch_norm", "depthwise", "both", "none"),
        help="what each task keeps to itself beside its heads (default: the "
        "patch that the configs have)",
    )
    verb.add_argument(
        "--heads",
        choices=("private", "shared"),
        help="whether each task has its own heads; tasks of the same classes "
        "can share them (default: private, but shared with --resolutions)",
    )
    _add_training(verb)
    verb.set_defaults(run=run)


def _add_training(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--steps",
        type=count,
        metavar="N",
        help="steps that all tasks take together; their learning rates are "
        "stretched to them (default: the most that a config plans)",
    )
    verb.add_argument(
        "--checkpoint_every_n",
        type=count,
        default=1000,
        metavar="N",
        help="steps between two checkpoints (default: 1000)",
    )
    verb.add_argument(
        "--log_every_n",
        type=count,
        default=100,
        metavar="N",
        help="steps between two lines of progress (default: 100)",
    )
    verb.add_argument(
        "--max_rate_ratio",
        type=at_least_one,
        default=2.0,
        metavar="R",
        help="refuse a learning rate above R times another task's at the "
        "same step (default: 2)",
    )
    verb.add_argument(
        "--seed",
        type=int,
        help="of every random number; a run on a CPU is then repeatable",
    )


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.multi_task import joint, result, settings
    from object_detection_patch.od_api import compat, extractors

    compat.enable()
    extractors.register()
    settings.refuse_foreign(options.model_dir)
    read = _read(options)
    planned = max(task.train_config.num_steps for task in read)
    steps = options.steps or planned
    settings.refuse_other_tasks(
        options.model_dir, read, steps, share_heads=_share_heads(options)
    )
    report = result.read_report(options.model_dir)
    if report is None:
        report = _train(read, steps, options)
    else:
        settings.refuse_other_base(
            options.model_dir, joint.base_fingerprint(read)
        )
        print("This training has ended already.")
    print(result.as_text(report))
    return 0 if result.all_trained(report) else 1


def _share_heads(options: argparse.Namespace) -> bool:
    if options.heads is None:
        return options.resolutions is not None
    return bool(options.heads == "shared")


def _read(options: argparse.Namespace) -> list[Task]:
    from object_detection_patch.multi_task import resolutions, tasks

    share_heads = _share_heads(options)
    if options.resolutions is None:
        return tasks.read_tasks(
            options.tasks, options.private, share_heads=share_heads
        )
    return resolutions.read_resolutions(
        options.tasks,
        options.resolutions,
        options.private,
        share_heads=share_heads,
    )


def _train(
    tasks: list[Task], steps: int, options: argparse.Namespace
) -> dict[str, Any]:
    from object_detection_patch.decathlon.running import devices
    from object_detection_patch.multi_task import loop, result
    from object_detection_patch.od_api import repeatable

    with (
        repeatable.repeatable(options.seed),
        devices.strategy_scope(None),
    ):
        joint = loop.train(
            tasks,
            options.model_dir,
            private=options.private,
            share_heads=_share_heads(options),
            steps=steps,
            checkpoint_every_n=options.checkpoint_every_n,
            log_every_n=options.log_every_n,
            max_rate_ratio=options.max_rate_ratio,
        )
        return result.write(joint, options.model_dir)

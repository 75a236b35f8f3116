"""od-patch configure: configs for users' own data."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from object_detection_patch import recipes
from object_detection_patch.cli.options import (
    count,
    image_size,
    require_folder,
)

if TYPE_CHECKING:
    from object_detection_patch.configure import Training


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "configure",
        help="write the pipeline.config of a base or of a task's patch",
        description="With --architecture: a stock config that trains a base "
        "from scratch. With --base_config and --base_checkpoint: "
        "the base's config turned into one that learns a patch. Either is an "
        "ordinary file to read and change.",
    )
    _add_kind(verb)
    _add_data(verb)
    _add_training(verb)
    verb.add_argument(
        "--output", required=True, help="pipeline.config to write, a new file"
    )
    verb.set_defaults(run=run)


def _add_kind(verb: argparse.ArgumentParser) -> None:
    kind = verb.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--architecture",
        choices=tuple(recipes.ARCHITECTURES),
        help="SSD MobileNetV2 FPNLite of the paper at 320 px, or a miniature",
    )
    kind.add_argument("--base_config", help="pipeline.config of the base")
    verb.add_argument(
        "--base_checkpoint", help="the base's checkpoint: directory or prefix"
    )
    verb.add_argument(
        "--preset",
        help="SPOTPATCH, BN_PATCH, FINE_TUNING, ... (default: "
        f"{recipes.DEFAULT_PRESET}, for the smallest downloads)",
    )
    verb.add_argument(
        "--target_file_bytes",
        type=count,
        help="most bytes of the patch file, for presets with gates such as "
        "COMPACT (docs/file_budget.md)",
    )
    verb.add_argument(
        "--image_size",
        type=image_size,
        metavar="SIDE",
        help="pixels of the input, as 160 or as HEIGHTxWIDTH (default: the "
        "architecture's or the base's)",
    )


def _add_data(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--train_records", required=True, help="TFRecord file or pattern"
    )
    verb.add_argument(
        "--eval_records", required=True, help="TFRecord file or pattern"
    )
    verb.add_argument("--label_map", required=True, help="label map (.pbtxt)")


def _add_training(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--num_steps", type=int, required=True)
    verb.add_argument("--batch_size", type=int, default=16)
    verb.add_argument(
        "--learning_rate",
        type=float,
        help="Adam's peak (default: the method's usual one)",
    )
    verb.add_argument(
        "--no_flip",
        action="store_true",
        help="never mirror images (digits, text, road scenes)",
    )
    verb.add_argument(
        "--no_crop", action="store_true", help="never crop images at random"
    )


def run(options: argparse.Namespace) -> int:
    from object_detection_patch import configure

    require_folder(options.output)
    _check_kind(options)
    training = _training(options)
    text = (
        configure.base_text(
            options.architecture, training, image_size=options.image_size
        )
        if options.architecture
        else configure.patch_text(
            options.base_config,
            options.base_checkpoint,
            _preset(options),
            training,
            patch_options=_patch_options(options),
            image_size=options.image_size,
        )
    )
    configure.write_config(options.output, text)
    print(
        f"{options.output} written. Train it with\n"
        "  python -m object_detection_patch.model_main_tf2 \\\n"
        f"    --pipeline_config_path={options.output} --model_dir=MODEL_DIR "
        f"\\\n    --checkpoint_every_n={min(options.num_steps, 1000)}"
    )
    return 0


def _preset(options: argparse.Namespace) -> str:
    preset: str = options.preset or recipes.DEFAULT_PRESET
    return preset


def _patch_options(options: argparse.Namespace) -> str:
    text = recipes.options_for_steps(_preset(options), options.num_steps)
    if options.target_file_bytes:
        text += f"  target_file_bytes: {options.target_file_bytes}\n"
    return text


def _check_kind(options: argparse.Namespace) -> None:
    for_patch = (options.base_checkpoint, options.preset)
    if options.architecture and any((*for_patch, options.target_file_bytes)):
        raise ValueError(
            "`--base_checkpoint`, `--preset` and `--target_file_bytes` go with "
            "`--base_config`. "
            f"Received: `--architecture {options.architecture}`."
        )
    if options.base_config and not options.base_checkpoint:
        raise ValueError(
            "`--base_config` needs `--base_checkpoint`. Received: none."
        )


def _training(options: argparse.Namespace) -> Training:
    from object_detection_patch import configure

    return configure.Training(
        options.train_records,
        options.eval_records,
        options.label_map,
        num_steps=options.num_steps,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        flip=not options.no_flip,
        crop=not options.no_crop,
    )

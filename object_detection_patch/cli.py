"""od-patch: one subcommand per verb, thin.

Heavy imports happen inside the verbs, so that `inspect` and `doctor` run
with numpy alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `od-patch`; returns 0 (good), 1 (findings) or 2 (refused)."""
    options = _parser().parse_args(arguments)
    # TensorFlow's start-up messages would bury what a verb has to say.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of the output has seen enough; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ImportError as error:
        _say(f"{error}. `od-patch doctor` tells what is missing.")
    except (ValueError, OSError, RuntimeError) as error:
        _say(str(error))
    return 2


def _say(message: str) -> None:
    print(f"od-patch: {message}", file=sys.stderr)
    # At exit TensorFlow would warn of every tensor of a checkpoint that was
    # not restored, and bury the error.
    logging.getLogger("tensorflow").setLevel(logging.CRITICAL)


def _require_folder(output: str) -> None:
    """Refuses before minutes of work what could not be written after them."""
    folder = os.path.dirname(os.path.abspath(output))
    if not os.path.isdir(folder):
        raise ValueError(
            f"The folder of `--output` must exist. Received: {output!r}."
        )
    if not os.access(folder, os.W_OK):
        raise ValueError(
            f"The folder of `--output` must be writable. Received: {output!r}."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="od-patch",
        description="Task patches for detectors of the TF2 Object Detection "
        "API. Training runs through `python -m "
        "object_detection_patch.model_main_tf2`.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for add in (
        _add_configure,
        _add_extract,
        _add_inspect,
        _add_merge,
        _add_footprint,
        _add_draw,
        _add_demo,
        _add_doctor,
        _add_install,
    ):
        add(verbs)
    return parser


def _add_configure(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "configure",
        help="write the pipeline.config of a base or of a task's patch",
        description="With --architecture: a stock config that trains a base "
        "from scratch. With --base_config, --base_checkpoint and --preset: "
        "the base's config turned into one that learns a patch. Either is an "
        "ordinary file to read and change.",
    )
    kind = verb.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--architecture",
        choices=("narrow_320", "mini_96"),
        help="SSD MobileNetV2 FPNLite of the paper at 320 px, or a miniature",
    )
    kind.add_argument("--base_config", help="pipeline.config of the base")
    verb.add_argument(
        "--base_checkpoint", help="the base's checkpoint: directory or prefix"
    )
    verb.add_argument("--preset", help="SPOTPATCH, BN_PATCH, FINE_TUNING, ...")
    verb.add_argument(
        "--train_records", required=True, help="TFRecord file or pattern"
    )
    verb.add_argument(
        "--eval_records", required=True, help="TFRecord file or pattern"
    )
    verb.add_argument("--label_map", required=True, help="label map (.pbtxt)")
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
    verb.add_argument(
        "--output", required=True, help="pipeline.config to write, a new file"
    )
    verb.set_defaults(run=_configure)


def _configure(options: argparse.Namespace) -> int:
    from object_detection_patch import configure

    _require_folder(options.output)
    for_patch = (options.base_checkpoint, options.preset)
    if options.architecture and any(for_patch):
        raise ValueError(
            "`--base_checkpoint` and `--preset` go with `--base_config`. "
            f"Received: `--architecture {options.architecture}`."
        )
    if options.base_config and not all(for_patch):
        raise ValueError(
            "`--base_config` needs `--base_checkpoint` and `--preset`. "
            f"Received: {options.base_checkpoint} and {options.preset}."
        )
    training = configure.Training(
        options.train_records,
        options.eval_records,
        options.label_map,
        num_steps=options.num_steps,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        flip=not options.no_flip,
        crop=not options.no_crop,
    )
    text = (
        configure.base_text(options.architecture, training)
        if options.architecture
        else configure.patch_text(
            options.base_config,
            options.base_checkpoint,
            options.preset,
            training,
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


def _add_extract(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "extract",
        help="training checkpoint -> patch file",
        description="Writes what a task adds to its base model as one file. "
        "The file is written beside the target and renamed when complete.",
    )
    _pipeline_option(verb)
    verb.add_argument(
        "--checkpoint_dir",
        required=True,
        help="model directory of the training (its newest checkpoint is "
        "taken), or the prefix of one checkpoint",
    )
    verb.add_argument("--output", required=True, help="patch file to write")
    verb.add_argument(
        "--value_type",
        choices=("float32", "float16"),
        default="float32",
        help="how BatchNorm and heads are stored (default: float32)",
    )
    verb.add_argument(
        "--compression",
        choices=("none", "zlib"),
        default="none",
        help="entropy coding of the sections (default: none)",
    )
    verb.set_defaults(run=_extract)


def _extract(options: argparse.Namespace) -> int:
    from object_detection_patch.checkpoints import extract
    from object_detection_patch.patch_file import write_patch

    _require_folder(options.output)
    trained = extract.extract(
        options.pipeline_config_path, options.checkpoint_dir
    )
    write_patch(
        options.output,
        trained.patch,
        value_type=options.value_type,
        compression=options.compression,
    )
    print(extract.report(trained, options.output))
    return 0


def _add_inspect(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "inspect",
        help="what a patch file holds, layer by layer",
        description="Needs numpy alone: no TensorFlow, no base model.",
    )
    verb.add_argument("patch", help="patch file")
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    from object_detection_patch.patch_file import inspection

    described = inspection.describe(options.patch)
    if options.json:
        print(json.dumps(described, indent=2))
    else:
        print(inspection.as_text(described))
    return 0


def _add_merge(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "merge",
        help="base checkpoint + patch file -> ordinary OD API checkpoint",
        description="Writes a checkpoint and a pipeline.config without any "
        "patch layer, on which every tool of the OD API works.",
    )
    verb.add_argument(
        "--base_config", required=True, help="pipeline.config of the base"
    )
    verb.add_argument(
        "--base_checkpoint",
        required=True,
        help="the base's checkpoint: a directory or a prefix",
    )
    verb.add_argument("--patch", required=True, help="patch file")
    verb.add_argument(
        "--output_dir", required=True, help="new or empty directory"
    )
    verb.set_defaults(run=_merge)


def _merge(options: argparse.Namespace) -> int:
    from object_detection_patch.checkpoints import merge
    from object_detection_patch.patch_file import read_patch

    patch = read_patch(options.patch)
    merge.merge(
        base_config=options.base_config,
        base_checkpoint=options.base_checkpoint,
        patch=patch,
        output_dir=options.output_dir,
    )
    print(
        f"{options.output_dir}: ckpt-0 with {len(patch.edits)} edits of "
        f"{patch.method} applied, pipeline.config and "
        f"{merge.LABEL_MAP_FILE} ({len(patch.label_map)} classes). To train "
        "or evaluate it, put the task's records for "
        f"{merge.RECORDS_TO_SET} in its pipeline.config."
    )
    return 0


def _add_footprint(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "footprint",
        help="what a config's patch will cost, before training",
        description="Builds the model and counts. Gated methods are shown "
        "with every gate open and with none.",
    )
    _pipeline_option(verb)
    verb.add_argument(
        "--bits",
        type=int,
        choices=(32, 8),
        default=32,
        help="bits of a float value; a mask bit is one bit (default: 32)",
    )
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=_footprint)


def _footprint(options: argparse.Namespace) -> int:
    from object_detection_patch.training import cost_report

    counted = cost_report.count(options.pipeline_config_path, options.bits)
    if options.json:
        print(json.dumps(counted, indent=2))
    else:
        print(cost_report.as_text(counted))
    return 0


def _add_draw(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "draw",
        help="draw what a model detects in photographs",
        description="Takes the config and checkpoint of a base, of a training "
        "or of a merged model.",
    )
    verb.add_argument("--pipeline_config_path", required=True)
    verb.add_argument("--checkpoint_dir", required=True)
    verb.add_argument(
        "--images", required=True, nargs="+", help="JPEG or PNG files"
    )
    verb.add_argument("--output", required=True, help="PNG file to write")
    verb.add_argument("--min_score", type=float, default=0.4)
    verb.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    from object_detection_patch import draw

    _require_folder(options.output)
    count = draw.draw(
        pipeline_config_path=options.pipeline_config_path,
        checkpoint_dir=options.checkpoint_dir,
        images=options.images,
        output=options.output,
        min_score=options.min_score,
    )
    print(f"{options.output}: {count} images")
    return 0


def _add_demo(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "demo",
        help="the whole way on data it draws itself, with a table at the end",
        description="Draws a source and two target tasks, trains a base, "
        "then patches and fine-tuned models, extracts, merges, evaluates.",
    )
    verb.add_argument("--output_dir", default="demo_output")
    verb.add_argument("--seed", type=int, default=7)
    verb.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    from object_detection_patch import demo

    return demo.run(options.output_dir, seed=options.seed)


def _add_doctor(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "doctor", help="what is missing here, and the command that mends it"
    )
    verb.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    del options
    from object_detection_patch import doctor

    return doctor.print_report(doctor.diagnose())


def _add_install(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "install-od-api",
        help="put the Object Detection API beside us, unless it is there",
    )
    verb.set_defaults(run=_install)


def _install(options: argparse.Namespace) -> int:
    del options
    from object_detection_patch.od_api import install

    install.install_od_api()
    return 0


def _pipeline_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--pipeline_config_path",
        required=True,
        help="pipeline.config with [object_detection_patch.patch] { ... }",
    )


if __name__ == "__main__":
    sys.exit(main())

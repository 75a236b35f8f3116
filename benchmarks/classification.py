"""Patches of classifiers, beside K for the price of 1, Tables 2, 3 and 6.

    python benchmarks/classification.py [--output_dir classification]
        [--quick] [--hosts ssd mobilenet inception] [--tasks digits birds]

Three networks learn other tasks by training little of themselves: an SSD's
feature extractor (the base that comes with the package), MobileNetV2 and
InceptionV3 (trained here on crops of drawn objects, for there is nothing to
download). Tasks are scikit-learn's digits, and crops of the objects of a drawn
world. Each run leaves a JSON in `--output_dir`; a second call trains what is
missing and writes the tables, classification.md, again. All of it is sized for
twenty minutes on two free cores, `--quick` for three.

Reference: Mudrarkarta et al., K for the price of 1: Parameter-efficient
multi-task and transfer learning.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from object_detection_patch import keras_version

keras_version.choose_legacy_keras()

import classification_runs as runs  # noqa: E402
import classification_table  # noqa: E402
from classification_data import DIGITS  # noqa: E402
from classification_hosts import HOSTS, METHODS  # noqa: E402
from classification_runs import Result, Run  # noqa: E402
from classification_training import measured  # noqa: E402

from object_detection_patch.patch_file.whole_file import (  # noqa: E402
    write_whole,
)
from tfrecords_tools.synthetic.worlds import worlds  # noqa: E402

_TABLES = "classification.md"
_QUICK_STEPS = 60
_QUICK_PRETRAINING = 0.25
_QUICK_METHODS = ("FEATURE_EXTRACTOR", "SCALE_BIAS_ONLY", "BN_PATCH")


def main() -> int:
    options = _parser().parse_args()
    folder = pathlib.Path(options.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    plan = _with_sources(_planned(options))
    if not plan:
        print("InceptionV3 has no depthwise kernels to patch.", file=sys.stderr)
        return 2
    results = []
    for number, run in enumerate(plan, 1):
        known = runs.kept(folder, run)
        result = known or measured(folder, run)
        results.append(result)
        _say(number, len(plan), result, known is not None)
    text = classification_table.markdown(results)
    write_whole(folder / _TABLES, text.encode())
    print(f"\n{text}\n{folder / _TABLES}")
    return 0


def _planned(options: argparse.Namespace) -> list[Run]:
    quick = options.quick
    return runs.plan(
        options.hosts or (("ssd", "mobilenet") if quick else tuple(HOSTS)),
        options.tasks or ((DIGITS,) if quick else ()),
        options.methods or (_QUICK_METHODS if quick else ()),
        random_start=not quick,
        steps=options.steps or (_QUICK_STEPS if quick else None),
        pretraining=_QUICK_PRETRAINING if quick else 1.0,
        train_images=options.train_images,
        seed=options.seed,
    )


def _with_sources(plan: list[Run]) -> list[Run]:
    """Each training on the source goes before the first run that needs it."""
    found: list[Run] = []
    for run in plan:
        needed = [runs.on_source(run)] if run.pretraining else []
        found += [one for one in (*needed, run) if one not in found]
    return found


def _say(number: int, of: int, result: Result, known: bool) -> None:
    run = result.run
    how = "there already" if known else f"{result.seconds:.0f} s"
    print(
        f"{number}/{of} {run.host}, {run.start}, {run.task}, "
        f"{run.method or 'all, on the source'}: "
        f"{100 * result.accuracy:.1f} % ({how})",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output_dir",
        default="classification",
        help="where results lie; what is there is not trained again",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two networks, one task, three methods, few steps",
    )
    parser.add_argument("--hosts", nargs="+", choices=tuple(HOSTS))
    parser.add_argument(
        "--tasks",
        nargs="+",
        choices=(DIGITS, *worlds()),
        metavar="TASK",
        help=f"{DIGITS}, or drawn worlds: {', '.join(worlds())} (default: "
        f"{DIGITS} and birds; InceptionV3 {DIGITS} alone)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        metavar="PRESET",
        help=", ".join(METHODS)
        + f" (default: all; InceptionV3 {len(HOSTS['inception'].methods)})",
    )
    parser.add_argument(
        "--steps",
        type=_positive,
        help="of each training (default: "
        + ", ".join(f"{name} {host.steps}" for name, host in HOSTS.items())
        + ")",
    )
    parser.add_argument(
        "--train_images",
        type=_positive,
        default=800,
        help="images of a task (default: 800)",
    )
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())

"""What routing costs: in training, in Keras and in LiteRT.

    python benchmarks/routing_cost.py [--parts training keras phone]
        [--image_size 96] [--rounds 30]

Weights are random: nothing here depends on them but which blocks are taken,
and that is set by the policy's last bias. Whatever is compared takes turns in
one process, so that a change of the machine's speed hits all; what counts is
the ratio, a median of pairs. LiteRT and Keras look at one image at a time,
LiteRT on one thread.

SpotTune's paper: training takes 1.47 times fine-tuning's time, inference
0.015 s where the plain model takes 0.013 s (Section 4.3, other hardware).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import one_step
import phone_models

from object_detection_patch import tflite
from object_detection_patch.od_api import base_model, compat

# Which blocks an image takes tuned.
_CHOICES: Mapping[str, Callable[[int], bool]] = {
    "all frozen": lambda block: False,
    "every second tuned": lambda block: block % 2 == 1,
    "all tuned": lambda block: True,
}
_PLAIN = "not routed"
_WARM_UP = 3


def main() -> int:
    options = _parser().parse_args()
    parts = {"training": _training, "keras": _keras, "phone": _phone}
    for part in options.parts:
        found = parts[part](options.image_size, options.rounds)
        print(json.dumps({part: found}, indent=2), flush=True)
    return 0


def _training(image_size: int, rounds: int) -> dict[str, Any]:
    """Steps of SPOTTUNE against those of FINE_TUNING, batch 8."""
    runs = {
        method: one_step.of_preset(method, image_size, 8).timed
        for method in ("FINE_TUNING", "SPOTTUNE")
    }
    return _in_turns(runs, rounds, "FINE_TUNING")


def _keras(image_size: int, rounds: int) -> dict[str, Any]:
    """Traced predictions of one image."""
    compat.enable()
    import tensorflow as tf

    image = tf.constant(_image((1, image_size, image_size, 3)))
    plain, routed = (
        one_step.patched(
            one_step.pipeline_of(f"preset: {preset}", image_size, 1)
        )
        for preset in ("FINE_TUNING", "SPOTTUNE")
    )
    runs = {_PLAIN: _predicts(plain, image)}
    for name, takes_tuned in _CHOICES.items():
        runs[name] = _predicts(routed, image, takes_tuned)
    return _in_turns(runs, rounds, _PLAIN)


def _predicts(
    model: Any, image: Any, takes_tuned: Callable[[int], bool] | None = None
) -> Callable[[], float]:
    import tensorflow as tf

    base_model.set_training(model, False)
    predict = tf.function(lambda: model.predict(image, None)["box_encodings"])

    def timed() -> float:
        if takes_tuned is not None:
            _choose(model, takes_tuned)
        started = time.perf_counter()
        predict().numpy()
        return time.perf_counter() - started

    return timed


def _phone(image_size: int, rounds: int) -> dict[str, Any]:
    """A routing base in LiteRT, and what lies on a phone."""
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        _publish(folder, image_size)
        bases = {name: folder / name for name in ("base", "routing")}
        models = {_PLAIN: bases["base"] / "base.tflite"}
        for name, takes_tuned in _CHOICES.items():
            models[name] = folder / f"{name}.tflite"
            patch = _routed_patch(folder, "SPOTTUNE", takes_tuned)
            tflite.apply(bases["routing"] / "base.tflite", patch, models[name])
        image = _image((1, image_size, image_size, 3))
        runs = {name: _invokes(path, image) for name, path in models.items()}
        return _in_turns(runs, rounds, _PLAIN) | {
            "subgraphs_run": {
                name: _subgraphs(path, image) for name, path in models.items()
            },
            "bytes": {
                f"{name} {path.name}": path.stat().st_size
                for name, base in bases.items()
                for path in sorted(base.glob("base.*"))
            }
            | {
                f"patch, {preset}": _patch_bytes(folder, preset)
                for preset in ("FINE_TUNING", "SPOTTUNE")
                + ("SPOTPATCH", "ROUTED_SPOTPATCH")
            },
        }


def _publish(folder: pathlib.Path, image_size: int) -> None:
    from object_detection_patch.export import base
    from object_detection_patch.export.policy_graph import PolicySize

    architecture = one_step.ARCHITECTURES[image_size]
    phone_models.write_checkpoint(folder / "checkpoint", architecture)
    phone_models.publish_base(folder / "checkpoint", folder / "base", "float32")
    published = folder / "base" / "checkpoint"
    base.export_base(
        pipeline_config_path=str(published / "pipeline.config"),
        checkpoint_dir=str(published),
        output_dir=str(folder / "routing"),
        policy=PolicySize(3, 8),
    )


def _routed_patch(
    folder: pathlib.Path,
    preset: str,
    takes_tuned: Callable[[int], bool] = bool,
) -> pathlib.Path:
    """A patch of the published base, as extract writes it."""
    from object_detection_patch.od_api import pipeline_config
    from object_detection_patch.patch_file import (
        LabelMapItem,
        Patch,
        write_patch,
    )
    from object_detection_patch.protos import patch_pb2
    from object_detection_patch.training import patched_model

    published = folder / "base" / "checkpoint"
    pipeline = pipeline_config.read_pipeline(str(published / "pipeline.config"))
    config = patch_pb2.Patch(preset=patch_pb2.Preset.Value(preset))
    model = patched_model.build_patched(pipeline.model, config)
    base_model.restore_base(
        model,
        model.patch.hosts,
        str(published / "ckpt-0"),
        checkpoint_type="full",
    )
    model.patch.initialise()
    if model.patch.model_patches:
        _choose(model, takes_tuned)
    labels = tuple(
        LabelMapItem(number, f"class {number}", "")
        for number in range(1, model.num_classes + 1)
    )
    path = folder / f"{preset}.patch"
    write_patch(
        path,
        Patch(
            preset,
            model.patch.base_fingerprint,
            tuple(model.patch.edits(gates="open")),
            labels,
        ),
    )
    return path


def _patch_bytes(folder: pathlib.Path, preset: str) -> int:
    """Of all gates open and the encoding that `publish` chooses."""
    from object_detection_patch.patch_file import (
        ENCODINGS,
        read_patch,
        to_bytes,
    )

    patch = read_patch(str(_routed_patch(folder, preset)))
    return len(to_bytes(patch, encoding=ENCODINGS["small"]))


def _invokes(path: pathlib.Path, image: np.ndarray) -> Callable[[], float]:
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_path=str(path), num_threads=1)
    model.allocate_tensors()
    model.set_tensor(model.get_input_details()[0]["index"], image)

    def timed() -> float:
        started = time.perf_counter()
        model.invoke()
        return time.perf_counter() - started

    return timed


def _subgraphs(path: pathlib.Path, image: np.ndarray) -> list[int]:
    """0 is the main one, then tuned and frozen branch of each block."""
    np.save(path.with_suffix(".npy"), image)
    script = pathlib.Path(__file__).with_name("litert_profile.py")
    told = subprocess.run(
        [
            *(sys.executable, str(script), str(path), "--json"),
            *("--images", str(path.with_suffix(".npy"))),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    (ran,) = json.loads(told.stdout.splitlines()[-1])
    return list(ran)


def _choose(model: Any, takes_tuned: Callable[[int], bool]) -> None:
    """Makes the policy take these blocks for every image."""
    (router,) = model.patch.model_patches
    pairs = [
        (0.0, 1.0) if takes_tuned(block) else (1.0, 0.0)
        for block in range(len(router.blocks))
    ]
    router.policy.logits.bias.assign(np.reshape(pairs, -1))


def _image(shape: tuple[int, ...]) -> np.ndarray:
    drawn = np.random.default_rng(0).uniform(-1, 1, shape)
    return drawn.astype(np.float32)


def _in_turns(
    runs: Mapping[str, Callable[[], float]], rounds: int, first: str
) -> dict[str, Any]:
    """Median seconds, and median of the ratios to `first` round by round."""
    names = list(runs)
    for name in names * _WARM_UP:
        runs[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 else names[::-1]:
            seconds[name].append(runs[name]())
    return {
        "rounds": rounds,
        "median_seconds": {
            name: statistics.median(found) for name, found in seconds.items()
        },
        "median_ratio": {
            name: statistics.median(
                one / other
                for one, other in zip(found, seconds[first], strict=True)
            )
            for name, found in seconds.items()
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        default=["training", "keras", "phone"],
        choices=["training", "keras", "phone"],
    )
    parser.add_argument(
        "--image_size",
        type=int,
        default=96,
        choices=sorted(one_step.ARCHITECTURES),
    )
    parser.add_argument("--rounds", type=int, default=30)
    return parser


if __name__ == "__main__":
    sys.exit(main())
